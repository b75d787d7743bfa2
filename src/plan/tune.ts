import type { Spec } from "../language/language.js";
import type { Origins } from "../semantics/report.js";
import { bandOf } from "./band.js";
import { type Changes, changesText, countOfChanges } from "./changes.js";
import { diskPlan } from "./disk.js";
import { finishPlan } from "./finish.js";
import { type Levers, leversThatFit } from "./levers.js";
import type { FinishPlan } from "./plan.js";
import { asGood } from "./robust.js";
import { sampledOver } from "./sample.js";
import { searchPlan } from "./search.js";
import {
  changesTo,
  coreSettings,
  type OpenValue,
  openValues,
  type Setting,
  settingOf,
  specUnder,
  withValue,
} from "./settings.js";
import { settle, settledAt, speedOf, TRIED_BATCHES } from "./settle.js";
import { type PlanInputs, type Setup, setUp } from "./setup.js";
import { stepsOf } from "./step-count.js";
import { type Trial, tryOut } from "./try-out.js";

/** A setting, and what it comes to. */
export interface TunedSetting {
  readonly setting: Setting;
  /** Whether the spec has it as it is. */
  readonly current: boolean;
  /** Whether it is the one to take. */
  readonly chosen: boolean;
  /** Whether every sequence fits; then with figures, else with what is in the way. */
  readonly trial: Trial;
  /** When a run under it is done; `null` where it does not fit. */
  readonly finish: FinishPlan | null;
  /** What the spec must say otherwise. */
  readonly changes: Changes;
  /** Whether it trains what the spec trains, as precisely; adapters where the spec asks for some. */
  readonly same: boolean;
}

/** What `tune` found. */
export interface Tuned {
  /**
   * Those that fit by predicted tokens per second, fastest first; after them those that round more than the spec does;
   * then those that do not fit, nearest first.
   */
  readonly settings: readonly TunedSetting[];
  /** How many were tried: of what the spec leaves open, only values that gain something are listed. */
  readonly tried: number;
  /** Global batches that every setting was tried on. */
  readonly batches: number;
  /** Share by which two predictions may differ without being told apart. */
  readonly relativeBand: number;
  /** The spec on half its machines, where they can be halved and that fits. */
  readonly fewer: { readonly changes: Changes; readonly finish: FinishPlan } | undefined;
  /** Where no setting fits, what would. */
  readonly levers: Levers | undefined;
}

/** What a value of an open lever must gain to be listed. */
const GAIN = 1.001;
/** Settings, the fastest of the core, that get what helps by more than memory. */
const LEADING = 16;
/** Settings that what the spec leaves open is tried on in combination. */
const COMBINED = 4;
/** Settings whose schedules are searched for as long as the plan's are, besides the spec's own. */
const SEARCHED = 3;

/**
 * Tries degrees, stages, recomputation and buckets, and of what the spec leaves open offload, kernels, the precision of
 * gradients and the rank of adapters. Settings that a rank's or a node's memory does not hold are refused.
 */
export function tune(spec: Spec, origins: Origins, inputs: PlanInputs): Tuned {
  const tuner = new Tuner(spec, origins, inputs);
  const tried = tuner.tried();
  const listed = tuner.searched(withoutUseless(tried, spec).sort(inOrder));
  const chosen = choiceOf(listed, spec);
  const settings = listed.sort(inOrder).map((one) => ({ ...one, chosen: one === chosen }));
  const ranks = spec.cluster.nodes * spec.cluster.gpus;
  const result = {
    ...{ settings, tried: tried.length, relativeBand: bandOf(tuner.own).time },
    fewer: tuner.fewer(),
    batches: sampledOver(ranks, TRIED_BATCHES),
  };
  if (settings.some(({ trial }) => trial.fits)) return { ...result, levers: undefined };
  return { ...result, levers: leversThatFit(tuner.own) };
}

/** Tries settings of one spec. */
class Tuner {
  /** The spec as it is, with the degree that `context = auto` takes. */
  readonly own: Setup;
  readonly #core: readonly TunedSetting[];
  readonly #open: readonly OpenValue[];

  constructor(
    readonly spec: Spec,
    readonly origins: Origins,
    readonly inputs: PlanInputs,
  ) {
    this.#open = openValues(spec, origins, inputs);
    const core = coreSettings(spec, inputs.data.summary.longest, inputs).map((setting) =>
      this.#try(setting),
    );
    const context = degreeOf(core, spec);
    this.own = settledAt(context, spec, origins, inputs);
    this.#core = core.map((one) => ({
      ...one,
      current: countOfChanges(one.changes) === 0 && one.setting.context === context,
    }));
  }

  /** The core; every open value on all of it where it may help; and together on the fastest. */
  tried(): TunedSetting[] {
    const found = new Map(this.#core.map((one) => [JSON.stringify(one.setting), one]));
    this.#add(this.#pulled([...found.values()].sort(inOrder)), found);
    const fastest = [...found.values()].sort(inOrder).slice(0, COMBINED);
    this.#add(this.#pulled(fastest), found);
    return [...found.values()];
  }

  #add(settings: readonly Setting[], found: Map<string, TunedSetting>): void {
    for (const setting of settings) {
      const key = JSON.stringify(setting);
      if (!found.has(key)) found.set(key, this.#try(setting));
    }
  }

  /** Settings, the fastest first, with every open value that may help them. */
  #pulled(settings: readonly TunedSetting[]): readonly Setting[] {
    return settings.flatMap((one, n) =>
      this.#open
        .filter((value) => mayHelp(value, one, n))
        .flatMap((value) => withValue(one.setting, value, this.spec) ?? []),
    );
  }

  /** In planned mode the first ones and the spec's own again, with schedules searched for as the plan's are. */
  searched(settings: readonly TunedSetting[]): TunedSetting[] {
    const moves = searchPlan(this.spec).iterations;
    if (moves === 0) return [...settings];
    return settings.map((one, n) =>
      one.trial.fits && (n < SEARCHED || one.current)
        ? { ...this.#try(one.setting, moves), current: one.current }
        : one,
    );
  }

  /** The spec on half its nodes, or on half the GPUs of its one node. */
  fewer(): Tuned["fewer"] {
    const { cluster, parallel } = this.spec;
    const key = cluster.nodes > 1 ? "nodes" : "gpus";
    const half = cluster[key] / 2;
    const ranks = (cluster.nodes * cluster.gpus) / 2;
    const fixed = parallel.context !== "auto" && ranks % parallel.context !== 0;
    if (!Number.isInteger(half) || half < 1 || fixed || cluster.hosts.length > 0) return undefined;
    const halved = { ...this.spec, cluster: { ...cluster, [key]: half } };
    const setup = setUp(settle(halved, this.origins, this.inputs).spec, this.origins, this.inputs);
    const finish = finishOf(setup, tryOut(setup, TRIED_BATCHES));
    return finish && { changes: { cluster: { [key]: half } }, finish };
  }

  #try(setting: Setting, moves = 0): TunedSetting {
    const { spec, origins, inputs } = this;
    const setup = settledAt(setting.context, specUnder(setting, spec), origins, inputs);
    const trial = tryOut(setup, TRIED_BATCHES, moves);
    return {
      setting,
      current: false,
      chosen: false,
      trial,
      finish: finishOf(setup, trial) ?? null,
      changes: changesTo(setting, spec),
      same: setting.gradients === spec.train.gradients,
    };
  }
}

/** The degree that a spec has; of `context = auto`, as {@link settle} decides it. */
function degreeOf(core: readonly TunedSetting[], { parallel }: Spec): number {
  if (parallel.context !== "auto") return parallel.context;
  const own = core.filter(({ changes }) => countOfChanges(changes) === 0);
  const first = bestOf(own) ?? own.at(-1);
  return first?.setting.context ?? 1;
}

/** When a run of a setup is done; `undefined` where it does not fit. */
function finishOf(setup: Setup, trial: Trial): FinishPlan | undefined {
  if (!trial.fits) return undefined;
  const steps = stepsOf(setup);
  return finishPlan(setup, { ...trial, steps, disk: diskPlan(setup, steps) });
}

/** Memory helps where something does not fit, or where a step takes several micro-batches; the rest, the fastest. */
function mayHelp({ memoryOnly }: OpenValue, { trial }: TunedSetting, place: number): boolean {
  if (!trial.fits) return true;
  return memoryOnly ? trial.performance.micro_batches.worst > 1 : place < LEADING;
}

/** Leaves out open values that gain nothing over the same setting with the spec's own. */
function withoutUseless(tried: readonly TunedSetting[], spec: Spec): TunedSetting[] {
  const key = ({ setting: { context, zero, checkpointing, bucket } }: TunedSetting) =>
    JSON.stringify([context, zero, checkpointing, bucket]);
  const isCore = ({ setting }: TunedSetting) =>
    Object.entries(settingOf(spec, setting.context)).every(
      ([name, value]) => CORE.includes(name) || setting[name as keyof Setting] === value,
    );
  const core = new Map(tried.filter(isCore).map((one) => [key(one), speedOf(one.trial)]));
  return tried.filter(
    (one) =>
      isCore(one) ||
      one.setting.rank !== spec.lora.rank ||
      speedOf(one.trial) > GAIN * (core.get(key(one)) ?? 0),
  );
}

/** What differs between settings of the core. */
const CORE: readonly string[] = ["context", "zero", "checkpointing", "bucket"];

/** The fast before the slow, among settings that are alike in what comes first; the near before the far. */
function inOrder(a: TunedSetting, b: TunedSetting): number {
  return (
    Number(b.trial.fits) - Number(a.trial.fits) ||
    Number(b.same) - Number(a.same) ||
    speedOf(b.trial) - speedOf(a.trial) ||
    shortOf(a) - shortOf(b)
  );
}

/** Bytes by which a rank misses what it needs; none where it fits. */
const shortOf = ({ trial }: TunedSetting): number =>
  trial.fits ? 0 : Math.max(0, trial.needed_bytes - trial.available_bytes);

/**
 * The setting to take: of those that are as good as the fastest, whatever the machine's figures turn out to be, the one that
 * changes least, and of these the one with the most adapters. What trains otherwise only where nothing else fits; but where
 * the spec asks for adapters of no rank, it has to have one.
 */
function choiceOf(settings: readonly TunedSetting[], spec: Spec): TunedSetting | undefined {
  const fitting = degreesAsChosen(
    settings.filter(({ trial }) => trial.fits),
    spec,
  );
  const alike = fitting.filter(({ same }) => same);
  const ranked = alike.filter(({ setting: { rank } }) => rank > spec.lora.rank);
  const [candidates = []] = [ranked, alike, fitting].filter((some) => some.length > 0);
  const good = asGood(candidates.flatMap(performing), ({ performance }) => performance);
  return good
    .map(({ tuned }) => tuned)
    .sort(
      (a, b) =>
        countOfChanges(a.changes) - countOfChanges(b.changes) ||
        b.setting.rank - a.setting.rank ||
        speedOf(b.trial) - speedOf(a.trial),
    )[0];
}

/** A setting that fits, with its performance. */
const performing = (tuned: TunedSetting) =>
  tuned.trial.fits ? [{ tuned, performance: tuned.trial.performance }] : [];

/** Of settings that fit and are as good, that of the smallest degree, as `context = auto` is decided. */
const bestOf = (settings: readonly TunedSetting[]): TunedSetting | undefined =>
  asGood(
    settings.flatMap(performing).sort((a, b) => a.tuned.setting.context - b.tuned.setting.context),
    ({ performance }) => performance,
  )[0]?.tuned;

/** Under `context = auto` a setting has the degree that would be chosen with it. */
function degreesAsChosen(fitting: readonly TunedSetting[], { parallel }: Spec): TunedSetting[] {
  if (parallel.context !== "auto") return [...fitting];
  const alike = new Map<string, TunedSetting[]>();
  for (const one of fitting) {
    const key = changesText(one.changes);
    alike.set(key, [...(alike.get(key) ?? []), one]);
  }
  return [...alike.values()].flatMap((settings) => bestOf(settings) ?? []);
}
