import { bytes, oneOf, tokens } from "../kinds.js";
import type { Block } from "../types.js";

export const memory = {
  doc: "Memory of one GPU (of one rank on CPU).",
  since: 1,
  properties: {
    budget: {
      type: bytes,
      doc: "What the run may use.",
      since: 1,
      optional: "the GPU's memory; on CPU a rank's share of `host_memory`, or else 8 GB",
    },
    reserve: {
      type: bytes,
      doc: "Subtracted from the budget for fragmentation and the CUDA context.",
      since: 1,
      default: 2 * 1024 ** 3,
    },
    bucket: {
      type: tokens,
      doc: "Bucket size C, the tokens of one micro-batch on a rank, instead of the largest that fits.",
      since: 1,
      optional: "the largest that fits",
    },
    offload: {
      type: oneOf("none", "optimizer", "all"),
      doc: "What is kept in the host's memory: nothing, the optimizer's states and its step (ZeRO 1 to 3), or the weights too (ZeRO 3).",
      since: 1,
      default: "none",
    },
  },
} as const satisfies Block;
