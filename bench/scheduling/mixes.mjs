// Six mixes: what we return in 50 ms beside what other programs do, FlexSP's formulation solved among them.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fail, ROOT } from "../../scripts/lib.mjs";
import { mean, processorClock, table } from "./measure.mjs";
import { problemOf } from "./settings.mjs";
import { solved } from "./solver.mjs";

const load = (path) => import(pathToFileURL(join(ROOT, "dist/schedule", path)).href);
const { solve, solveBy } = await load("solve.js");
const { PEER_NAMES, solveByPeer } = await load("peers/index.js");

const CLASSES = ["local-or-all", "powers-of-two", "pool"];
const BUDGET_MS = 50;

/** Time of every scheduler over the time of perfect balance, and the bound over it. */
export function mixes(settings, { mixSeeds, solverSeconds }, say) {
  const drawn = settings.flatMap((setting) =>
    Array.from({ length: mixSeeds }, (_, n) => ({
      setting,
      seed: FIRST_SEED + n,
      problem: problemOf(setting, FIRST_SEED + n, 0, {
        objective: "lockstep",
        degrees: "pool",
        time_budget_ms: BUDGET_MS,
      }),
    })),
  );
  warmUp(drawn);
  const planned = solverSeconds > 0 ? plannedByFlexsp(drawn, solverSeconds) : [];
  const found = drawn.map(({ setting, seed, problem }, n) => {
    say(`mixes: ${setting.name}, seed ${seed}`);
    return { setting, seed, ...overIdeal(problem, planned[n]) };
  });
  const names = Object.keys(found[0].times);
  const head = ["mix", "seed", "bound", ...names, "proven"];
  const rows = found.map(({ setting, seed, bound, times, proven }) => [
    setting.name,
    seed,
    bound.toFixed(3),
    ...names.map((name) => text(times[name])),
    proven,
  ]);
  const means = settings.map((setting) => {
    const own = found.filter((one) => one.setting === setting);
    const of = (name) => {
      const values = own.map(({ times }) => times[name]);
      return text(values.includes(null) ? null : mean(values));
    };
    return [setting.name, mean(own.map(({ bound }) => bound)).toFixed(3), ...names.map(of)];
  });
  return [
    table(head, rows),
    "Means over the seeds:\n",
    table(["mix", "bound", ...names], means),
    classWarnings(found),
  ].join("\n");
}

/** Seeds that `auto` was not tuned on. */
const FIRST_SEED = 101;

const text = (value) => (value === null ? "-" : value.toFixed(3));

/** A process that has compiled what it runs: a cold one constructs for most of 50 ms. */
function warmUp(drawn) {
  for (const { problem } of drawn) {
    for (const degrees of CLASSES) {
      for (const seed of [1, 2, 3]) solve({ ...problem, degrees, seed }, processorClock);
    }
  }
}

function plannedByFlexsp(drawn, seconds) {
  return solved(
    "flexsp",
    drawn.map(({ problem }) => problem),
    seconds,
  );
}

function overIdeal(problem, planned) {
  const { a1, a2 } = problem.cost;
  let work = 0;
  for (const length of problem.lengths) work += a1 * length + a2 * length * length;
  const ideal = work / (problem.data_parallel * problem.context_parallel);
  const over = (solution) => (solution.ok ? solution.schedule.iteration_time / ideal : null);
  const times = {};
  for (const degrees of CLASSES)
    times[`auto, ${degrees}`] = over(solve({ ...problem, degrees }, processorClock));
  for (const peer of PEER_NAMES) times[peer] = over(solveByPeer(peer, problem));
  if (planned) times.FlexSP = over(solveBy(problem, () => assignmentOf(planned)));
  return {
    times,
    bound: solve({ ...problem, time_budget_ms: 0 }).schedule.lower_bound / ideal,
    proven: planned
      ? `${planned.proven} of ${planned.micro_batches.length}, ${Math.round(planned.seconds)} s`
      : "-",
  };
}

/** Placements say their ranks by themselves: all may stand under the first data-parallel rank. */
const assignmentOf = ({ micro_batches: microBatches }) => {
  if (microBatches.length === 0) fail("FlexSP has no micro-batches");
  return [microBatches.map(({ placements }) => placements)];
};

/** Where a wider class came out worse by the clock than a narrower one. */
function classWarnings(found) {
  const worse = found.flatMap(({ setting, seed, times }) =>
    CLASSES.slice(1).flatMap((degrees, n) => {
      const [narrow, wide] = [times[`auto, ${CLASSES[n]}`], times[`auto, ${degrees}`]];
      return wide > narrow * 1.0001
        ? [`${setting.name}, seed ${seed}: ${degrees} ${(100 * (wide / narrow - 1)).toFixed(2)}%`]
        : [];
    }),
  );
  return `Wider class above the narrower one: ${worse.join("; ") || "nowhere"}.\n`;
}
