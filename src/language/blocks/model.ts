import {
  ATTENTION_WORDS,
  CHECKPOINTING_WORDS,
  FUSED_KERNELS_WORDS,
  PRECISION_WORDS,
  WEIGHTS_WORDS,
} from "../../foundation/vocabularies.generated.js";
import { copiedPath, oneOf, path } from "../kinds.js";
import type { Block } from "../types.js";
import { ropeScaling } from "./rope-scaling.js";

export const model = {
  doc: "The model to train.",
  since: 1,
  required: "Its dimensions decide memory and cost.",
  label:
    'A name from the catalogue, such as "Qwen/Qwen2.5-0.5B"; or, with `config`, any name on the hub, which then provides the pretrained weights; or leave it out and set `config`.',
  properties: {
    config: {
      type: copiedPath,
      doc: "A Hugging Face `config.json`: the dimensions of a model that the catalogue lacks. It overrides the catalogue.",
      since: 1,
      optional: "the catalogue's",
    },
    weights: {
      type: oneOf(...WEIGHTS_WORDS),
      doc: "Where the weights come from. `random` needs no download.",
      since: 1,
      default: "pretrained",
    },
    path: {
      type: path,
      doc: "Folder with the pretrained weights, below the spec's folder; without it, they come from the hub.",
      since: 1,
      optional: "the hub",
    },
    revision: {
      type: { kind: "string" },
      doc: "Revision of the weights on the hub.",
      since: 1,
      optional: "the newest",
    },
    precision: {
      type: oneOf(...PRECISION_WORDS),
      doc: "Number format of weights and activations.",
      since: 1,
      default: "bf16",
    },
    checkpointing: {
      type: oneOf(...CHECKPOINTING_WORDS),
      doc: "What is recomputed in the backward pass: nothing, every layer's MLP, every layer but its attention, or every layer.",
      since: 1,
      default: "selective",
    },
    rope_scaling: {
      type: { kind: "tagged", variants: ropeScaling },
      doc: "Rotary embeddings for more positions than the model was made for, instead of what its configuration says. The kinds `dynamic` and `longrope` cannot be trained with: they depend on a rank's longest position.",
      since: 1,
      optional: "as the configuration says",
    },
    attention: {
      type: oneOf(...ATTENTION_WORDS),
      doc: "Attention kernels: FlashAttention-3 (Hopper GPUs), FlashAttention-2, PyTorch's varlen kernel, or its SDPA. `auto` takes the first one available; on a GPU never SDPA, whose masks take memory quadratic in the length.",
      since: 1,
      default: "auto",
    },
    kernels: {
      type: oneOf(...FUSED_KERNELS_WORDS),
      doc: "Kernels for norms, rotary embeddings and gated MLPs: the model's own, or Liger's fused ones (package `liger-kernel`, GPUs only). The head and its loss are skrull's either way.",
      since: 1,
      default: "torch",
    },
    compile_norms: {
      type: { kind: "boolean" },
      doc: "Compile the model's norms with `torch.compile`: a few kernels fewer in every layer, at the cost of some seconds at the start.",
      since: 1,
      default: false,
    },
  },
} as const satisfies Block;
