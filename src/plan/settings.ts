import type { Offload, ZeroStage } from "../cost/memory.js";
import type { Precision } from "../cost/shape.js";
import {
  type Attention,
  CHECKPOINTING_WORDS,
  type FusedKernels,
} from "../foundation/vocabularies.generated.js";
import type { Spec } from "../language/language.js";
import { OFFLOAD_FROM } from "../language/offload.js";
import { optimizerContradiction } from "../language/optimizer-limits.js";
import type { Origins } from "../semantics/report.js";
import type { Changes } from "./changes.js";
import { contextsOf } from "./contexts.js";
import type { PlanInputs } from "./setup.js";

/** What `tune` may change. */
export interface Setting {
  readonly context: number;
  readonly zero: ZeroStage;
  readonly checkpointing: Spec["model"]["checkpointing"];
  /** Bucket size C that the spec asks for; `null` for the largest that fits. */
  readonly bucket: number | null;
  readonly offload: Offload;
  readonly kernels: FusedKernels;
  readonly attention: Attention;
  /** What gradients are added in. */
  readonly gradients: Precision;
  /** Rank of the adapters; 0 trains the whole model. */
  readonly rank: number;
}

/** A lever that is pulled only where the spec leaves it open, and a value of it other than the spec's. */
export interface OpenValue {
  readonly lever: "offload" | "kernels" | "attention" | "gradients" | "rank";
  readonly change: Partial<Setting>;
  /** Whether all that it may gain is memory: of no use where a step has one micro-batch already. */
  readonly memoryOnly: boolean;
}

const STAGES: readonly ZeroStage[] = [0, 1, 2, 3];
const OFFLOADS: readonly Offload[] = ["none", "optimizer", "all"];
const RANKS: readonly number[] = [8, 16, 32, 64];

/** Degrees, stages, recomputation and buckets, all else as the spec has it. */
export function coreSettings(
  spec: Spec,
  longest: number,
  { gpu, dimensions }: Pick<PlanInputs, "gpu" | "dimensions">,
): readonly Setting[] {
  // On CPU a rank has no other memory than the host's.
  const offloaded = gpu.device === "cuda";
  // What always does the same comes first, and is taken where nothing is gained otherwise.
  const modes = ([...CHECKPOINTING_WORDS, "auto"] as const).filter(
    (mode) => mode !== "offload" || offloaded,
  );
  const buckets = spec.memory.bucket === undefined ? [null] : [spec.memory.bucket, null];
  const settings: Setting[] = [];
  for (const context of contextsOf(spec, longest, dimensions.shape)) {
    for (const zero of STAGES.filter((stage) => stage >= OFFLOAD_FROM[spec.memory.offload])) {
      for (const checkpointing of modes) {
        for (const bucket of buckets)
          settings.push({ ...settingOf(spec, context), zero, checkpointing, bucket });
      }
    }
  }
  return settings.filter((setting) => isAllowed(setting, spec));
}

/** Whether the spec's optimizer runs under a setting. */
const isAllowed = (setting: Setting, spec: Spec): boolean =>
  optimizerContradiction(specUnder(setting, spec)) === undefined;

/** The spec's own setting at a degree. */
export function settingOf(
  { parallel, model, memory, train, lora }: Spec,
  context: number,
): Setting {
  return {
    context,
    zero: parallel.zero as ZeroStage,
    checkpointing: model.checkpointing,
    bucket: memory.bucket ?? null,
    offload: memory.offload,
    kernels: model.kernels,
    attention: model.attention,
    gradients: train.gradients,
    rank: lora.rank,
  };
}

/** Values of what the spec leaves open, but for those that its machines cannot run. */
export function openValues(
  spec: Spec,
  origins: Origins,
  { gpu }: PlanInputs,
): readonly OpenValue[] {
  const { model, memory } = spec;
  const onGpu = gpu.device === "cuda";
  const half = model.precision === "bf16";
  const offloads = OFFLOADS.slice(OFFLOADS.indexOf(memory.offload) + 1);
  const values: readonly (OpenValue | false)[] = [
    // The memory of several heads' sums depends on the kernel; what it is without them, on the one that is there.
    ...attentionsOf(gpu.name).map(
      (attention): OpenValue | false =>
        onGpu &&
        half &&
        spec.train.deterministic &&
        !origins.has("model.attention") && {
          lever: "attention",
          change: { attention },
          memoryOnly: true,
        },
    ),
    onGpu &&
      !origins.has("model.kernels") && {
        lever: "kernels",
        change: { kernels: "liger" },
        memoryOnly: false,
      },
    half &&
      !origins.has("train.gradients") && {
        lever: "gradients",
        change: { gradients: "bf16" },
        memoryOnly: false,
      },
    ...RANKS.map(
      (rank): OpenValue | false =>
        origins.has("lora") &&
        !origins.has("lora.rank") && { lever: "rank", change: { rank }, memoryOnly: false },
    ),
    ...offloads.map(
      (offload): OpenValue | false =>
        onGpu &&
        !origins.has("memory.offload") && {
          lever: "offload",
          change: { offload },
          memoryOnly: true,
        },
    ),
  ];
  return values.filter((value) => value !== false);
}

/** Kernels that can be asked for by name: FlashAttention-3 on Hopper only, SDPA never. */
const attentionsOf = (gpu: string): readonly Attention[] =>
  /^g?h(20|100|200)_/.test(gpu) ? ["flash3", "flash2", "varlen"] : ["flash2", "varlen"];

/** A setting with another value; `undefined` where its stage does not allow that. */
export function withValue(
  setting: Setting,
  { change }: OpenValue,
  spec: Spec,
): Setting | undefined {
  const changed = { ...setting, ...change };
  const possible = changed.zero >= OFFLOAD_FROM[changed.offload] && isAllowed(changed, spec);
  return possible ? changed : undefined;
}

/** A spec under a setting. What it says of reductions goes where the setting rules it out. */
export function specUnder(setting: Setting, spec: Spec): Spec {
  const { context, zero, checkpointing, bucket, offload, kernels, attention } = setting;
  const { gradients, rank } = setting;
  return {
    ...spec,
    model: { ...spec.model, checkpointing, kernels, attention },
    parallel: { ...spec.parallel, context, zero, reduction: reductionUnder(setting, spec) },
    memory: { ...spec.memory, bucket: bucket ?? undefined, offload },
    lora: { ...spec.lora, rank },
    train: { ...spec.train, gradients },
  };
}

const reductionUnder = (
  { zero, offload }: Setting,
  { parallel: { reduction } }: Spec,
): Spec["parallel"]["reduction"] =>
  reduction === "once" && (zero === 3 || (offload !== "none" && zero === 2))
    ? "every-micro-batch"
    : reduction;

/** What a spec must say otherwise to have a setting; a degree of `context = auto` is none of it. */
export function changesTo(setting: Setting, spec: Spec): Changes {
  const { parallel, memory, model, train, lora } = spec;
  const reduction = reductionUnder(setting, spec);
  const all = {
    model: [
      ["checkpointing", setting.checkpointing, model.checkpointing],
      ["attention", setting.attention, model.attention],
      ["kernels", setting.kernels, model.kernels],
    ],
    parallel: [
      ["context", parallel.context === "auto" ? "auto" : setting.context, parallel.context],
      ["zero", setting.zero, parallel.zero],
      ["reduction", reduction, parallel.reduction],
    ],
    memory: [
      ["bucket", setting.bucket, memory.bucket ?? null],
      ["offload", setting.offload, memory.offload],
    ],
    lora: [["rank", setting.rank, lora.rank]],
    train: [["gradients", setting.gradients, train.gradients]],
  } as const;
  const changed = Object.entries(all).map(([block, keys]) => {
    const other = keys.filter(([, value, before]) => value !== before);
    return [block, Object.fromEntries(other.map(([key, value]) => [key, value]))] as const;
  });
  return Object.fromEntries(changed.filter(([, keys]) => Object.keys(keys).length > 0));
}
