import { type Random32, random32, randomBelow } from "../../src/foundation/random.js";
import { answerProblem } from "../../src/schedule/answer.js";
import { DEGREE_CLASSES, type Policy, type Problem } from "../../src/schedule/problem.js";
import { verifySchedule } from "../../src/schedule/verify.js";

const pick = <T>(random: Random32, values: readonly T[]): T =>
  values[randomBelow(random, values.length)] as T;

const POLICIES: readonly Policy[] = [
  ...["auto", "auto", "auto", "auto", "auto"],
  ...["dacp", "skrull-paper", "round-robin", "packed", "sorted", "deepspeed"],
] as readonly Policy[];

/**
 * The n-th problem of a seed, chosen to be hard to place: ranks with room for a few sequences, of which many fill one
 * or a whole group almost or exactly; wide classes; few moves; and rows of `comm` that are missing.
 */
export function tightProblem(seed: number, n: number): Problem {
  const random = random32(seed, n);
  const degrees = pick(random, [...DEGREE_CLASSES, "pool"] as const);
  const powers = degrees !== "local-or-all";
  const context = pick(random, powers ? [1, 2, 4, 8] : [1, 2, 3, 5, 8]);
  const dataParallel = pick(random, powers ? [1, 2, 4] : [1, 2, 3, 7]);
  const bucket = pick(random, [3, 7, 64, 300]);
  const widest =
    degrees === "pool" && randomBelow(random, 2) > 0 ? context * dataParallel : context;
  const count = 1 + randomBelow(random, pick(random, [4, 8, n % 32 === 0 ? 48 : 16]));
  const lengths = Array.from({ length: count }, () => {
    const whole = bucket * Math.min(widest, pick(random, [1, 1, 2, context, widest]));
    const less = pick(random, [1, 2, Math.ceil(whole / 3), whole]);
    return Math.max(1, whole - randomBelow(random, less));
  });
  const cost = () => randomBelow(random, 1_000_000) / 997;
  const comm: Record<string, [number, number, number]> = {};
  for (let degree = 2; degree <= 32; degree += 1)
    if (randomBelow(random, 40) > 0) comm[degree] = [cost(), cost(), cost() / 1e3];
  return {
    format_version: 1,
    lengths,
    data_parallel: dataParallel,
    context_parallel: context,
    bucket,
    padding: pick(random, ["exact", "zigzag"] as const),
    cost: {
      a1: pick(random, [0, cost() / 100]),
      a2: pick(random, [0, cost() / 1e4]),
      fixed: pick(random, [0, cost()]),
      least: pick(random, [0, 0, cost(), 1000 * cost()]),
      small_shard_tokens: pick(random, [0, 0, 512]),
      comm,
    },
    policy: pick(random, POLICIES),
    degrees,
    objective: pick(random, ["free", "lockstep"] as const),
    iterations: pick(random, n % 32 === 0 ? [20] : [0, 0, 0, 1, 2]),
    time_budget_ms: 0,
    seed: randomBelow(random, 1000),
  };
}

/** Values of every JSON type, and numbers at the ends of what a double holds. */
const STRANGE: readonly unknown[] = [
  ...[0, -1, 1, 2, 3, 0.5, -0, 1e100, 1e101, 1e308, 5e-324, 2 ** 16, 2 ** 31, 2 ** 53, 2 ** 53 - 1],
  ...["", "NaN", "Infinity", "-1", "12", "auto", "pool", "__proto__"],
  ...[null, true, false, [], {}, [[]], { 2: [1, 1, 1] }],
];

/** A document that is a problem with one to three things changed: most of them are none any more. */
export function mutatedDocument(seed: number, n: number): unknown {
  const random = random32(seed, n);
  const document = JSON.parse(JSON.stringify(tightProblem(seed + 1, n))) as unknown;
  for (let times = 1 + randomBelow(random, 3); times > 0; times -= 1) mutate(document, random);
  return withoutLongSearch(document as { iterations?: unknown });
}

/** A search of millions of moves takes what was asked for: here, more are asked for than there may be. */
function withoutLongSearch(document: { iterations?: unknown }): unknown {
  const { iterations } = document;
  return typeof iterations === "number" && iterations > 100
    ? { ...document, iterations: 1e9 + iterations }
    : document;
}

function mutate(document: unknown, random: Random32): void {
  let at = document as Record<string, unknown>;
  for (;;) {
    const keys = Object.keys(at);
    if (keys.length === 0) return;
    const key = pick(random, keys);
    const inner = at[key];
    if (typeof inner === "object" && inner !== null && randomBelow(random, 4) > 0) {
      at = inner as Record<string, unknown>;
      continue;
    }
    const draw = randomBelow(random, 8);
    if (draw === 0) delete at[key];
    else if (draw === 1) at[pick(random, ["2", "16", "ranks", "bucket", "~/"])] = inner;
    else if (draw < 5 && typeof inner === "number")
      at[key] = pick(random, [inner + 1, inner * 2, -inner, inner / 2, inner * 1e6, inner - 1]);
    else at[key] = structuredClone(pick(random, STRANGE));
    return;
  }
}

/** A document is hostile every second time. */
export const fuzzDocument = (seed: number, n: number): unknown =>
  n % 2 === 0 ? tightProblem(seed, n) : mutatedDocument(seed, n);

/**
 * What becomes of a document: `schedule`, or the code of its error. The schedule is verified once more, against the
 * document as it was given.
 *
 * @throws Error where the scheduler has an internal error, changes the document, or returns what is unsound
 */
export function outcomeOf(document: unknown): string {
  const before = JSON.stringify(document);
  const answer = answerProblem(document);
  if (JSON.stringify(document) !== before) throw new Error("the document was changed");
  if ("error" in answer) return answer.error.code;
  // What has a schedule is a problem, but for its defaults.
  const defaults: Partial<Problem> = { padding: "exact", degrees: "local-or-all" };
  const problem: Problem = { ...defaults, ...(document as Problem) };
  const problems = verifySchedule(problem, answer.micro_batches);
  if (problems.length > 0) throw new Error(`unsound: ${problems.join("; ")}`);
  if (!Number.isFinite(answer.iteration_time)) throw new Error("the time is no number");
  if (answer.lower_bound > answer.iteration_time) throw new Error("the bound is above the time");
  return "schedule";
}
