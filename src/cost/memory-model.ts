/** What a row of the plan's memory holds. Programs go by it; its name is for people. */
export type MemoryRowId =
  | "weights"
  | "gradients"
  | "optimizer"
  | "gradients-fp32"
  | "step"
  | "buckets"
  | "gathered-weights"
  | "logits"
  | "head-gradient"
  | "weight-gradients"
  | "communicators"
  | "context"
  | "fragmentation"
  | "activations"
  | "layer-at-work"
  | "attention-at-work"
  | "gathered"
  | "model-ends"
  | "router"
  | "ordered-sums"
  | "adapted-weights"
  | "checkpoints"
  | "host-buffer"
  | "process";

/**
 * Moments of a step at which memory may be fullest. What they need does not exist at the same time: layers run backward
 * when the loss is done, and the optimizer steps when activations are gone.
 */
export type MemoryPhase =
  | "loss"
  | "head"
  | "final"
  | "layers"
  | "down"
  | "gate"
  | "norm"
  | "attention"
  | "step";

export interface MemoryRow {
  readonly id: MemoryRowId;
  readonly name: string;
  readonly bytes: number;
  /** The only moment at which it exists; absent for what is there all along. */
  readonly phase?: MemoryPhase;
  /** Of a row of every token: bytes beyond which it does not grow. */
  readonly most?: number;
}

/** Memory of one rank: a fixed part, and a part per token of the bucket. */
export interface MemoryModel {
  readonly fixed: readonly MemoryRow[];
  readonly perToken: readonly MemoryRow[];
  /** In the host's memory, for this rank. */
  readonly host: readonly MemoryRow[];
  /** In the host's memory, for every token of a full bucket. */
  readonly hostPerToken: readonly MemoryRow[];
}

export const PHASES: readonly MemoryPhase[] = [
  "loss",
  "head",
  "final",
  "layers",
  "down",
  "gate",
  "norm",
  "attention",
  "step",
];

/** Bytes of rows together, whatever their phases. */
export function totalBytes(rows: readonly MemoryRow[]): number {
  let total = 0;
  for (const row of rows) total += row.bytes;
  return total;
}

/** Bytes of the row of that id; 0 where there is none. */
export const bytesOf = (rows: readonly MemoryRow[], wanted: MemoryRowId): number =>
  rows.find(({ id }) => id === wanted)?.bytes ?? 0;

/** Rows that exist at a moment. */
export const rowsAt = (phase: MemoryPhase, rows: readonly MemoryRow[]): MemoryRow[] =>
  rows.filter((row) => row.phase === undefined || row.phase === phase);

/** Bytes of a rank at a moment of a micro-batch of `tokens`. */
export function bytesAt(phase: MemoryPhase, model: MemoryModel, tokens: number): number {
  const now = (row: MemoryRow) => row.phase === undefined || row.phase === phase;
  let bytes = 0;
  for (const row of model.fixed) if (now(row)) bytes += row.bytes;
  if (phase === "step") return bytes;
  for (const row of model.perToken) {
    if (now(row)) bytes += Math.min(tokens * row.bytes, row.most ?? Number.POSITIVE_INFINITY);
  }
  return bytes;
}

/** The moment at which a micro-batch of `tokens` needs most. */
export function fullestPhase(model: MemoryModel, tokens: number): MemoryPhase {
  let best: MemoryPhase = "layers";
  for (const phase of PHASES)
    if (bytesAt(phase, model, tokens) > bytesAt(best, model, tokens)) best = phase;
  return best;
}

/** Bytes of a rank whose micro-batch holds `tokens`. */
export const peakBytes = (model: MemoryModel, tokens: number): number =>
  bytesAt(fullestPhase(model, tokens), model, tokens);
