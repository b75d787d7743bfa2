import type { Cell } from "../../src/schedule/cell/cell.js";
import type { Objective } from "../../src/schedule/problem.js";
import type { Workload } from "../../src/schedule/workload.js";

/** A cell that takes as long as is said, whatever is in it; its members are all at level 0 unless given. */
export const cellOf = (sequences: readonly number[], time: number, levels?: number[]): Cell => ({
  sequences,
  levels: levels ?? sequences.map(() => 0),
  firsts: sequences.map(() => 0),
  time,
});

/** What a search's states and moves ask of a workload; a sequence's work is its length. */
export function fakeWorkload(
  lengths: readonly number[],
  rows: number,
  size: number,
  levels: number,
  objective: Objective,
): Workload {
  const order = [...lengths.keys()].sort(
    (a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b,
  );
  return {
    ...{ problem: { lengths, objective }, rows, size, order },
    levels: Array.from({ length: levels }, (_, n) => ({
      degree: 2 ** n,
      work: Float64Array.from(lengths, (length) => length / 2 ** n),
    })),
  } as unknown as Workload;
}
