import {
  NON_FINITE_GRADIENTS_WORDS,
  type OptimizerKind,
  RESUME_WORDS,
} from "../../foundation/vocabularies.generated.js";
import { integer, number, oneOf, path, tokens, upTo } from "../kinds.js";
import type { Block } from "../types.js";
import { LEARNING_RATES } from "./learning-rates.generated.js";
import { adamw, adamw8bit, muon, sgd } from "./optimizers.js";

export const train = {
  doc: "The optimisation.",
  since: 1,
  required: "The optimizer has no default.",
  properties: {
    optimizer: {
      type: {
        kind: "tagged",
        variants: { adamw, adamw8bit, muon, sgd } satisfies Record<OptimizerKind, unknown>,
      },
      doc: "The optimizer and its settings: AdamW; AdamW of bitsandbytes, whose moments have 8 bits (2 bytes per parameter in place of 8; those of the embedding keep 32 bits, as with transformers' Trainer); Muon, which orthogonalises the update of every matrix of a layer and leaves the embedding, the output head, norms and biases to AdamW (ZeRO 1 to 3); or SGD.",
      since: 1,
      required: "There is no learning rate that suits every model.",
    },
    learning_rate: {
      type: {
        kind: "tagged",
        variants: LEARNING_RATES,
      },
      doc: "What the learning rate does after its warm-up: it stays constant, falls over the run, or stays and then falls.",
      since: 1,
      default: { type: "constant", warmup_steps: 0, warmup_ratio: undefined },
    },
    epochs: {
      type: integer(upTo(1e6, 1)),
      doc: "Passes over the data.",
      since: 1,
      optional: "1, unless `steps` is set",
    },
    steps: {
      type: integer(upTo(1e9, 1)),
      doc: "Optimizer steps, instead of epochs.",
      since: 1,
      optional: "from `epochs`",
    },
    seed: {
      type: integer(upTo(Number.MAX_SAFE_INTEGER)),
      doc: "Seed of the shuffle and of random weights.",
      since: 1,
      default: 17,
    },
    clip_norm: {
      type: number(upTo(1e9)),
      doc: "Gradients are clipped to this global norm; 0 disables clipping. Under `muon` nothing is clipped, whatever the default: DeepSpeed would clip the orthogonalised update.",
      since: 1,
      formerly: "clip",
      default: 1,
    },
    gradients: {
      type: oneOf("fp32", "bf16"),
      doc: "Precision in which a bf16 model accumulates gradients over micro-batches and ranks: `fp32` is as exact as one forward and backward pass over the whole global batch; `bf16` rounds after every micro-batch, and needs half the memory for whole gradients and half the communication. With `fp32`, ZeRO 1 without offloading runs as DeepSpeed's stage 2 with one reduction per step, which is equivalent: DeepSpeed's own stage 1 would all-reduce where a reduce is enough. A model in fp32 accumulates in fp32.",
      since: 1,
      default: "fp32",
    },
    non_finite_gradients: {
      type: oneOf(...NON_FINITE_GRADIENTS_WORDS),
      doc: "What happens in a step whose gradient contains an infinity or NaN: `stop` ends the run and names the micro-batch and its samples; `skip` changes nothing in that step, says so, and counts it in `skipped_steps` of the metrics. A loss that is not finite always ends the run.",
      since: 1,
      default: "stop",
    },
    deterministic: {
      type: { kind: "boolean" },
      doc: "Add up in the same order every time, so that a run repeats bit for bit on the same GPUs: with the attention kernels' deterministic backward and PyTorch's deterministic algorithms. This is slower, and the kernel needs more memory; the plan counts both, attention at the worst published slowdown. An operation without such an algorithm ends the run with an error that names it.",
      since: 1,
      default: false,
    },
    loss_chunk: {
      type: { ...tokens, range: { min: 1, max: 2 ** 20 } },
      doc: "Number of targets whose logits exist at a time: the output head and its cross-entropy process a micro-batch in chunks of this size.",
      since: 1,
      optional: "what 512 MiB of logits hold; 48 MiB on CPU",
    },
    resume: {
      type: oneOf(...RESUME_WORDS),
      doc: "What a restarted run does: `auto` resumes from its newest sound checkpoint, `never` starts over and sets the earlier output aside.",
      since: 1,
      default: "auto",
    },
    checkpoint_every: {
      type: integer(upTo(1e9)),
      doc: "Steps between checkpoints; 0 saves only at the end.",
      since: 1,
      default: 0,
    },
    keep_checkpoints: {
      type: integer(upTo(1e6, 1)),
      doc: "Checkpoints to keep.",
      since: 1,
      default: 2,
    },
    export: {
      type: { kind: "boolean" },
      doc: "Write the trained model as a Hugging Face folder at the end, `model` in the output folder; with adapters, only the adapters and the configuration of their base model.",
      since: 1,
      default: true,
    },
    log_every: {
      type: integer(upTo(1e9, 1)),
      doc: "Steps between printed lines; the metrics file has every step.",
      since: 1,
      default: 1,
    },
    output: {
      type: path,
      doc: "Folder for metrics and checkpoints, inside the run's folder.",
      since: 1,
      default: "output",
    },
  },
} as const satisfies Block;
