import type { Spec } from "./language.js";

/** What decides whether an optimizer can train a spec, whose degree and reduction may be decided or not. */
export interface Trained extends Pick<Spec, "model" | "train" | "memory"> {
  readonly parallel: Pick<Spec["parallel"], "zero" | "reduction">;
}

/** Two settings that exclude each other, the place of the first, and why. */
export interface Contradiction {
  readonly path: string;
  readonly first: string;
  readonly second: string;
  readonly reason: string;
}

/** What DeepSpeed lacks for the optimizer of a spec; `undefined` where it lacks nothing. */
export function optimizerContradiction(spec: Trained): Contradiction | undefined {
  const { optimizer } = spec.train;
  switch (optimizer.type) {
    case "adamw":
      return optimizer.states === "bf16" ? ofBf16States(spec) : undefined;
    case "adamw8bit":
      return ofEightBits(spec);
    case "muon":
      return ofMuon(spec);
    default:
      return undefined;
  }
}

/** `_configure_master_weights` of DeepSpeed: ZeRO's partitions take any type, its stages 1 to 3 alone have them. */
function ofBf16States({ model, parallel, memory }: Trained): Contradiction | undefined {
  const path = "train.optimizer.states";
  const first = "states = bf16";
  if (model.precision === "fp32") {
    const reason = "The optimizer's copy of the weights would be less precise than the weights.";
    return { path, first, second: "precision = fp32", reason };
  }
  if (parallel.zero === 0) {
    const reason = "DeepSpeed has such states under ZeRO 1 to 3 only.";
    return { path, first, second: "zero = 0", reason };
  }
  if (memory.offload === "none") return undefined;
  const reason =
    "On the host DeepSpeed has such states only with a kernel that it compiles there, and a run must do without.";
  return { path, first, second: `offload = ${memory.offload}`, reason };
}

function ofEightBits({ memory: { offload } }: Trained): Contradiction | undefined {
  if (offload === "none") return undefined;
  const reason = "DeepSpeed's kernels for the host keep moments of 32 bits.";
  const [first, second] = [`offload = ${offload}`, "optimizer = adamw8bit"];
  return { path: "memory.offload", first, second, reason };
}

/**
 * DeepSpeed orthogonalises in its ZeRO optimizers. Under ZeRO 1 and 2 it adds the micro-batches of Muon's matrices in the
 * model's precision (`_use_compact_grad_partition_buffer` leaves them out); autograd can add them in fp32 where they are
 * reduced once a step, which an offloaded optimizer excludes.
 */
function ofMuon(spec: Trained): Contradiction | undefined {
  const { zero, reduction } = spec.parallel;
  const { offload } = spec.memory;
  const second = "optimizer = muon";
  if (zero === 0) {
    const reason =
      "DeepSpeed orthogonalises updates in its ZeRO optimizers; without ZeRO it may train the matrices by plain SGD.";
    return { path: "parallel.zero", first: "zero = 0", second, reason };
  }
  if (!addsWider(spec) || zero === 3) return undefined;
  if (offload !== "none") {
    const reason =
      "DeepSpeed adds offloaded gradients of Muon's matrices in bf16 under ZeRO 1 and 2, whatever train { gradients } says. Write gradients = bf16, or zero = 3.";
    return { path: "memory.offload", first: `offload = ${offload}`, second, reason };
  }
  if (reduction !== "every-micro-batch" || zero < 2) return undefined;
  const reason =
    "Reduced in every backward pass, gradients of Muon's matrices are added in bf16, whatever train { gradients } says. Write gradients = bf16, or reduction = once.";
  return { path: "parallel.reduction", first: `reduction = ${reduction}`, second, reason };
}

const addsWider = ({ model, train }: Trained): boolean =>
  model.precision === "bf16" && train.gradients === "fp32";

/** Whether `reduction = auto` has no choice under ZeRO 2: see {@link optimizerContradiction}. */
export const mustReduceOnce = (spec: Trained): boolean =>
  spec.train.optimizer.type === "muon" && spec.parallel.zero === 2 && addsWider(spec);
