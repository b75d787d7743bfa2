import { type Gpu, peakOf, type StatedGpu } from "../catalogue/gpu.js";
import type { Profile } from "../catalogue/profile.js";
import type { Hardware } from "../cost/hardware.js";
import { CONSTANT_VALUES, MACHINE_CONSTANTS } from "../cost/machine-constants.js";
import { type Checkpointing, type Precision, recomputesAttention } from "../cost/shape.js";
import type { Attention } from "../foundation/vocabularies.generated.js";

/** Where the plan's figures of the machine come from. */
export interface HardwarePlan {
  /** The profile's name, `null` without one. */
  readonly profile: string | null;
  /** Figures taken from the profile; the others are the catalogue's, or follow from the spec's own GPU. */
  readonly measured: readonly string[];
  /** Figures that published runs are fitted to, and that nobody measured, where no profile replaces them. */
  readonly fitted: readonly string[];
  readonly assumed: readonly string[];
  /** The spec's own GPU that the figures follow from; `null` for one of the catalogue. */
  readonly stated: StatedGpu | null;
  readonly figures: Hardware;
}

const FIGURES = [
  "matmul_flops",
  "head_flops",
  "attention_flops",
  "small_shard_tokens",
  "elementwise_bytes_per_second",
  "micro_batch_us",
  "micro_batch_least_us",
  "step_us",
  "zero_included",
  "zero_overlap",
  "memory_bandwidth",
  "host_link",
  "host_adam_parameters",
  "network_bytes_per_second",
  "crossing_factor",
  "activation_factor",
  "collectives",
] as const satisfies readonly (keyof Profile & keyof Hardware)[];

/**
 * How much longer attention takes where its backward adds up in the same order every time: five sevenths of its work, at
 * 37.9% less throughput, FlashAttention-3's worst on an H800 (arXiv:2601.21824).
 */
const ORDERED_ATTENTION = (2 + 5 / (1 - 0.379)) / 7;

/** Forwards that a pass both ways counts as: with the backward as two, and as two and a half. */
const COUNTED = 3;
const COMPUTED = 3.5;
const WIDE_HEAD = 128;
const NARROW_HEADS = 0.88;
/** Assumed for runs like the quickstart. */
const CPU_MICRO_BATCH_US = 20_000;

/** What decides how fast a GPU's kernels are. */
export interface KernelSetting {
  readonly precision: Precision;
  /** Attention kernel; `auto` is taken for FlashAttention-2, which every GPU has. */
  readonly kernel: Attention;
  readonly checkpointing: Checkpointing;
  /** Width of a head. */
  readonly headWidth: number;
  /** Whether attention adds up in the same order every time: see {@link ORDERED_ATTENTION}. */
  readonly deterministic: boolean;
}

/** The catalogue's figures of a GPU, and over them what a profile measured, which is left as it is. */
export function hardwareOf(
  gpu: Gpu,
  profile: Profile | undefined,
  kind: KernelSetting,
): HardwarePlan {
  const { source: _, ...table } = gpu.collectives;
  const constants = CONSTANT_VALUES;
  const peak = peakOf(gpu, kind.precision);
  const cuda = gpu.device === "cuda";
  const matmul = peak * gpu.matmul_efficiency * (cuda ? constants.matmul_in_training : 1);
  const bandwidth = gpu.memory_bandwidth;
  const assumed: Hardware = {
    matmul_flops: matmul,
    head_flops: profile?.matmul_flops ?? matmul,
    attention_flops: peak * attentionShare(gpu, kind),
    small_shard_tokens: cuda ? constants.attention_half_tokens : 0,
    elementwise_bytes_per_second:
      bandwidth === null || profile?.matmul_flops !== undefined
        ? null
        : bandwidth / constants.elementwise,
    micro_batch_us: cuda ? null : CPU_MICRO_BATCH_US,
    micro_batch_least_us: null,
    step_us: cuda ? null : 0,
    memory_bandwidth: bandwidth,
    host_link: gpu.host_link,
    host_adam_parameters: gpu.host_adam_parameters,
    network_bytes_per_second: null,
    crossing_factor: null,
    zero_included: null,
    zero_overlap: null,
    activation_factor: 1,
    collectives: [{ ...table, nodes: 1 }],
    constants,
  };
  const measured = FIGURES.filter((name) => profile?.[name] !== undefined);
  const figures = Object.fromEntries(measured.map((name) => [name, profile?.[name]]));
  const stated = gpu.stated ?? null;
  return {
    profile: profile?.name ?? null,
    measured,
    ...provenance(gpu, profile),
    stated,
    figures: { ...assumed, ...figures },
  };
}

/** Figures of a GPU that a profile makes unnecessary, by any of the profile's own. */
const REPLACED: Readonly<Record<string, readonly (keyof Profile)[]>> = {
  matmul_efficiency: ["matmul_flops"],
  memory_bandwidth: ["matmul_flops", "memory_bandwidth"],
  matmul_in_training: ["matmul_flops"],
  elementwise: ["matmul_flops"],
  attention_efficiency: ["attention_flops"],
  attention_in_training: ["attention_flops"],
  hopper_attention_in_training: ["attention_flops"],
  zero3_layer_us: ["micro_batch_us"],
  adapter_factor: ["micro_batch_us"],
  zero_overlap: ["micro_batch_us", "zero_overlap"],
  host_link: ["host_link"],
  host_adam_parameters: ["host_adam_parameters"],
  step_us: ["step_us"],
};

/** Which figures are fitted and which assumed. */
function provenance(gpu: Gpu, profile: Profile | undefined) {
  const open = (name: string) => !REPLACED[name]?.some((by) => profile?.[by] !== undefined);
  const of = (wanted: string) =>
    Object.entries(MACHINE_CONSTANTS).flatMap(([name, { from }]) =>
      from === wanted ? [name] : [],
    );
  const guessed = Object.entries(gpu.sources).flatMap(([name, source]) =>
    source.startsWith("assumed") ? [name] : [],
  );
  return {
    fitted: (gpu.device === "cuda" ? of("fitted") : []).filter(open),
    assumed: [...guessed, ...(gpu.device === "cuda" ? of("assumed") : [])].filter(open),
  };
}

/**
 * Share of the peak that attention reaches in training. Work counts a backward as two forwards, which FlashAttention's
 * figures count as two and a half. Narrow heads reach less: 171 of 189 TFLOP/s on an A100, 284 of 328 on an H100
 * (arXiv:2307.08691 Fig. 4 and 7).
 */
function attentionShare(gpu: Gpu, kind: KernelSetting): number {
  const { kernel, headWidth, checkpointing, deterministic } = kind;
  const { flash2, flash3 } = gpu.attention_efficiency;
  if (gpu.device === "cpu") return flash2;
  const own = kernel === "flash3" ? (flash3 ?? flash2) : flash2;
  const narrow = headWidth < WIDE_HEAD ? NARROW_HEADS : 1;
  const hopper = flash3 !== undefined && own === flash2;
  const reached = hopper
    ? CONSTANT_VALUES.hopper_attention_in_training
    : CONSTANT_VALUES.attention_in_training;
  const again = recomputesAttention(checkpointing) ? 1 : 0;
  const share = own * narrow * ((COUNTED + again) / (COMPUTED + again)) * reached;
  return deterministic ? share / ORDERED_ATTENTION : share;
}
