import type { Offload, Reduction, ZeroStage } from "../cost/memory.js";
import type { Checkpointing } from "../cost/shape.js";
import { CHECKPOINTING_WORDS } from "../foundation/vocabularies.generated.js";
import type { Spec } from "../language/language.js";
import { OFFLOAD_FROM } from "../language/offload.js";
import type { Origins } from "../semantics/report.js";
import { contextsOf } from "./contexts.js";
import { type Levers, leversThatFit } from "./levers.js";
import { sampledOver } from "./sample.js";
import { type PlanInputs, type SettledSpec, setUp } from "./setup.js";
import { type Trial, tryOut } from "./try-out.js";

/** What `tune` may change. */
export interface Setting {
  readonly context: number;
  readonly zero: ZeroStage;
  readonly checkpointing: Checkpointing;
  /** Bucket size C that the spec asks for; `null` for the largest that fits. */
  readonly bucket: number | null;
  readonly offload: Offload;
}

export interface TunedSetting extends Setting {
  /** Whether the spec has it as it is. */
  readonly current: boolean;
  /** Whether every sequence fits; then with figures, else with what is in the way. */
  readonly trial: Trial;
}

const STAGES: readonly ZeroStage[] = [0, 1, 2, 3];
const OFFLOADS: readonly Offload[] = ["none", "optimizer", "all"];
/** Global batches that every setting is tried on, but for very many ranks. */
export const TRIED_BATCHES = 8;

/** What `tune` found. */
export interface Tuned {
  /** Those that fit by predicted tokens per second, fastest first; then those that do not, nearest first. */
  readonly settings: readonly TunedSetting[];
  /** Global batches that every setting was tried on. */
  readonly batches: number;
  /** Where no setting fits, what would. */
  readonly levers: Levers | undefined;
}

/**
 * Tries all settings under the spec's own offload; where none fits, under more of it too. Offload comes last because
 * its time is not predicted.
 */
export function tune(spec: Spec, origins: Origins, inputs: PlanInputs): Tuned {
  const batches = sampledOver(spec.cluster.nodes * spec.cluster.gpus, TRIED_BATCHES);
  const longest = inputs.data.summary.longest;
  const own = settingsOf(spec, [spec.memory.offload], longest);
  let tried = own.map((setting) => tryTuned(setting, spec, origins, inputs));
  if (!tried.some(({ trial }) => trial.fits)) {
    const more = settingsOf(spec, moreOffload(spec, inputs), longest);
    tried = [...tried, ...more.map((setting) => tryTuned(setting, spec, origins, inputs))];
  }
  tried.sort((a, b) => speedOf(b) - speedOf(a) || shortOf(a) - shortOf(b));
  // With `context = auto` all its degrees are the spec's, of which it takes the fastest.
  const current = tried.find((setting) => setting.current);
  const settings = tried.map((setting) => ({ ...setting, current: setting === current }));
  if (settings.some(({ trial }) => trial.fits)) return { settings, batches, levers: undefined };
  const setup = setUp(settle(spec, origins, inputs).spec, origins, inputs);
  return { settings, batches, levers: leversThatFit(setup) };
}

/** @param longest tokens, of which a wider group would have less than one a rank */
function settingsOf(spec: Spec, offloads: readonly Offload[], longest: number): readonly Setting[] {
  const buckets = spec.memory.bucket === undefined ? [null] : [spec.memory.bucket, null];
  const settings: Setting[] = [];
  for (const offload of offloads) {
    for (const context of contextsOf(spec, longest)) {
      for (const zero of STAGES.filter((stage) => stage >= OFFLOAD_FROM[offload])) {
        for (const checkpointing of CHECKPOINTING_WORDS) {
          for (const bucket of buckets)
            settings.push({ context, zero, checkpointing, bucket, offload });
        }
      }
    }
  }
  return settings;
}

/** On CPU there is nowhere else to keep anything. */
function moreOffload({ memory }: Spec, { gpu }: PlanInputs): readonly Offload[] {
  if (gpu.device === "cpu") return [];
  return OFFLOADS.slice(OFFLOADS.indexOf(memory.offload) + 1);
}

function tryTuned(
  setting: Setting,
  spec: Spec,
  origins: Origins,
  inputs: PlanInputs,
): TunedSetting {
  const current = isCurrent(setting, spec);
  return { ...setting, current, trial: trySetting(setting, spec, origins, inputs) };
}

/** Bytes by which a rank misses what it needs; none where it fits. */
const shortOf = ({ trial }: TunedSetting): number =>
  trial.fits ? 0 : Math.max(0, trial.needed_bytes - trial.available_bytes);

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
  const { bucket = null, offload } = spec.memory;
  const rest = { zero: zero as ZeroStage, checkpointing, bucket, offload };
  const degrees = contextsOf(spec, inputs.data.summary.longest);
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

function isCurrent(setting: Setting, { parallel, model, memory }: Spec): boolean {
  return (
    (parallel.context === "auto" || setting.context === parallel.context) &&
    setting.zero === parallel.zero &&
    setting.checkpointing === model.checkpointing &&
    setting.bucket === (memory.bucket ?? null) &&
    setting.offload === memory.offload
  );
}

function trySetting(setting: Setting, spec: Spec, origins: Origins, inputs: PlanInputs): Trial {
  const { context, zero, checkpointing, bucket, offload } = setting;
  const changed: Spec = {
    ...spec,
    model: { ...spec.model, checkpointing },
    memory: { ...spec.memory, bucket: bucket ?? undefined, offload },
  };
  const parallel = { ...spec.parallel, context, zero };
  const settled = withReduction(parallel, changed, origins, inputs);
  return tryOut(setUp(settled, origins, inputs), TRIED_BATCHES);
}

const speedOf = ({ trial }: Pick<TunedSetting, "trial">): number =>
  trial.fits ? trial.tokens_per_second : 0;
