import type { Spec } from "../language/language.js";
import type { Origins, SpecReport } from "../semantics/report.js";

/** A default that trains otherwise than the one before it. */
interface ChangedDefault {
  /** Of the key that chooses. */
  readonly path: string;
  /** Of the value that the remark points at where the key is not set. */
  readonly at: string;
  readonly value: string;
  readonly before: string;
  /** What the new default does. */
  readonly change: string;
  /** Whether the two defaults train this spec differently. */
  readonly concerns: (spec: Spec) => boolean;
}

/**
 * All of them, in the order in which they are told. The runtime has the same list in `skrull_runtime/defaults.py`: it
 * refuses to resume where a checkpoint was trained otherwise.
 */
const CHANGED_DEFAULTS: readonly ChangedDefault[] = [
  {
    path: "train.optimizer.decayed",
    at: "train.optimizer.weight_decay",
    value: "matrices",
    before: "all",
    change: "weight decay skips norms, biases and other one-dimensional parameters",
    // Adapters are matrices, and later optimizers have had no other default.
    concerns: ({ train: { optimizer }, lora }) =>
      ["adamw", "sgd"].includes(optimizer.type) && optimizer.weight_decay > 0 && lora.rank === 0,
  },
  {
    path: "train.gradients",
    at: "train",
    value: "fp32",
    before: "bf16",
    change: "gradients of micro-batches and ranks are accumulated in fp32, not in the model's bf16",
    concerns: ({ model }) => model.precision === "bf16",
  },
];

/** Reports each changed default that the spec relies on and that makes a difference to it. */
export function reportChangedDefaults(spec: Spec, origins: Origins, report: SpecReport): void {
  for (const { path, at, value, before, change, concerns } of CHANGED_DEFAULTS) {
    if (origins.has(path) || !concerns(spec)) continue;
    const key = path.slice(path.lastIndexOf(".") + 1);
    report.at("changed-default", at, { key, value, before, change });
  }
}
