// Small problems solved exactly by a mixed-integer program, and how far from the optimum we and our bound are.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fail, ROOT } from "../../scripts/lib.mjs";
import { mean, processorClock, table } from "./measure.mjs";
import { problemOf } from "./settings.mjs";
import { solved } from "./solver.mjs";

const load = (path) => import(pathToFileURL(join(ROOT, "dist", path)).href);
const { random32, randomBelow } = await load("foundation/random.js");
const { solve, solveBy } = await load("schedule/solve.js");
const { waitingBound } = await load("schedule/waiting-bound.js");

const BUDGETS_MS = [0, 50, 500];
const PROVEN = 1e-6;
/** Gaps to optima of single micro-batches and of whole schedules. */
export function exact({ exactProblems, solverSeconds }, say) {
  const kinds = {
    ...Object.fromEntries(
      [4, 8, 12, 16].map((count) => [
        `one micro-batch, ${count} sequences`,
        (random) => oneMicroBatch(random, count),
      ]),
    ),
    "whole, 6 to 8 sequences, local-or-all": (random) => whole(random, "local-or-all"),
    "whole, 6 to 8 sequences, powers-of-two": (random) => whole(random, "powers-of-two"),
    "whole, 6 to 8 sequences, pool": (random) => whole(random, "pool"),
  };
  const rows = Object.entries(kinds).map(([kind, draw], n) => {
    const random = random32(SEED, n);
    const problems = Array.from({ length: exactProblems }, () => draw(random)).filter(
      (problem) => solve(problem).ok,
    );
    say(`exact: ${kind}`);
    return [kind, ...againstOptima(problems, solverSeconds)];
  });
  const head = ["problems", "proven", "bound below", ...BUDGETS_MS.map((ms) => `${ms} ms`)];
  return table(["", ...head], rows);
}

const SEED = 21;

/** Everything fits any rank, so that two micro-batches only cost their fixed time more: one is always best. */
function oneMicroBatch(random, count) {
  const problem = drawn(
    random,
    count,
    1,
    randomBelow(random, 2) ? "powers-of-two" : "local-or-all",
  );
  return { ...problem, bucket: 1_000_000, micro_batches: 1 };
}

/** Memory for two micro-batches or three; schedules have at most two more than that. */
function whole(random, degrees) {
  const problem = drawn(random, 6 + randomBelow(random, 3), 2, degrees);
  const tokens = problem.lengths.reduce((sum, length) => sum + length, 0);
  const filled = 1.3 + randomBelow(random, 100) / 100;
  const bucket = Math.ceil(
    Math.max(tokens / filled / 4, Math.max(...problem.lengths) / problem.context_parallel),
  );
  return { ...problem, bucket, micro_batches: Math.ceil(tokens / (bucket * 4)) + 2 };
}

/** Costs in proportion, so that neither work nor communication decides alone. */
function drawn(random, count, dataParallel, degrees) {
  const context =
    dataParallel > 1 ? 2 : degrees === "local-or-all" ? 2 + randomBelow(random, 3) : 4;
  const row = (factor) => [
    randomBelow(random, 4000) * factor,
    randomBelow(random, 3000) * factor,
    randomBelow(random, 9) / 10,
  ];
  const lengths = Array.from({ length: count }, () =>
    randomBelow(random, 3) === 0 ? 1 + randomBelow(random, 6000) : 1 + randomBelow(random, 1500),
  );
  return {
    format_version: 1,
    lengths,
    data_parallel: dataParallel,
    context_parallel: context,
    bucket: 0,
    padding: "exact",
    cost: {
      a1: 1 + randomBelow(random, 10),
      a2: randomBelow(random, 40) / 10_000,
      fixed: randomBelow(random, 1000),
      least: 0,
      small_shard_tokens: randomBelow(random, 2) * 256,
      comm: { 2: row(1), 3: row(1), 4: row(1.5) },
    },
    policy: "auto",
    degrees,
    objective: "lockstep",
    iterations: 0,
    time_budget_ms: 0,
    seed: 0,
  };
}

function againstOptima(problems, seconds) {
  const ours = BUDGETS_MS.map((time_budget_ms) =>
    problems.map((problem) => solve({ ...problem, time_budget_ms }, processorClock).schedule),
  );
  const best = problems.map((_, n) => ours.map((own) => own[n]).reduce(faster));
  const answers = solved(
    "exact",
    problems.map((problem, n) => ({ ...problem, known: best[n].micro_batches })),
    seconds,
  );
  const proven = [...answers.keys()].filter((n) => {
    const { time, bound, micro_batches: microBatches } = answers[n];
    check(problems[n], microBatches, time);
    checkBound(problems[n], time);
    if (best[n].iteration_time < answers[n].bound * (1 - PROVEN))
      fail(`the solver's bound of ${answers[n].bound} us is above a schedule`);
    return time - bound <= PROVEN * time;
  });
  const optima = proven.map((n) => answers[n].time);
  const gaps = (times) => {
    const own = proven.map((n, at) => times[n] / optima[at] - 1);
    return `${percent(mean(own))} / ${percent(Math.max(...own))}`;
  };
  const below = proven.map((n, at) => 1 - best[n].lower_bound / optima[at]);
  return [
    problems.length,
    proven.length,
    `${percent(mean(below))} / ${percent(Math.max(...below))}`,
    ...ours.map((own) => gaps(own.map(({ iteration_time: time }) => time))),
  ];
}

const faster = (one, other) => (other.iteration_time < one.iteration_time ? other : one);

const percent = (share) => (100 * share).toFixed(3).replace(/^-(0\.0+)$/, "$1");

/** The solver's schedule is a schedule, and takes what the solver says. */
function check(problem, microBatches, time) {
  const solution = solveBy(problem, () => [microBatches.map(({ placements }) => placements)]);
  const own = solution.ok ? solution.schedule.iteration_time : Number.NaN;
  if (!(Math.abs(own - time) <= 1e-5 * time))
    fail(`the solver says ${time} us of a schedule that takes ${own} us`);
}

/** No schedule of the class is faster than its bounds. */
function checkBound(problem, time) {
  if (problem.degrees === "local-or-all" && waitingBound(problem) > time * (1 + 1e-6))
    fail(`the waiting bound is above a schedule of ${time} us`);
}

/**
 * Batches whose memory is what binds, in class `local-or-all`. Small ones are also bounded by a program that knows which
 * sequences of a micro-batch are sharded, but not which rank has which of the others: nothing beats its bound.
 */
export function memoryBound(setting, { mixSeeds, solverSeconds }, say) {
  const shapes = [
    [1, 20, true],
    [1, 40, true],
    [setting.data_parallel, setting.sequences, false],
  ];
  const rows = shapes.flatMap(([data_parallel, sequences, small]) =>
    Array.from({ length: mixSeeds }, (_, n) => {
      say(`memory-bound: ${data_parallel} x 16, ${sequences} sequences, seed ${FIRST_SEED + n}`);
      const shape = { ...setting, data_parallel, sequences };
      return memoryBoundRow(shape, FIRST_SEED + n, small ? solverSeconds : 0);
    }),
  );
  const head = [
    "ranks",
    "sequences",
    "seed",
    "gap to our bound",
    "to the program's bound",
    "its own best above that",
    "powers-of-two faster by",
  ];
  return table(head, rows);
}

const FIRST_SEED = 101;

function memoryBoundRow(setting, seed, seconds) {
  const changes = { objective: "lockstep", time_budget_ms: 500 };
  const problem = problemOf(setting, seed, 0, changes);
  const of = (degrees) => solve({ ...problem, degrees }, processorClock).schedule;
  const own = of("local-or-all");
  const time = own.iteration_time;
  checkBound(problem, time);
  const asked = { ...problem, micro_batches: own.micro_batches.length + 1 };
  const [relaxed] = seconds > 0 ? solved("relaxed", [asked], seconds) : [];
  const share = (one, other) => `${percent(one / other - 1)}%`;
  return [
    `${setting.data_parallel} x ${setting.context_parallel}`,
    setting.sequences,
    seed,
    share(time, own.lower_bound),
    relaxed ? share(time, relaxed.bound) : "-",
    relaxed ? share(relaxed.time, relaxed.bound) : "-",
    `${percent(1 - of("powers-of-two").iteration_time / time)}%`,
  ];
}
