import { aboveZero } from "../kinds.js";
import type { Block } from "../types.js";

const rate = {
  kind: "quantity",
  dimension: "compute",
  range: { min: 1e9, max: 1e18 },
} as const;
const perSecond = {
  kind: "quantity",
  dimension: "bandwidth",
  range: { min: 1e6, max: 1e15 },
} as const;

export const gpuModel = {
  doc: "A GPU that the catalogue lacks, described from its data sheet: `gpu_model NAME { ... }`, used by `cluster { gpu = NAME }`. Everything else is assumed to be as in the catalogue's H100 SXM: collectives are slower than its measured ones in proportion as `link` is below 900 GB/s; 45% of the peak is reached, and proportionally less if the GPU has more arithmetic per byte of `bandwidth` than the H100's 295 FLOP. A measured profile replaces all of this.",
  since: 1,
  chosenBy: "cluster.gpu",
  properties: {
    memory: {
      type: { kind: "quantity", dimension: "bytes", range: { ...aboveZero, max: 2 ** 50 } },
      doc: "Memory of one GPU, as `nvidia-smi` reports it.",
      since: 1,
      required: "It decides what fits.",
    },
    peak_bf16: {
      type: rate,
      doc: "Dense peak of matrix products in bf16; data sheets often quote twice as much, with sparsity.",
      since: 1,
      required: "The time of a step follows from it.",
    },
    peak_fp32: {
      type: rate,
      doc: "Dense peak of matrix products in fp32 (TF32 where the GPU has it).",
      since: 1,
      optional: "half of `peak_bf16`",
    },
    bandwidth: {
      type: perSecond,
      doc: "Memory bandwidth.",
      since: 1,
      required: "How much of the peak is reached follows from it.",
    },
    link: {
      type: perSecond,
      doc: "Bandwidth between the GPUs of a node, per GPU and in both directions together, as data sheets quote it: 900 GB/s for NVLink 4, 128 GB/s for PCIe 5.0 x16, 64 GB/s for PCIe 4.0 x16. Between nodes, the cluster's `network` applies.",
      since: 1,
      required: "The time of collectives follows from it.",
    },
  },
} as const satisfies Block;
