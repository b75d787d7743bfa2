import { rankMemory } from "../../dist/plan/fit.js";
import { schedulingPlan, stepPlan } from "../../dist/plan/scheduling-plan.js";
import { problemOf } from "../../dist/plan/scheduling-problem.js";
import { iterationTime } from "../../dist/schedule/evaluate.js";
import { solve } from "../../dist/schedule/solve.js";
import { setupOf } from "./plan.mjs";
import { published } from "./points.mjs";

const CONTEXTS = [1, 2, 4, 8];
const CHECKPOINTING = ["none", "selective", "full"];
const STAGES = [1, 2, 3];
const { models } = published();

/**
 * Shares of time that are lost by choices made with the catalogue's figures where `move` gives the machine's: of
 * schedules, of context-parallel degrees, and of degree, stage and checkpointing together.
 */
export function evaluated(own, move) {
  const all = CONTEXTS.flatMap((context) =>
    STAGES.flatMap((zero) =>
      CHECKPOINTING.map((checkpointing) => trial({ ...own, context, zero, checkpointing }, move)),
    ),
  ).filter(Boolean);
  const alike = all.filter(
    ({ zero, checkpointing }) => zero === own.zero && checkpointing === own.checkpointing,
  );
  const scheduled = alike.map(({ kept, moved }) => kept / moved - 1);
  return {
    schedule: scheduled.length > 0 ? Math.max(0, ...scheduled) : undefined,
    degree: regret(alike),
    setting: regret(all),
  };
}

/** What the choice by predicted times loses by true ones. */
function regret(trials) {
  if (trials.length < 2) return undefined;
  const chosen = least(trials, ({ predicted }) => predicted);
  const best = least(trials, ({ kept }) => kept);
  return chosen.kept / best.kept - 1;
}

const least = (trials, of) => trials.reduce((best, own) => (of(own) < of(best) ? own : best));

/** Seconds of a setting: as predicted, its schedules on the moved machine, and schedules made for that. */
function trial(point, move) {
  const setup = setupOf(
    { ...point, bucket: undefined, tokens: Math.max(...point.lengths) },
    models[point.model],
  );
  const memory = rankMemory(setup);
  if (!memory.fits) return undefined;
  const other = {
    ...setup,
    hardware: { ...setup.hardware, figures: move(setup.hardware.figures) },
  };
  const [own, true_] = [setup, other].map((of) => schedulingPlan(of, memory.bucket));
  let [predicted, kept, moved] = [0, 0, 0];
  for (let batch = 0; batch < point.batches; batch += 1) {
    const first = (batch * point.samples) % (point.lengths.length - point.samples);
    const lengths = point.lengths.slice(first, first + point.samples);
    const [problem, real] = [own, true_].map((plan) => problemOf(plan, lengths, 0));
    const [planned, best] = [solve(problem), solve(real)];
    if (!planned.ok || !best.ok) return undefined;
    predicted += planned.schedule.iteration_time + stepPlan(setup).fixed_us;
    kept += iterationTime(planned.schedule.micro_batches, real) + stepPlan(other).fixed_us;
    moved += best.schedule.iteration_time + stepPlan(other).fixed_us;
  }
  return { zero: point.zero, checkpointing: point.checkpointing, predicted, kept, moved };
}
