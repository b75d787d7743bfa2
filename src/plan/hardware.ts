import { type Gpu, peakOf, type StatedGpu } from "../catalogue/gpu.js";
import type { Profile } from "../catalogue/profile.js";
import type { Hardware } from "../cost/hardware.js";
import type { Precision } from "../cost/shape.js";

/** Where the plan's figures of the machine come from. */
export interface HardwarePlan {
  /** The profile's name, `null` without one. */
  readonly profile: string | null;
  /** Figures taken from the profile; the others are the catalogue's, or follow from the spec's own GPU. */
  readonly measured: readonly string[];
  /** The spec's own GPU that the figures follow from; `null` for one of the catalogue. */
  readonly stated: StatedGpu | null;
  readonly figures: Hardware;
}

const FIGURES = [
  "matmul_flops",
  "head_flops",
  "attention_flops",
  "small_shard_tokens",
  "micro_batch_us",
  "step_us",
  "zero_included",
  "activation_factor",
  "collectives",
] as const satisfies readonly (keyof Profile & keyof Hardware)[];

/**
 * How much longer attention takes where its backward adds up in the same order every time: five sevenths of its work, at
 * 37.9% less throughput, FlashAttention-3's worst on an H800 (arXiv:2601.21824).
 */
const ORDERED_ATTENTION = (2 + 5 / (1 - 0.379)) / 7;

/**
 * The catalogue's figures of a GPU, and over them what a profile measured. `deterministic`: see {@link ORDERED_ATTENTION};
 * what was measured is left as it is.
 */
export function hardwareOf(
  gpu: Gpu,
  precision: Precision,
  profile: Profile | undefined,
  deterministic: boolean,
): HardwarePlan {
  const { crossing_factor, source: _, ...table } = gpu.collectives;
  const reached = peakOf(gpu, precision) * gpu.efficiency;
  const assumed: Hardware = {
    matmul_flops: reached,
    head_flops: profile?.matmul_flops ?? reached,
    attention_flops: deterministic && gpu.device === "cuda" ? reached / ORDERED_ATTENTION : reached,
    small_shard_tokens: gpu.small_shard_tokens,
    micro_batch_us: gpu.micro_batch_us,
    step_us: 0,
    zero_included: null,
    activation_factor: 1,
    collectives: [{ ...table, nodes: 1 }],
    crossing_factor,
  };
  const measured = FIGURES.filter((name) => profile?.[name] !== undefined);
  const figures = Object.fromEntries(measured.map((name) => [name, profile?.[name]]));
  const stated = gpu.stated ?? null;
  return { profile: profile?.name ?? null, measured, stated, figures: { ...assumed, ...figures } };
}
