import {
  bytesAt,
  fullestPhase,
  type MemoryPhase,
  PHASES,
  rowsAt,
  totalBytes,
} from "../cost/memory-model.js";
import type { MemoryPlan, Topology } from "./plan.js";

/** What a rank does when its memory is fullest. */
export const MOMENTS: Readonly<Record<MemoryPhase, string>> = {
  loss: "at the loss",
  head: "behind the loss",
  final: "in the final norm's backward",
  layers: "in a layer's backward",
  down: "at gradients of experts' outputs",
  gate: "at gradients of experts' inputs",
  norm: "in a norm's backward",
  attention: "in attention's backward",
  step: "in the optimizer's step",
};

/** Where a bucket's size comes from. */
export const BUCKET_FROM: Readonly<Record<MemoryPlan["bucket_from"], string>> = {
  budget: "from the budget",
  spec: "from the spec",
  recomputation: "to recompute less",
};

/** Where a rank's memory goes at its fullest, in bytes; rows add up to the peak. */
export interface MemoryTable {
  readonly rows: readonly { readonly name: string; readonly bytes: number }[];
  readonly fullest: MemoryPhase;
  readonly peak: number;
  /** The other moments. */
  readonly others: readonly { readonly phase: MemoryPhase; readonly bytes: number }[];
}

/** The table of a full bucket, and of the dummy of a rank without sequences. */
export function memoryTable({ bucket, fixed, per_token, host }: MemoryPlan): MemoryTable {
  const tokens = bucket + 1;
  const model = { fixed, perToken: per_token, host, hostPerToken: [] };
  const fullest = fullestPhase(model, tokens);
  const perToken = fullest === "step" ? [] : rowsAt(fullest, per_token);
  const rows = [
    ...rowsAt(fullest, fixed).map(({ name, bytes }) => ({ name, bytes })),
    ...perToken.map(({ name, bytes, most = Number.POSITIVE_INFINITY }) => ({
      name: `${name}, full bucket`,
      bytes: Math.min(bytes * tokens, most),
    })),
  ];
  const own = new Set([...fixed, ...per_token].map(({ phase }) => phase));
  const phases = PHASES.filter((phase) => phase !== fullest && own.has(phase));
  return {
    rows: rows.filter(({ bytes }) => bytes !== 0),
    fullest,
    peak: bytesAt(fullest, model, tokens),
    others: phases.map((phase) => ({ phase, bytes: bytesAt(phase, model, tokens) })),
  };
}

/** Bytes that a rank keeps in its node's memory while it trains; on CPU all of them. */
export const hostBytesOfRank = (memory: MemoryPlan, device: Topology["device"]): number =>
  totalBytes(memory.host) + (device === "cpu" ? memory.peak_bytes : 0);
