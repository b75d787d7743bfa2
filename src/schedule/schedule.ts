import type { DegreeClass, Objective, Policy } from "./problem.js";

/** A sequence on the aligned group of ranks `first_rank .. first_rank + degree - 1`; degree 1 is local. */
export interface Placement {
  readonly sequence: number;
  readonly first_rank: number;
  readonly degree: number;
}

/** Placements of one data-parallel rank's micro-batch; ranks count over the whole machine, CP fastest. */
export type RankMicroBatch = readonly Placement[];

/** Micro-batches of every data-parallel rank, in the order it runs them: what policies return. */
export type Assignment = readonly (readonly RankMicroBatch[])[];

export interface MicroBatch {
  readonly index: number;
  readonly placements: readonly Placement[];
}

/** The contract's answer to a problem, without the time it took. */
export interface Schedule {
  readonly format_version: 1;
  readonly policy: Policy;
  readonly degrees: DegreeClass;
  readonly objective: Objective;
  readonly micro_batches: readonly MicroBatch[];
  /** us */
  readonly iteration_time: number;
  /** us; holds for every schedule of these degrees and this objective */
  readonly lower_bound: number;
  readonly gap: number;
}

/** The micro-batches of all data-parallel ranks side by side, by index; ranks that have fewer stay empty. */
export function toMicroBatches(assignment: Assignment): readonly MicroBatch[] {
  let count = 0;
  for (const rank of assignment) count = Math.max(count, rank.length);
  return Array.from({ length: count }, (_, index) => ({
    index,
    placements: assignment.flatMap((rank) => rank[index] ?? []),
  }));
}
