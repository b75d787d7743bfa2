import { fitProblem, fits, neededBytes } from "./fit.js";
import { hostBytes, mergesAdapters } from "./host-memory.js";
import type { FitPlan, MemoryPlan, Room } from "./plan.js";
import type { Setup } from "./setup.js";

/** Whether the longest sequence fits, on a rank and on a node. */
export function fitPlan(setup: Setup, memory: MemoryPlan): FitPlan {
  const problem = fitProblem(setup);
  const rank = roomOf(neededBytes(problem), problem.budgetBytes);
  const { topology, shape } = setup;
  const { precision, weights } = setup.spec.model;
  const { host_memory_bytes: available } = topology;
  const needed = hostBytes({
    topology,
    memory,
    shape,
    precision,
    weights,
    merges: mergesAdapters(setup),
  });
  const node = available === null ? null : roomOf(needed, available);
  return { fits: fits(problem) && (node === null || node.spare_bytes >= 0), rank, node };
}

const roomOf = (needed: number, available: number): Room => ({
  needed_bytes: needed,
  available_bytes: available,
  spare_bytes: available - needed,
});
