/** A sequence on the aligned group of ranks `first_rank .. first_rank + degree - 1`; degree 1 is local. */
export interface Placement {
  readonly sequence: number;
  /** Counts all ranks, context-parallel fastest; a multiple of `degree`. */
  readonly first_rank: number;
  readonly degree: number;
}

/** What all ranks run at one micro-batch index. */
export type MicroBatch = readonly Placement[];

/** A policy's answer. */
export type Placed = readonly MicroBatch[];

/** Each data rank's own list of micro-batches, put side by side by index. */
export function sideBySide(perDataRank: readonly (readonly MicroBatch[])[]): Placed {
  const merged: Placement[][] = [];
  for (const microBatches of perDataRank) {
    for (const [index, placements] of microBatches.entries()) {
      const target = merged[index];
      // Not spread into push(): a micro-batch may hold more sequences than a call can take arguments.
      if (target === undefined) merged.push([...placements]);
      else for (const placement of placements) target.push(placement);
    }
  }
  return merged;
}

/** The one order of placements in a document, so that sums over them do not depend on the policy. */
export function inSequenceOrder(placed: Placed): Placed {
  return placed.map((placements) => placements.toSorted((a, b) => a.sequence - b.sequence));
}
