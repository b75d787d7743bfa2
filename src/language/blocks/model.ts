import {
  ATTENTION_WORDS,
  CHECKPOINTING_WORDS,
  FUSED_KERNELS_WORDS,
  PRECISION_WORDS,
  WEIGHTS_WORDS,
} from "../../foundation/vocabularies.generated.js";
import { copiedPath, integer, oneOf, path, tokens, upTo } from "../kinds.js";
import type { Block } from "../types.js";
import { ropeScaling } from "./rope-scaling.js";

export const model = {
  doc: "The model to train.",
  since: 1,
  required: "Its dimensions decide memory and cost.",
  label:
    'A name from the catalogue (`docs/reference/catalogue.md`), such as "Qwen/Qwen2.5-0.5B"; or, with `config`, any name on the hub, which then provides the pretrained weights; or leave it out and set `config`.',
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
    vocabulary: {
      type: oneOf("model", "tokenizer"),
      doc: "Whose tokens the model has rows for. With `tokenizer`, tokens that the tokenizer has beyond the model's vocabulary get rows in the embedding and the output head, each the mean of all rows that there were; with adapters, these rows are trained too, unless `modules_to_save` trains all of them.",
      since: 1,
      default: "model",
    },
    vocabulary_multiple: {
      type: integer(upTo(65536, 1)),
      doc: "A vocabulary that is made larger is padded to a multiple of this.",
      since: 1,
      default: 1,
    },
    precision: {
      type: oneOf(...PRECISION_WORDS),
      doc: "Number format of weights and activations.",
      since: 1,
      default: "bf16",
    },
    checkpointing: {
      type: oneOf("auto", ...CHECKPOINTING_WORDS),
      doc: "What is recomputed in the backward pass: nothing (`none`), every layer's MLP (`selective`), every layer but its attention (`attention`), or every layer (`full`). `offload` recomputes every layer too, and keeps what that needs, the layers' inputs, in the host's memory: for very long sequences on GPUs. `auto` recomputes in every micro-batch as little as its memory allows: nothing, MLPs, all but attention, or whole layers; `plan` says for how many each of them holds.",
      since: 1,
      default: "selective",
    },
    tiled_mlp: {
      type: { ...tokens, words: ["off", "auto"] },
      doc: "Tokens that an MLP processes at a time, so that what it computes of a whole micro-batch never exists at once: forward and backward go tile by tile, and the backward computes each tile again, instead of what `checkpointing` would recompute of the MLP. `auto` takes tiles of as many tokens as the model is wide. Micro-batches of fewer tokens are not tiled. Models with experts are refused.",
      since: 1,
      default: "off",
    },
    rope_scaling: {
      type: { kind: "tagged", variants: ropeScaling },
      doc: "Rotary embeddings for more positions than the model was made for, instead of what its configuration says. `linear` divides every position by the factor, `dynamic` raises the base frequency by each sequence's own length, `yarn` and `llama3` stretch low frequencies only.",
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
