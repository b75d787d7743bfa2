import { SpecReport } from "../semantics/report.js";
import { fitProblem, neededBytes } from "./fit.js";
import { solveBatches } from "./forecast.js";
import { memoryPlan } from "./memory-plan.js";
import { type Performance, performanceOf } from "./performance.js";
import { lighterModes } from "./recomputation.js";
import { sampleBatches, sampledOver } from "./sample.js";
import { schedulingPlan, stepPlan } from "./scheduling-plan.js";
import type { Setup } from "./setup.js";

/** What a setting comes to, on some global batches. */
export type Trial =
  | {
      readonly fits: true;
      readonly bucket: number;
      readonly peak_bytes: number;
      readonly step_seconds: number;
      readonly tokens_per_second: number;
      readonly performance: Performance;
    }
  | {
      readonly fits: false;
      readonly problem: string;
      /** That a rank needs for its states and its shard of the longest sequence; and that it may use. */
      readonly needed_bytes: number;
      readonly available_bytes: number;
    };

/**
 * Schedules the run's first global batches, and forecasts nothing else.
 *
 * @param moves of refinement for every global batch; as many as the plan has, and it is what the plan forecasts of them
 */
export function tryOut(setup: Setup, batches: number, moves = 0): Trial {
  const trials = known.get(setup) ?? new Map<string, Trial>();
  known.set(setup, trials);
  const key = `${batches} ${moves}`;
  const trial = trials.get(key) ?? tried(setup, batches, moves);
  trials.set(key, trial);
  return trial;
}

/** Whoever chooses a reduction and then asks what it comes to has asked twice. */
const known = new WeakMap<Setup, Map<string, Trial>>();

function tried(setup: Setup, batches: number, moves: number): Trial {
  const report = new SpecReport(setup.origins);
  const memory = memoryPlan(setup, report, { advise: false });
  const [error] = report.diagnostics.filter(({ severity }) => severity === "error");
  if (error) return without(error.message, setup);
  const scheduling = schedulingPlan(setup, memory.bucket);
  const { length: lengths } = setup.inputs.data.index.samples;
  const { train, schedule } = setup.spec;
  const chosen = sampleBatches(
    lengths.length,
    schedule.global_batch,
    train.seed,
    setup.inputs.data.mixture,
  );
  const solved = solveBatches(
    scheduling,
    chosen.slice(0, sampledOver(setup.topology.ranks, batches)),
    lengths,
    moves,
    lighterModes(setup, memory.bucket),
  );
  if (!solved.ok) return without(solved.error.message, setup);
  const performance = performanceOf(solved.solved, stepPlan(setup).fixed_us / 1e6);
  const { step_seconds: step, tokens_per_second } = performance;
  const { bucket, peak_bytes } = memory;
  return {
    ...{ fits: true, bucket, peak_bytes },
    ...{ step_seconds: step.mean, tokens_per_second, performance },
  };
}

function without(problem: string, setup: Setup): Trial {
  const fit = fitProblem(setup);
  return {
    fits: false,
    problem,
    needed_bytes: neededBytes(fit),
    available_bytes: fit.budgetBytes,
  };
}
