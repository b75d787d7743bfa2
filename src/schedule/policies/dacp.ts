import type { Problem } from "../problem.js";
import type { Assignment } from "../schedule.js";
import { type Distribution, distribute, placeDistribution } from "./parts/distribute.js";
import { cannotShard } from "./parts/full-degree.js";

/**
 * DACP alone (arXiv:2505.19609 Algorithm 1), in batch order: a data-parallel rank's micro-batch takes sequences until
 * DACP fails on the next.
 *
 * @throws Infeasible where a sequence fits neither one rank nor the whole group
 */
export function dacp(problem: Problem): Assignment {
  const { data_parallel: ranks, lengths } = problem;
  return Array.from({ length: ranks }, (_, rank) => {
    const own: number[] = [];
    for (let sequence = rank; sequence < lengths.length; sequence += ranks) own.push(sequence);
    return closeWhereItFails(own, problem).map((found) => placeDistribution(found, rank, problem));
  });
}

function closeWhereItFails(own: readonly number[], problem: Problem): readonly Distribution[] {
  const closed: Distribution[] = [];
  let members: number[] = [];
  let open: Distribution | undefined;
  for (const sequence of own) {
    const longer = inserted(members, sequence, problem);
    const found = distribute(longer, "least-loaded", problem);
    if (found) {
      members = longer;
      open = found;
      continue;
    }
    if (open) closed.push(open);
    members = [sequence];
    open = distribute(members, "least-loaded", problem);
    if (!open) throw cannotShard(sequence, problem);
  }
  return open ? [...closed, open] : closed;
}

/** Ascending by length, ties by index. */
function inserted(members: readonly number[], sequence: number, { lengths }: Problem): number[] {
  const length = lengths[sequence] as number;
  const at = members.findIndex((member) => (lengths[member] as number) > length);
  return at < 0
    ? [...members, sequence]
    : [...members.slice(0, at), sequence, ...members.slice(at)];
}
