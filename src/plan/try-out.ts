import { SpecReport } from "../semantics/report.js";
import { fitProblem, neededBytes } from "./fit.js";
import { solveBatches } from "./forecast.js";
import { memoryPlan } from "./memory-plan.js";
import { performanceOf } from "./performance.js";
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
    }
  | {
      readonly fits: false;
      readonly problem: string;
      /** That a rank needs for its states and its shard of the longest sequence; and that it may use. */
      readonly needed_bytes: number;
      readonly available_bytes: number;
    };

/** Schedules the run's first global batches, and forecasts nothing else. */
export function tryOut(setup: Setup, batches: number): Trial {
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
    0,
  );
  if (!solved.ok) return without(solved.error.message, setup);
  const { step_seconds: step, tokens_per_second } = performanceOf(
    solved.solved,
    stepPlan(setup).fixed_us / 1e6,
  );
  const { bucket, peak_bytes } = memory;
  return { fits: true, bucket, peak_bytes, step_seconds: step.mean, tokens_per_second };
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
