import { GPUS } from "./data.generated.js";
import type { Gpu, StatedGpu } from "./gpu.js";
import { gpuByName } from "./names.js";

/** The catalogue's GPU whose collectives were measured: what it assumes besides holds for a GPU of one's own. */
const REFERENCE = {
  name: "h100_sxm_80gb",
  /** Of its data sheet: NVLink in both directions, and HBM3. */
  link: 900e9,
  bandwidth: 3.35e12,
} as const;

/** The GPU of a spec: its own, or one of the catalogue. `undefined` where the name is neither's. */
export function gpuOf(spec: {
  readonly cluster: { readonly gpu: string };
  readonly gpu_model: StatedGpu | undefined;
}): Gpu | undefined {
  const { gpu: name } = spec.cluster;
  return spec.gpu_model ? ownGpu(name, spec.gpu_model) : gpuByName(name);
}

/**
 * A GPU from its data sheet. Collectives take as much longer than the H100's as its link is slower. It reaches the
 * share of its peak that the catalogue assumes for the H100, and less in proportion where it has more arithmetic for
 * every byte of its memory's bandwidth than the H100 has. Everything else is assumed as for the H100.
 */
function ownGpu(name: string, stated: StatedGpu): Gpu {
  const reference = GPUS[REFERENCE.name] as Gpu;
  const bf16 = stated.peak_bf16;
  const slower = REFERENCE.link / stated.link;
  const { collectives, peak_flops: peak } = reference;
  const times = (row: readonly number[]) => row.map((us) => us * slower);
  const { all_to_all_us: exchanges } = collectives;
  const balance = bf16 / stated.bandwidth;
  const balanceOfReference = (peak.bf16 ?? 0) / REFERENCE.bandwidth;
  return {
    ...reference,
    name,
    title: name,
    source: "the spec",
    stated,
    memory_bytes: stated.memory,
    peak_flops: { bf16, fp32: stated.peak_fp32 ?? bf16 / 2 },
    memory_bandwidth: stated.bandwidth,
    matmul_efficiency: reference.matmul_efficiency * Math.min(1, balanceOfReference / balance),
    sources: {
      memory_bandwidth: "the spec",
      host_link: "assumed as of the H100 SXM",
      host_adam_parameters: "assumed as of the H100 SXM",
      matmul_efficiency: "assumed: the H100 SXM's, less in proportion where memory is slower",
      attention_efficiency: "assumed as of the H100 SXM",
    },
    collectives: {
      ...collectives,
      source: `${collectives.source}, scaled to the stated link`,
      all_gather_us: times(collectives.all_gather_us),
      reduce_scatter_us: times(collectives.reduce_scatter_us),
      ...(exchanges ? { all_to_all_us: times(exchanges) } : {}),
    },
  };
}
