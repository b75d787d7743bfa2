import { rankMemory } from "../../dist/plan/fit.js";
import { performanceOf } from "../../dist/plan/performance.js";
import { asGood } from "../../dist/plan/robust.js";
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

/** Settings of a case that fit, with the schedules that the catalogue's figures give and what they come to. */
export function settingsOf(own) {
  return CONTEXTS.flatMap((context) =>
    STAGES.flatMap((zero) =>
      CHECKPOINTING.map((checkpointing) => setting({ ...own, context, zero, checkpointing })),
    ),
  ).filter(Boolean);
}

/**
 * Shares of time that are lost by choices made with the catalogue's figures where `move` gives the machine's: of
 * schedules, of context-parallel degrees, and of degree, stage and checkpointing together.
 */
export function lossesOf(own, settings, move) {
  const all = settings.map((one) => ({ ...one, kept: keptSeconds(one, move) }));
  const alike = all.filter(
    ({ zero, checkpointing }) => zero === own.zero && checkpointing === own.checkpointing,
  );
  const scheduled = alike.map((one) => one.kept / bestSeconds(one, move) - 1);
  return {
    schedule: scheduled.length > 0 ? Math.max(0, ...scheduled) : undefined,
    degree: regret(alike),
    setting: regret(all, own),
  };
}

/** What a choice by predictions loses by true times: as `context = auto` and `tune` choose, from the case's own setting. */
function regret(trials, own = undefined) {
  if (trials.length < 2) return undefined;
  const good = asGood(trials, ({ performance }) => performance);
  const chosen = own ? least(good, (one) => changesOf(one, own)) : good[0];
  const best = least(trials, ({ kept }) => kept);
  return chosen.kept / best.kept - 1;
}

const changesOf = (one, own) =>
  CHANGED.filter((key) => one[key] !== { context: CONTEXTS[0], ...own }[key]).length;
const CHANGED = ["context", "zero", "checkpointing"];

const least = (trials, of) => trials.reduce((best, own) => (of(own) < of(best) ? own : best));

/** `undefined` where it does not fit. */
function setting(point) {
  const setup = setupOf(
    { ...point, bucket: undefined, tokens: Math.max(...point.lengths) },
    models[point.model],
  );
  const memory = rankMemory(setup);
  if (!memory.fits) return undefined;
  const step = stepPlan(setup).fixed_us;
  const batches = Array.from({ length: point.batches }, (_, batch) => {
    const first = (batch * point.samples) % (point.lengths.length - point.samples);
    return point.lengths.slice(first, first + point.samples);
  });
  const plan = schedulingPlan(setup, memory.bucket);
  const problems = batches.map((lengths) => problemOf(plan, lengths, 0));
  const found = problems.map((problem) => solve(problem));
  if (found.some(({ ok }) => !ok)) return undefined;
  const schedules = found.map(({ schedule }) => schedule);
  const solved = schedules.map((schedule, n) => ({ schedule, problem: problems[n] }));
  const performance = performanceOf(solved, step / 1e6);
  const { context, zero, checkpointing } = point;
  return {
    ...{ context, zero, checkpointing, performance },
    ...{ setup, bucket: memory.bucket, batches, schedules },
  };
}

/** On the moved machine, by the schedules that it was chosen with. */
function keptSeconds({ setup, bucket, batches, schedules }, move) {
  const { problems, step } = movedProblems(setup, bucket, batches, move);
  return problems.reduce(
    (sum, problem, n) => sum + iterationTime(schedules[n].micro_batches, problem) + step,
    0,
  );
}

/** By schedules that were made for it. */
function bestSeconds({ setup, bucket, batches }, move) {
  const { problems, step } = movedProblems(setup, bucket, batches, move);
  return problems.reduce((sum, problem) => sum + solve(problem).schedule.iteration_time + step, 0);
}

function movedProblems(setup, bucket, batches, move) {
  const hardware = { ...setup.hardware, figures: move(setup.hardware.figures) };
  const other = { ...setup, hardware };
  const plan = schedulingPlan(other, bucket);
  const problems = batches.map((lengths) => problemOf(plan, lengths, 0));
  return { problems, step: stepPlan(other).fixed_us };
}
