import { microBatchTimes } from "./evaluate.js";
import type { Instance } from "./instance.js";
import { type MicroBatch, type Placed, type Placement, sideBySide } from "./placement.js";

interface TimedMicroBatch {
  readonly placements: MicroBatch;
  readonly time: number;
}

/**
 * Orders each data rank's micro-batches by time, longest first, ties as they were: in lockstep slow ones then
 * wait for slow ones. Only for schedules without a group that spans data ranks.
 */
export function align(instance: Instance, placed: Placed): Placed {
  const perDataRank = Array.from(
    { length: instance.problem.data_parallel },
    (): TimedMicroBatch[] => [],
  );
  for (const microBatch of placed) {
    for (const [dataRank, placements] of byDataRank(instance, microBatch)) {
      const [time = 0] = microBatchTimes(instance, placements).values();
      perDataRank[dataRank]?.push({ placements, time });
    }
  }
  return sideBySide(
    perDataRank.map((microBatches) =>
      microBatches.toSorted((a, b) => b.time - a.time).map(({ placements }) => placements),
    ),
  );
}

function byDataRank(instance: Instance, microBatch: MicroBatch): ReadonlyMap<number, Placement[]> {
  const parts = new Map<number, Placement[]>();
  for (const placement of microBatch) {
    const dataRank = Math.floor(placement.first_rank / instance.contextParallel);
    const part = parts.get(dataRank);
    if (part === undefined) parts.set(dataRank, [placement]);
    else part.push(placement);
  }
  return parts;
}
