import { SpecReport } from "../semantics/report.js";
import { solveBatches } from "./forecast.js";
import { memoryPlan } from "./memory-plan.js";
import { performanceOf } from "./performance.js";
import { sampleBatches } from "./sample.js";
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
  | { readonly fits: false; readonly problem: string };

/** Schedules the run's first global batches, and forecasts nothing else. */
export function tryOut(setup: Setup, batches: number): Trial {
  const report = new SpecReport(setup.origins);
  const memory = memoryPlan(setup, report);
  const [error] = report.diagnostics.filter(({ severity }) => severity === "error");
  if (error) return { fits: false, problem: error.message };
  const scheduling = schedulingPlan(setup, memory.bucket);
  const { length: lengths } = setup.inputs.data.index.samples;
  const { train, schedule } = setup.spec;
  const chosen = sampleBatches(
    lengths.length,
    schedule.global_batch,
    train.seed,
    setup.inputs.data.mixture,
  );
  const solved = solveBatches(scheduling, chosen.slice(0, batches), lengths, 0);
  if (!solved.ok) return { fits: false, problem: solved.error.message };
  const { step_seconds: step, tokens_per_second } = performanceOf(
    solved.solved,
    stepPlan(setup).fixed_us / 1e6,
  );
  const { bucket, peak_bytes } = memory;
  return { fits: true, bucket, peak_bytes, step_seconds: step.mean, tokens_per_second };
}
