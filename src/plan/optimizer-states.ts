import { layersParameters } from "../cost/layer-parameters.js";
import type { OptimizerStates } from "../cost/memory.js";
import { BYTES_PER_ELEMENT } from "../cost/shape.js";
import { gradientBytes } from "../cost/states.js";
import type { Spec } from "../language/language.js";
import type { Topology } from "./plan.js";
import type { Setup } from "./setup.js";

const FP32 = BYTES_PER_ELEMENT.fp32;
const BF16 = BYTES_PER_ELEMENT.bf16;

/** Parameters of a block that 8-bit states are scaled by, each state with a scale in fp32 of its own. */
const QUANTISED_BLOCK = 256;
/** Two states of a byte each, and their share of the scales. */
const QUANTISED = 2 * (1 + FP32 / QUANTISED_BLOCK);

/** What decides them, of a setup. */
export interface StatesProblem extends Pick<Setup, "shape" | "lora"> {
  readonly spec: {
    readonly model: Pick<Spec["model"], "precision">;
    readonly train: Pick<Spec["train"], "optimizer" | "gradients">;
    readonly memory: Pick<Spec["memory"], "offload">;
  };
  readonly topology: Pick<Topology, "zero_stage">;
}

/**
 * Bytes that the optimizer keeps for a trained parameter, the mean over all that are trained.
 *
 * - The master copy is in fp32, 4 bytes; a model in fp32 without ZeRO is its own (`DeepSpeedZeroOptimizer` keeps a
 *   partition in fp32 whatever the model's precision).
 * - AdamW has two moments in fp32, 8 bytes; with `states = bf16` these and the master copy have 2 bytes each; SGD has one where it has momentum.
 * - AdamW in 8 bits has two moments of a byte, each with a scale in fp32 for every 256 parameters: 2.03 bytes; those of
 *   the embedding are in fp32 (`Optimizer2State.init_state` of bitsandbytes; arXiv:2110.02861).
 * - Muon has one momentum of the matrices of layers: under ZeRO 3 in the precision that gradients are added in
 *   (`_create_momentum_buffer`), under ZeRO 1 and 2 in the model's, with a second one of the step that may still be
 *   discarded (`_muon_momentum_buffer`, `_muon_staging_momentum`); offloaded, in fp32. The rest is AdamW's.
 */
export function optimizerStates(problem: StatesProblem): OptimizerStates {
  return { masterBytes: masterBytes(problem), momentBytes: momentBytes(problem) };
}

const inBf16 = (optimizer: Spec["train"]["optimizer"]): boolean =>
  optimizer.type === "adamw" && optimizer.states === "bf16";

function masterBytes({ spec, topology }: StatesProblem): number {
  if (inBf16(spec.train.optimizer)) return BF16;
  return spec.model.precision === "bf16" || topology.zero_stage > 0 ? FP32 : 0;
}

function momentBytes(problem: StatesProblem): number {
  const { optimizer } = problem.spec.train;
  switch (optimizer.type) {
    case "adamw":
      return 2 * (inBf16(optimizer) ? BF16 : FP32);
    case "adamw8bit": {
      const exact = embeddingShare(problem);
      return exact * 2 * FP32 + (1 - exact) * QUANTISED;
    }
    case "muon": {
      const own = matrixShare(problem);
      return own * momentumBytes(problem) + (1 - own) * 2 * FP32;
    }
    case "sgd":
      return optimizer.momentum > 0 ? FP32 : 0;
  }
}

/** Of a parameter that Muon trains. */
function momentumBytes({ spec, topology }: StatesProblem): number {
  if (spec.memory.offload !== "none") return FP32;
  const { precision } = spec.model;
  if (topology.zero_stage === 3) return gradientBytes(precision, spec.train.gradients);
  return 2 * BYTES_PER_ELEMENT[precision];
}

/** The share of trained parameters that are matrices of layers: neither the ends of the model, nor norms or biases. */
function matrixShare(problem: StatesProblem): number {
  const { shape, lora } = problem;
  const all = trainedParameters(problem);
  return lora ? 1 - lora.ends.parameters / all : layersParameters(shape) / all;
}

/** The share of trained parameters that are the embedding's; of adapters, those that stand for it. */
function embeddingShare(problem: StatesProblem): number {
  const { shape, lora } = problem;
  const own = lora ? lora.ends.parameters : shape.vocab_size * shape.hidden_size;
  return own / trainedParameters(problem);
}

function trainedParameters({ shape, lora }: StatesProblem): number {
  return lora ? lora.parameters : shape.parameters;
}
