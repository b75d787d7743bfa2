import { SINGLE_WIDENINGS, TARGETS } from "../../foundation/limits.generated.js";
import { type Level, levelCommunication, type Workload } from "../workload.js";
import type { Placer } from "./placer.js";
import type { Degrees } from "./thresholds.js";

/**
 * Several group sizes in one cell: for each of a few target times, every sequence gets the smallest degree at which
 * it alone stays under the target, or a larger one where it finds no room.
 *
 * @param members sequences, longest first
 * @returns `undefined` where no target fits
 */
export function bestTarget(
  members: ArrayLike<number>,
  workload: Workload,
  placer: Placer,
  rounds: number,
): Degrees | undefined {
  const local = workload.levels[0] as Level;
  let work = 0;
  for (let at = 0; at < members.length; at += 1)
    work += local.work[members[at] as number] as number;
  let best: Degrees | undefined;
  for (const target of TARGETS) {
    const levels = Int32Array.from(members, (sequence) =>
      smallestUnder((target * work) / workload.size, sequence, workload),
    );
    const time = placeOrWiden(members, levels, workload, placer, rounds);
    if (time < (best?.time ?? Number.POSITIVE_INFINITY)) best = { levels, time };
  }
  return best;
}

/** Index of the smallest degree at which a sequence that fits takes at most `target` us alone, else of the fastest. */
function smallestUnder(target: number, sequence: number, workload: Workload): number {
  const length = workload.problem.lengths[sequence] as number;
  let fastest = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let n = 0; n < workload.levels.length; n += 1) {
    const level = workload.levels[n] as Level;
    if ((level.units[sequence] as number) > workload.capacity) continue;
    const time = (level.work[sequence] as number) + levelCommunication(level, length);
    if (time <= target) return n;
    if (time < least) {
      least = time;
      fastest = n;
    }
  }
  return fastest;
}

/**
 * Places; a sequence without room gets the next larger degree, and all are placed anew. After a few of these, all of
 * its degree do, which bounds the number of times.
 */
function placeOrWiden(
  members: ArrayLike<number>,
  levels: Int32Array,
  workload: Workload,
  placer: Placer,
  rounds: number,
): number {
  for (let attempt = 0; ; attempt += 1) {
    const time = placer.place(members, levels, rounds);
    if (time < Number.POSITIVE_INFINITY) return time;
    const level = levels[placer.failedAt] as number;
    if (level + 1 >= workload.levels.length) return time;
    levels[placer.failedAt] = level + 1;
    if (attempt < SINGLE_WIDENINGS) continue;
    for (let at = 0; at < levels.length; at += 1) if (levels[at] === level) levels[at] = level + 1;
  }
}
