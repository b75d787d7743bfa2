import { type Random32, random32, randomBelow } from "../../src/foundation/random.js";
import {
  DEGREE_CLASSES,
  POLICY_NAMES,
  type Policy,
  type Problem,
} from "../../src/schedule/problem.js";

const pick = <T>(random: Random32, values: readonly T[]): T =>
  values[randomBelow(random, values.length)] as T;

/** `auto` twice as often as the others. */
const POLICIES: readonly Policy[] = [...POLICY_NAMES, "auto"];

/** The n-th random problem of a seed: small and large, long-tailed, some infeasible, some exactly full. */
export function randomProblem(seed: number, n: number): Problem {
  const random = random32(seed, n);
  const degrees = pick(random, DEGREE_CLASSES);
  const powers = degrees !== "local-or-all";
  const context = pick(random, powers ? [1, 2, 4, 8] : [1, 2, 3, 4, 5, 8]);
  const dataParallel = pick(random, powers ? [1, 2, 4, 8] : [1, 2, 3, 4, 7]);
  const bucket = pick(random, [64, 500, 1000, 4096]);
  const count = randomBelow(random, n % 50 === 0 ? 400 : 40);
  const lengths = Array.from({ length: count }, () => {
    const top = pick(random, [8, 64, 64, 500, bucket, bucket * context]);
    return randomBelow(random, 24) === 0 ? bucket * context : 1 + randomBelow(random, top);
  });
  if (randomBelow(random, 30) === 0) lengths.push(bucket * context + 1);
  const cost = () => randomBelow(random, 1_000_000) / 997;
  const comm: Record<string, [number, number, number]> = {};
  for (let degree = 2; degree <= 64; degree += 1) {
    if (randomBelow(random, 60) > 0) comm[degree] = [cost(), cost(), cost() / 1e4];
  }
  return {
    format_version: 1,
    lengths,
    data_parallel: dataParallel,
    context_parallel: context,
    bucket,
    padding: pick(random, ["exact", "zigzag"] as const),
    cost: {
      a1: cost() / 1e2,
      a2: cost() / 1e6,
      fixed: pick(random, [0, cost()]),
      least: pick(random, [0, 0, cost(), 1000 * cost()]),
      small_shard_tokens: pick(random, [0, 0, 512]),
      comm,
    },
    policy: pick(random, POLICIES),
    degrees,
    objective: pick(random, ["free", "lockstep"] as const),
    iterations: 0,
    time_budget_ms: 0,
    seed: 0,
  };
}
