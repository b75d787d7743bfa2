import type { Reduction, ZeroStage } from "../cost/memory.js";
import type { Spec } from "../language/language.js";
import type { Origins } from "../semantics/report.js";
import { contextsOf } from "./contexts.js";
import { smallerBuckets } from "./recomputation.js";
import { asGood } from "./robust.js";
import { type PlanInputs, type SettledSpec, type Setup, setUp } from "./setup.js";
import { type Trial, tryOut } from "./try-out.js";

/** Global batches that every setting is tried on, but for very many ranks. */
export const TRIED_BATCHES = 8;

/** A spec with its degree decided, and why. */
export interface Settled {
  readonly spec: SettledSpec;
  /**
   * Degrees of `context = auto` that fit: the chosen one, then the fastest first; empty where the spec has a degree or none
   * fits.
   */
  readonly choices: readonly DegreeChoice[];
}

export interface DegreeChoice {
  readonly context: number;
  readonly tokens_per_second: number;
}

/**
 * The spec with `context = auto` replaced by a degree that fits, all else as it is: the fastest, and of those that are as
 * fast the smallest of those that lose least if figures of the machine are off.
 */
export function settle(spec: Spec, origins: Origins, inputs: PlanInputs): Settled {
  const { context } = spec.parallel;
  if (context !== "auto")
    return { spec: settledAt(context, spec, origins, inputs).spec, choices: [] };
  const degrees = contextsOf(spec, inputs.data.summary.longest, inputs.dimensions.shape);
  const tried = degrees.flatMap((degree) => {
    const trial = tryOut(settledAt(degree, spec, origins, inputs), TRIED_BATCHES);
    return trial.fits ? [{ context: degree, performance: trial.performance }] : [];
  });
  const [chosen] = asGood(tried, ({ performance }) => performance);
  const speed = ({ performance }: (typeof tried)[number]) => performance.tokens_per_second;
  tried.sort((a, b) => Number(b === chosen) - Number(a === chosen) || speed(b) - speed(a));
  const choices = tried.map((one) => ({ context: one.context, tokens_per_second: speed(one) }));
  // Where none fits, the widest is nearest to it, and its diagnostics say what is in the way.
  const best = choices[0]?.context ?? degrees.at(-1) ?? 1;
  return { spec: settledAt(best, spec, origins, inputs).spec, choices };
}

/** The setup of a spec at a degree, and `reduction = auto` decided: the faster of those that fit, by predicted time. */
export function settledAt(
  context: number,
  spec: Spec,
  origins: Origins,
  inputs: PlanInputs,
): Setup {
  const parallel = { ...spec.parallel, context, zero: spec.parallel.zero as ZeroStage };
  const [first, ...others] = reductions(spec).map((reduction) =>
    setUp({ ...spec, parallel: { ...parallel, reduction } }, origins, inputs),
  ) as [Setup, ...Setup[]];
  return withBucket(fastest(first, others));
}

/** A setup whose recomputation is left open, as its bucket is: with the bucket that is fastest. */
function withBucket(setup: Setup): Setup {
  const { spec, origins, inputs } = setup;
  const smaller = smallerBuckets(setup).map((bucket) =>
    setUp({ ...spec, memory: { ...spec.memory, bucket } }, origins, inputs),
  );
  return fastest(setup, smaller);
}

/** Of setups the one that is fastest by predicted time; the first where others are not faster. */
function fastest(first: Setup, others: readonly Setup[]): Setup {
  if (others.length === 0) return first;
  let best = { setup: first, speed: speedOf(tryOut(first, TRIED_BATCHES)) };
  for (const setup of others) {
    const speed = speedOf(tryOut(setup, TRIED_BATCHES));
    if (speed > best.speed) best = { setup, speed };
  }
  return best.setup;
}

/** What the stage leaves to choose: without a choice it is as the stage has it. */
function reductions({ parallel, cluster, memory }: Spec): readonly Reduction[] {
  const { zero, reduction } = parallel;
  if (zero !== 2 || memory.offload !== "none") return ["every-micro-batch"];
  if (reduction !== "auto") return [reduction];
  return cluster.nodes * cluster.gpus > 1 ? ["every-micro-batch", "once"] : ["every-micro-batch"];
}

/** 0 where it does not fit. */
export const speedOf = (trial: Trial): number => (trial.fits ? trial.tokens_per_second : 0);
