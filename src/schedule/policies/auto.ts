import { bucketUnits, communicationOf, microBatchTime, shardUnits, workOf } from "../cost.js";
import { degreesOfClass, isAvailable } from "../degrees.js";
import { iterationTime } from "../evaluate.js";
import { Infeasible, type Problem } from "../problem.js";
import { type Assignment, type Placement, toMicroBatches } from "../schedule.js";
import { degreeUnavailable } from "./full-degree.js";
import { POLICIES } from "./index.js";

/**
 * The best of all policies under the problem's objective, each as it is and with every rank's micro-batches in
 * descending order of time, which costs nothing and shortens lockstep. Ties go to the earlier policy. Sequences
 * that only a group over several data ranks can hold come first, one by one.
 *
 * @throws Infeasible where every policy fails
 */
export function auto(problem: Problem): Assignment {
  const { lengths, context_parallel: context } = problem;
  const isWide = (length: number) => shardUnits(length, context, problem) > bucketUnits(problem);
  if (!lengths.some(isWide)) return bestOfPolicies(problem);
  const indexed = lengths.map((length, sequence) => ({ length, sequence }));
  const wide = indexed.filter(({ length }) => isWide(length));
  const rest = indexed.filter(({ length }) => !isWide(length));
  const first = wide.map(({ sequence }) => widePlacement(sequence, problem));
  return bestOfPolicies({ ...problem, lengths: rest.map(({ length }) => length) }).map(
    (own, rank) => [
      ...first.map((placement) => (rank === 0 ? [placement] : [])),
      ...own.map((placements) =>
        placements.map((placement) => ({
          ...placement,
          sequence: rest[placement.sequence]?.sequence ?? -1,
        })),
      ),
    ],
  );
}

/** A sequence alone on the machine, at the degree that is fastest then. @throws Infeasible */
function widePlacement(sequence: number, problem: Problem): Placement {
  const length = problem.lengths[sequence] ?? 0;
  let best: { degree: number; time: number } | undefined;
  const fitting = degreesOfClass(problem).filter(
    (degree) => shardUnits(length, degree, problem) <= bucketUnits(problem),
  );
  for (const degree of fitting.filter((candidate) => isAvailable(candidate, problem))) {
    const time = communicationOf(length, degree, problem) + workOf(length, degree, problem);
    if (!best || time < best.time) best = { degree, time };
  }
  if (!best) throw degreeUnavailable(fitting[0] ?? 1);
  return { sequence, first_rank: 0, degree: best.degree };
}

function bestOfPolicies(problem: Problem): Assignment {
  let best: { assignment: Assignment; time: number } | undefined;
  let reason: Infeasible | undefined;
  for (const policy of Object.values(POLICIES)) {
    try {
      const plain = policy(problem);
      for (const assignment of [plain, aligned(plain, problem)]) {
        const time = iterationTime(toMicroBatches(assignment), problem);
        if (!best || time < best.time) best = { assignment, time };
      }
    } catch (error) {
      if (!(error instanceof Infeasible)) throw error;
      reason ??= error;
    }
  }
  if (best) return best.assignment;
  throw reason;
}

/** Every rank's micro-batches by time, longest first, ties by index: the long ones then run side by side. */
export function aligned(assignment: Assignment, problem: Problem): Assignment {
  const context = problem.context_parallel;
  return assignment.map((own, rank) => {
    const timed = own.map((placements, index) => ({
      placements,
      index,
      time: microBatchTime(placements, rank * context, context, problem),
    }));
    timed.sort((a, b) => b.time - a.time || a.index - b.index);
    return timed.map(({ placements }) => placements);
  });
}
