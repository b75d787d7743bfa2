import type { TransformerShape } from "../cost/shape.js";
import { ADAPTERS_RECOMPUTED, compareVersions, MUON } from "./deepspeed.js";
import type { SubjectWith } from "./subject.js";

/** Settings that are each sound and do not go together in some versions of what runs them. */
export interface Combination {
  /** Of the value to change. */
  readonly path: string;
  readonly holds: (subject: SubjectWith<"inputs">) => boolean;
  readonly what: (shape: TransformerShape) => string;
  readonly reason: string;
  /** Of which packages it is known. */
  readonly versions: string;
  /** Where it was reported or explained. */
  readonly thread: string;
  readonly help: string;
}

/** Kernels that take half precision only. */
const HALF_ONLY = ["flash3", "flash2", "varlen"];

export const COMBINATIONS: readonly Combination[] = [
  {
    path: "model.kernels",
    holds: ({ spec, inputs }) => spec.model.kernels === "liger" && inputs.gpu.device === "cpu",
    what: () => "Liger's kernels run on GPUs only",
    reason:
      "They are written in Triton, which has no driver for a CPU: the first forward would fail",
    versions: "liger-kernel 0.8",
    thread: "https://github.com/linkedin/Liger-Kernel#requirements-and-installation",
    help: "Leave kernels out.",
  },
  {
    path: "parallel.zero",
    holds: ({ spec }) =>
      spec.lora.rank > 0 &&
      spec.parallel.zero === 3 &&
      spec.model.checkpointing !== "none" &&
      spec.cluster.deepspeed !== undefined &&
      compareVersions(spec.cluster.deepspeed, ADAPTERS_RECOMPUTED) < 0,
    what: () => "adapters, ZeRO 3 and recomputation can fail together in the first backward",
    reason:
      "ZeRO 3 takes frozen weights away again while a layer is recomputed, and PyTorch finds empty tensors in their place",
    versions: `DeepSpeed before ${ADAPTERS_RECOMPUTED}`,
    thread: "https://github.com/huggingface/transformers/issues/47254",
    help: `Use DeepSpeed ${ADAPTERS_RECOMPUTED} or newer, zero = 2, or checkpointing = none.`,
  },
  {
    path: "train.optimizer",
    holds: ({ spec }) =>
      spec.train.optimizer.type === "muon" &&
      spec.cluster.deepspeed !== undefined &&
      compareVersions(spec.cluster.deepspeed, MUON) < 0,
    what: () => "this version of DeepSpeed trains something else with Muon",
    reason:
      "It orthogonalises the gradient of every micro-batch by itself, or that of none; the run refuses it",
    versions: `DeepSpeed before ${MUON}`,
    thread: "https://github.com/deepspeedai/DeepSpeed/issues/8443",
    help: `Use DeepSpeed ${MUON} or newer, or another optimizer.`,
  },
  {
    path: "model.attention",
    holds: ({ spec, inputs }) =>
      HALF_ONLY.includes(spec.model.attention) &&
      spec.model.precision === "fp32" &&
      inputs.gpu.device === "cuda",
    what: () => "FlashAttention has no kernels for fp32",
    reason:
      "Both flash-attn and PyTorch's varlen kernel, which builds on it, end the first forward",
    versions: "flash-attn 2 and 3, torch 2.11 to 2.15",
    thread: "https://github.com/QwenLM/Qwen3/issues/406",
    help: "Use precision = bf16, or attention = sdpa.",
  },
  {
    path: "model.attention",
    holds: ({ spec, inputs }) =>
      HALF_ONLY.includes(spec.model.attention) && inputs.dimensions.shape.head_dim > 256,
    what: ({ head_dim }) => `FlashAttention has no kernels for heads of ${head_dim}`,
    reason: "Its kernels keep a head's tile in shared memory, which ends at 256",
    versions: "flash-attn 2, torch 2.11 to 2.15",
    thread: "https://github.com/Dao-AILab/flash-attention/issues/579",
    help: "Use attention = sdpa.",
  },
  {
    path: "model.attention",
    holds: ({ spec, inputs }) =>
      HALF_ONLY.includes(spec.model.attention) && inputs.dimensions.shape.head_dim % 8 !== 0,
    what: ({ head_dim }) =>
      `FlashAttention takes no heads of ${head_dim}, which is no multiple of 8`,
    reason: "Its kernels load eight elements at a time",
    versions: "flash-attn 2",
    thread: "https://github.com/Dao-AILab/flash-attention/issues/28",
    help: "Use attention = sdpa.",
  },
];
