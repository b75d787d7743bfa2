import type { Host } from "../host/host.js";
import type { Plan } from "../plan/plan.js";
import { problemsOfRun } from "../plan/planned.js";
import type { Schedule } from "../schedule/schedule.js";
import type { Solution } from "../schedule/solve.js";
import type { Terminal } from "./terminal.js";

type PlannedRun =
  | { readonly ok: true; readonly schedules: readonly Schedule[] | undefined }
  | { readonly ok: false; readonly problem: string };

/** In planned mode, the schedule of every step of the run, made in worker threads; else none. */
export async function planSchedules(
  host: Host,
  terminal: Terminal,
  plan: Plan,
  lengths: readonly number[],
): Promise<PlannedRun> {
  if (plan.search.mode !== "planned") return { ok: true, schedules: undefined };
  const problems = problemsOfRun(plan, lengths);
  const solutions = await host.runInWorkers<(typeof problems)[number], Solution>(
    "schedule/worker.js",
    problems,
    (finished) => terminal.progress(progressBar(finished, problems.length)),
  );
  terminal.progress("");
  const schedules: Schedule[] = [];
  for (const [step, solution] of solutions.entries()) {
    if (!solution.ok) {
      return { ok: false, problem: `no schedule for step ${step}: ${solution.error.message}` };
    }
    schedules.push(solution.schedule);
  }
  return { ok: true, schedules };
}

const BAR_WIDTH = 30;

function progressBar(finished: number, total: number): string {
  const full = Math.floor((BAR_WIDTH * finished) / total);
  const bar = "#".repeat(full) + "-".repeat(BAR_WIDTH - full);
  return `planning schedules [${bar}] ${finished} of ${total} steps`;
}
