import type { Precision } from "../cost/shape.js";

/** Figures of a GPU as a spec states them: bytes, FLOP/s and bytes per second. */
export interface StatedGpu {
  readonly memory: number;
  readonly peak_bf16: number;
  readonly peak_fp32: number | undefined;
  readonly bandwidth: number;
  readonly link: number;
}

/** A kind of GPU: figures with sources, and assumptions that a measured profile replaces. */
export interface Gpu {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  /** What a spec says of a GPU of its own; absent for one of the catalogue. */
  readonly stated?: StatedGpu;
  readonly device: "cuda" | "cpu";
  readonly memory_bytes: number;
  /** Dense peak per second; `null` where there is no such arithmetic. */
  readonly peak_flops: { readonly bf16: number | null; readonly fp32: number };
  /** Of its memory, bytes per second; `null` where it is part of the efficiency. */
  readonly memory_bandwidth: number | null;
  /** To and from the host's memory, pinned, bytes per second each way; `null` on CPU. */
  readonly host_link: number | null;
  /** Parameters per second that the processors of its node step with Adam, for all ranks together; `null` on CPU. */
  readonly host_adam_parameters: number | null;
  /** Share of the peak that large matrix products reach by themselves. */
  readonly matmul_efficiency: number;
  /** The same of attention to long sequences, forward and backward, by kernel. */
  readonly attention_efficiency: { readonly flash2: number; readonly flash3?: number };
  /** Where figures come from, or that they are assumed. */
  readonly sources: Readonly<Record<string, string>>;
  readonly collectives: {
    /** Ranks that the times were measured on. */
    readonly ranks: number;
    readonly source: string;
    readonly megabytes: readonly number[];
    readonly all_gather_us: readonly number[];
    readonly reduce_scatter_us: readonly number[];
    readonly all_to_all_us?: readonly number[];
  };
}

/** A GPU's peak in a precision that it has: the checker refuses others. */
export function peakOf({ title, peak_flops }: Gpu, precision: Precision): number {
  const peak = peak_flops[precision];
  if (peak === null) throw new Error(`${title} has no ${precision}`);
  return peak;
}

/** What a rank may use where no budget is set. On CPU the ranks of a node share its memory, if that is known. */
export const memoryOfRank = (
  { device, memory_bytes: own }: Gpu,
  {
    gpus: ranks,
    host_memory: node,
  }: { readonly gpus: number; readonly host_memory: number | undefined },
): number => (device === "cpu" && node !== undefined ? Math.floor(node / ranks) : own);
