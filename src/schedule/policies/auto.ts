import { iterationTime, rankTimes } from "../evaluate.js";
import { Infeasible, type Problem } from "../problem.js";
import { type Assignment, toMicroBatches } from "../schedule.js";
import { POLICIES } from "./index.js";

/**
 * The best of all policies under the problem's objective, each as it is and with every rank's micro-batches in
 * descending order of time, which costs nothing and shortens lockstep. Ties go to the earlier policy.
 *
 * @throws Infeasible where every policy fails
 */
export function auto(problem: Problem): Assignment {
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
  return assignment.map((own, rank) => {
    const timed = own.map((placements, index) => ({
      placements,
      index,
      time: rankTimes({ index, placements }, problem)[rank] ?? 0,
    }));
    timed.sort((a, b) => b.time - a.time || a.index - b.index);
    return timed.map(({ placements }) => placements);
  });
}
