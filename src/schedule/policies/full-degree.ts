import { bucketUnits, shardUnits } from "../cost.js";
import { isAvailable } from "../degrees.js";
import { Infeasible, type Problem } from "../problem.js";

/**
 * The whole context-parallel group, for policies that shard every sequence over it.
 *
 * @throws Infeasible where its cost is not known, or a sequence needs the wider groups of a pool
 */
export function fullDegree(problem: Problem): number {
  const degree = problem.context_parallel;
  if (problem.lengths.length === 0) return 1;
  if (!isAvailable(degree, problem)) throw degreeUnavailable(degree);
  for (const [sequence, length] of problem.lengths.entries()) {
    if (shardUnits(length, degree, problem) > bucketUnits(problem)) {
      const message = `sequence ${sequence} needs more than the ${degree} ranks that this policy shards over`;
      throw new Infeasible({ code: "policy-gave-up", message });
    }
  }
  return degree;
}

export function degreeUnavailable(degree: number): Infeasible {
  return new Infeasible({
    code: "degree-unavailable",
    message: `sequences must be sharded over ${degree} ranks, but cost.comm has no row for that degree`,
  });
}
