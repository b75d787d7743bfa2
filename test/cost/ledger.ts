import { readFileSync } from "node:fs";
import { readDimensions } from "../../src/catalogue/dimensions.js";
import { type AdapterChoice, loraShape, matricesOf } from "../../src/cost/adapters.js";
import type { MemorySetting } from "../../src/cost/memory.js";
import type { TransformerShape } from "../../src/cost/shape.js";
import type { Checkpointing } from "../../src/foundation/vocabularies.generated.js";
import { WHOLE } from "./small-shape.js";

/** Bytes: fixed, per layer, per token of the rank, and per layer and token. */
export type Figure = readonly [number, number, number, number];

/** Moments at which the ledger looks for the most that is alive. */
export type LedgerPhase =
  | "forward"
  | "loss"
  | "head"
  | "mlp"
  | "attention"
  | "kernel"
  | "embedding";

/** What a run of the runtime's own model code on tensors without values counted, states left out. */
export interface Counted {
  /** Alive when the backward begins, by what made it. */
  readonly kept: Readonly<Record<string, Figure>>;
  /** Of each moment, figures whose largest is the most that is alive. */
  readonly peaks: Readonly<Partial<Record<LedgerPhase, readonly Figure[]>>>;
}

interface Ledger {
  readonly loss_chunk: number;
  readonly shared_by: number;
  readonly lora_rank: number;
  /** By model, then by "checkpointing layout trained kernel". */
  readonly models: Readonly<Record<string, Readonly<Record<string, Counted>>>>;
}

/** A case of the ledger with the compiler's setting of it. */
export interface LedgerCase {
  readonly name: string;
  readonly model: string;
  /** A rank's own sequences, one of its own, its part of a shared one, or own and shared ones. */
  readonly layout: string;
  /** All weights, or adapters by their kind. */
  readonly trained: string;
  readonly whole: boolean;
  readonly counted: Counted;
  readonly setting: MemorySetting;
}

const read = (file: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), "utf8"));

/** Made by `npm run bench:ledger`. */
const LEDGER = read("test/vectors/memory-ledger.json") as Ledger;
const MODELS = read("bench/roofline/memory-models.json") as Readonly<Record<string, object>>;

/** As `bench/roofline/memory.py` has them. */
const PLAIN: AdapterChoice = {
  rank: LEDGER.lora_rank,
  targets: ["all-linear"],
  dora: false,
  modules_to_save: [],
  ...WHOLE,
};
const ADAPTERS: Readonly<Record<string, Partial<AdapterChoice>>> = {
  dora: { dora: true },
  experts: { targets: ["attention", "experts"] },
  nf4: { base: "nf4", double_quantisation: true },
};

/** Every case of the file. */
export const LEDGER_CASES: readonly LedgerCase[] = Object.entries(LEDGER.models).flatMap(
  ([model, cases]) => {
    const shape = shapeOf(model);
    return Object.entries(cases).map(([name, counted]) => caseOf(model, shape, name, counted));
  },
);

function shapeOf(model: string): TransformerShape {
  const result = readDimensions(MODELS[model]);
  if (!result.ok) throw new Error(`${model}: ${JSON.stringify(result.problems)}`);
  return result.dimensions.shape;
}

function caseOf(
  model: string,
  shape: TransformerShape,
  name: string,
  counted: Counted,
): LedgerCase {
  const [checkpointing, layout = "", trained = "", kernel, tiles] = name.split(" ");
  const whole = trained === "whole";
  const shared = layout === "shared" || layout === "mixed";
  const setting: MemorySetting = {
    shape,
    precision: "bf16",
    gradients: "bf16",
    checkpointing: checkpointing as Checkpointing,
    fused: false,
    zeroStage: 0,
    ranks: 1,
    largestGroup: shared ? LEDGER.shared_by : 1,
    masterBytes: 4,
    momentBytes: 8,
    lossChunk: LEDGER.loss_chunk,
    mlpTile: tiles === "tiled" ? shape.hidden_size : null,
    zeroBucket: 0,
    activationFactor: 1,
    reduction: "once",
    offload: "none",
    routerLoss: false,
    lora: whole
      ? null
      : loraShape({ shape, matrices: matricesOf(shape) }, { ...PLAIN, ...ADAPTERS[trained] }),
    groups: null,
    kernel: kernel === "flash3" ? "flash3" : "flash2",
    orderedSums: false,
  };
  return { name: `${model} ${name}`, model, layout, trained, whole, counted, setting };
}

/** Bytes at a moment of a micro-batch of so many tokens; -Infinity where the ledger has no such moment. */
export function countedAt({ counted, setting }: LedgerCase, at: LedgerPhase, tokens: number) {
  const { layers } = setting.shape;
  const bytes = (counted.peaks[at] ?? []).map(
    ([fixed, layer, token, both]) =>
      fixed + layer * layers + token * tokens + both * layers * tokens,
  );
  return Math.max(...bytes);
}

/** The moments that the ledger has of a case. */
export const phasesOf = ({ counted }: LedgerCase) => Object.keys(counted.peaks) as LedgerPhase[];

/** The most that is alive at any moment. */
export const countedPeak = (own: LedgerCase, tokens: number): number =>
  Math.max(...phasesOf(own).map((at) => countedAt(own, at, tokens)));

/** Bytes that a token leaves in a layer. */
export function countedKept({ counted }: LedgerCase): number {
  let bytes = 0;
  for (const [, , , both] of Object.values(counted.kept)) bytes += both;
  return bytes;
}
