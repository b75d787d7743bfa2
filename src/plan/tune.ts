import type { Reduction, ZeroStage } from "../cost/memory.js";
import type { Checkpointing } from "../cost/shape.js";
import { divisors, isPowerOfTwo } from "../foundation/integers.js";
import type { Spec } from "../language/language.js";
import { OFFLOAD_FROM } from "../language/offload.js";
import type { Origins } from "../semantics/report.js";
import { type PlanInputs, type SettledSpec, setUp } from "./setup.js";
import { type Trial, tryOut } from "./try-out.js";

/** What `tune` may change. */
export interface Setting {
  readonly context: number;
  readonly zero: ZeroStage;
  readonly checkpointing: Checkpointing;
  /** Bucket size C that the spec asks for; `null` for the largest that fits. */
  readonly bucket: number | null;
}

export interface TunedSetting extends Setting {
  /** Whether the spec has it as it is. */
  readonly current: boolean;
  /** Whether every sequence fits; then with figures, else with what is in the way. */
  readonly trial: Trial;
}

const STAGES: readonly ZeroStage[] = [0, 1, 2, 3];
const CHECKPOINTING: readonly Checkpointing[] = ["none", "selective", "full"];
/** Global batches that every setting is tried on. */
const TRIED_BATCHES = 8;

/** All settings, those that fit by predicted tokens per second, fastest first; then those that do not fit. */
export function tune(spec: Spec, origins: Origins, inputs: PlanInputs): readonly TunedSetting[] {
  const buckets = spec.memory.bucket === undefined ? [null] : [spec.memory.bucket, null];
  const settings: Setting[] = [];
  for (const context of contexts(spec)) {
    for (const zero of STAGES.filter((stage) => stage >= OFFLOAD_FROM[spec.memory.offload])) {
      for (const checkpointing of CHECKPOINTING) {
        for (const bucket of buckets) settings.push({ context, zero, checkpointing, bucket });
      }
    }
  }
  const tried = settings.map((setting) => ({
    ...setting,
    current: isCurrent(setting, spec),
    trial: trySetting(setting, spec, origins, inputs),
  }));
  return tried.sort((a, b) => speedOf(b) - speedOf(a));
}

/** A spec with its degree decided, and why. */
export interface Settled {
  readonly spec: SettledSpec;
  /** Degrees of `context = auto` that fit, the fastest first; empty where the spec has a degree or none fits. */
  readonly choices: readonly DegreeChoice[];
}

export interface DegreeChoice {
  readonly context: number;
  readonly tokens_per_second: number;
}

/** The spec with `context = auto` replaced by the fastest degree that fits, all else as it is. */
export function settle(spec: Spec, origins: Origins, inputs: PlanInputs): Settled {
  const { context, zero } = spec.parallel;
  const settled = (degree: number): SettledSpec =>
    withReduction({ ...spec.parallel, context: degree }, spec, origins, inputs);
  if (context !== "auto") return { spec: settled(context), choices: [] };
  const { checkpointing } = spec.model;
  const rest = { zero: zero as ZeroStage, checkpointing, bucket: spec.memory.bucket ?? null };
  const degrees = contexts(spec);
  const choices = degrees.flatMap((degree) => {
    const trial = trySetting({ context: degree, ...rest }, spec, origins, inputs);
    return trial.fits ? [{ context: degree, tokens_per_second: trial.tokens_per_second }] : [];
  });
  choices.sort((a, b) => b.tokens_per_second - a.tokens_per_second);
  // Where none fits, the widest is nearest to it, and its diagnostics say what is in the way.
  const best = choices[0]?.context ?? degrees.at(-1) ?? 1;
  return { spec: settled(best), choices };
}

type Parallel = Spec["parallel"] & { readonly context: number };

/** `reduction = auto`: the faster of those that fit; each by predicted time. */
function withReduction(
  parallel: Parallel,
  spec: Spec,
  origins: Origins,
  inputs: PlanInputs,
): SettledSpec {
  const [first, ...others] = reductions(parallel, spec).map(
    (reduction): SettledSpec => ({ ...spec, parallel: { ...parallel, reduction } }),
  ) as [SettledSpec, ...SettledSpec[]];
  if (others.length === 0) return first;
  const speed = (candidate: SettledSpec) =>
    speedOf({ trial: tryOut(setUp(candidate, origins, inputs), TRIED_BATCHES) });
  let best = { spec: first, speed: speed(first) };
  for (const other of others) {
    const found = { spec: other, speed: speed(other) };
    if (found.speed > best.speed) best = found;
  }
  return best.spec;
}

/** What the stage leaves to choose: without a choice it is as the stage has it. */
function reductions(
  { zero, reduction }: Parallel,
  { cluster, memory }: Spec,
): readonly Reduction[] {
  if (zero !== 2 || memory.offload !== "none") return ["every-micro-batch"];
  if (reduction !== "auto") return [reduction];
  return cluster.nodes * cluster.gpus > 1 ? ["every-micro-batch", "once"] : ["every-micro-batch"];
}

/** Degrees that divide the ranks, and are powers of two where groups must be. */
export function contexts({ cluster, schedule }: Spec): readonly number[] {
  const degrees = divisors(cluster.nodes * cluster.gpus);
  const narrow = schedule.degrees === "local-or-all";
  return degrees.filter((degree) => narrow || isPowerOfTwo(degree));
}

function isCurrent(setting: Setting, { parallel, model, memory }: Spec): boolean {
  return (
    setting.context === parallel.context &&
    setting.zero === parallel.zero &&
    setting.checkpointing === model.checkpointing &&
    setting.bucket === (memory.bucket ?? null)
  );
}

function trySetting(setting: Setting, spec: Spec, origins: Origins, inputs: PlanInputs): Trial {
  const { context, zero, checkpointing, bucket } = setting;
  const { bucket: _, ...memory } = spec.memory;
  const changed: Spec = {
    ...spec,
    model: { ...spec.model, checkpointing },
    memory: bucket === null ? { ...memory, bucket: undefined } : { ...memory, bucket },
  };
  const parallel = { ...spec.parallel, context, zero };
  const settled = withReduction(parallel, changed, origins, inputs);
  return tryOut(setUp(settled, origins, inputs), TRIED_BATCHES);
}

const speedOf = ({ trial }: Pick<TunedSetting, "trial">): number =>
  trial.fits ? trial.tokens_per_second : 0;
