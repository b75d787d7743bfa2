import { ascending } from "../../../foundation/integers.js";
import { degreesOfClass, isAvailable } from "../../degrees.js";
import { Infeasible, type Problem } from "../../problem.js";
import type { Assignment } from "../../schedule.js";
import { bucketUnits, shardUnits } from "../../time-and-memory.js";

/** Sequences of every data-parallel rank's micro-batches, in any order, all sharded over the whole group. */
export type Batches = readonly (readonly (readonly number[])[])[];

/** The placements of batches. */
export function allSharded(batches: Batches, problem: Problem): Assignment {
  const degree = fullDegree(problem);
  return batches.map((own, rank) => {
    const first_rank = rank * problem.context_parallel;
    return own.map((sequences) =>
      ascending(sequences).map((sequence) => ({ sequence, first_rank, degree })),
    );
  });
}

/**
 * The whole context-parallel group, for policies that shard every sequence over it.
 *
 * @throws Infeasible where its cost is not known, or a sequence needs the wider groups of a pool
 */
export function fullDegree(problem: Problem): number {
  const degree = problem.context_parallel;
  if (problem.lengths.length === 0) return 1;
  for (const [sequence, length] of problem.lengths.entries()) {
    const tooLong = shardUnits(length, degree, problem) > bucketUnits(problem);
    if (tooLong || !isAvailable(degree, problem)) throw cannotShard(sequence, problem);
  }
  return degree;
}

/** Why a sequence cannot be sharded over the context-parallel group. */
export function cannotShard(sequence: number, problem: Problem): Infeasible {
  const degree = problem.context_parallel;
  if (!isAvailable(degree, problem)) return degreeUnavailable(degree);
  const message = `sequence ${sequence} needs more than the ${degree} ranks that this policy shards over`;
  return new Infeasible({ code: "policy-gave-up", message });
}

export function degreeUnavailable(degree: number): Infeasible {
  return new Infeasible({
    code: "degree-unavailable",
    message: `sequences must be sharded over ${degree} ranks, but cost.comm has no row for that degree`,
  });
}

/** That a sequence fits only at degrees whose cost is not known: the smallest of them is named. */
export function unplaceable(sequence: number, problem: Problem): Infeasible {
  const length = problem.lengths[sequence] as number;
  const fitting = degreesOfClass(problem).find(
    (degree) => shardUnits(length, degree, problem) <= bucketUnits(problem),
  );
  return degreeUnavailable(fitting ?? problem.context_parallel);
}
