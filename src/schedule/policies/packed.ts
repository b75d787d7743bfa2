import { bucketUnits, shardUnits } from "../cost.js";
import type { Problem } from "../problem.js";
import type { Assignment, Placement } from "../schedule.js";
import { fullDegree } from "./full-degree.js";

/** Everything sharded over its group and packed next-fit into micro-batches of at most C x N tokens. */
export function packed(problem: Problem): Assignment {
  return packInOrder([...problem.lengths.keys()], problem);
}

/** {@link packed}, after sorting by length, longest first, ties by index: what sorted batching amounts to. */
export function sorted(problem: Problem): Assignment {
  const { lengths } = problem;
  const order = [...lengths.keys()];
  order.sort((a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0) || a - b);
  return packInOrder(order, problem);
}

function packInOrder(order: readonly number[], problem: Problem): Assignment {
  const { data_parallel: ranks, context_parallel: context } = problem;
  const degree = fullDegree(problem);
  const capacity = bucketUnits(problem);
  const assignment: Placement[][][] = Array.from({ length: ranks }, () => []);
  const used = new Array<number>(ranks).fill(0);
  for (const [position, sequence] of order.entries()) {
    const rank = position % ranks;
    const own = assignment[rank] ?? [];
    const units = shardUnits(problem.lengths[sequence] ?? 0, degree, problem);
    const placement = { sequence, first_rank: rank * context, degree };
    const open = own.at(-1);
    if (open && (used[rank] ?? 0) + units <= capacity) {
      open.push(placement);
      used[rank] = (used[rank] ?? 0) + units;
    } else {
      own.push([placement]);
      used[rank] = units;
    }
  }
  return assignment.map((own) => own.map(bySequence));
}

/** One order of placements everywhere, so that sums round the same way in both programs. */
export function bySequence(placements: readonly Placement[]): readonly Placement[] {
  return [...placements].sort((a, b) => a.sequence - b.sequence);
}
