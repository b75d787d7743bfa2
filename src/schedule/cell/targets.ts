import {
  LONGEST_AIMED_AT,
  MOST_AIMS,
  SINGLE_WIDENINGS,
  TARGETS,
} from "../../foundation/limits.generated.js";
import { type Level, levelCommunication, type Workload } from "../workload.js";
import type { Placer } from "./placer.js";
import type { Degrees } from "./thresholds.js";

/** How many times are aimed at in one cell. */
export interface Aims {
  /** Multiples of an even spread of the cell's work. */
  readonly multiples: readonly number[];
  /** Of so many of the longest members, the time that each takes alone at every degree is one too. */
  readonly longest: number;
  /** The most that are placed. */
  readonly most: number;
}

/** What is aimed at without search, in both programs. */
export const FEW_AIMS: Aims = {
  multiples: TARGETS,
  longest: LONGEST_AIMED_AT,
  most: MOST_AIMS,
};

/** What is aimed at where there is time. */
export const MANY_AIMS: Aims = {
  multiples: [1, 1.03, 1.08, 1.15, 1.25, 1.4, 0.85, 0.7, 0.5],
  longest: 3,
  most: 24,
};

/** Of an even spread, below which a time alone is no aim. */
const LEAST_SHARE = 0.6;
/** An aim just above a time: the degree that takes so long is then taken. */
const JUST_ABOVE = 1 + 1e-12;

/**
 * Several group sizes in one cell: for each of some times, every sequence gets the smallest degree at which it alone
 * stays under it, or a larger one where it finds no room. The most promising first, until a bound says that no other
 * can win.
 *
 * @param members sequences, longest first
 * @param limit us; only what is faster counts
 * @returns `undefined` where none fits
 */
export function bestTarget(
  members: ArrayLike<number>,
  workload: Workload,
  placer: Placer,
  rounds: number,
  aims: Aims,
  limit = Number.POSITIVE_INFINITY,
): Degrees | undefined {
  let best: Degrees | undefined;
  let fastest = limit;
  for (const { levels, bound } of candidates(members, workload, aims)) {
    if (bound >= fastest) break;
    const time = placeOrWiden(members, levels, workload, placer, rounds);
    if (time >= fastest) continue;
    best = { levels, time };
    fastest = time;
  }
  return best;
}

interface Candidate {
  readonly levels: Int32Array;
  /** us; what no placement at these levels can beat */
  readonly bound: number;
}

/** Degrees of the members by every time aimed at, no two alike, the most promising first. */
function candidates(
  members: ArrayLike<number>,
  workload: Workload,
  aims: Aims,
): readonly Candidate[] {
  const found: Candidate[] = [];
  for (const time of timesAimedAt(members, workload, aims)) {
    const candidate = degreesUnder(time, members, workload);
    if (!found.some((other) => sameLevels(other, candidate))) found.push(candidate);
  }
  const order = found.map((_, n) => n);
  order.sort((a, b) => (found[a] as Candidate).bound - (found[b] as Candidate).bound || a - b);
  return order.slice(0, aims.most).map((n) => found[n] as Candidate);
}

function timesAimedAt(members: ArrayLike<number>, workload: Workload, aims: Aims): number[] {
  const { levels, capacity, size, problem } = workload;
  const local = levels[0] as Level;
  let work = 0;
  for (let at = 0; at < members.length; at += 1)
    work += local.work[members[at] as number] as number;
  const even = work / size;
  const times = aims.multiples.map((multiple) => multiple * even);
  for (let at = 0; at < Math.min(aims.longest, members.length); at += 1) {
    const sequence = members[at] as number;
    for (const level of levels) {
      if ((level.units[sequence] as number) > capacity) continue;
      const length = problem.lengths[sequence] as number;
      const alone = (level.work[sequence] as number) + levelCommunication(level, length);
      if (alone > LEAST_SHARE * even) times.push(alone * JUST_ABOVE);
    }
  }
  return times;
}

/** The smallest degree of every member at which it alone takes at most `target` us. */
function degreesUnder(target: number, members: ArrayLike<number>, workload: Workload): Candidate {
  const levels = new Int32Array(members.length);
  let work = 0;
  let longest = 0;
  for (let at = 0; at < members.length; at += 1) {
    const sequence = members[at] as number;
    const n = smallestUnder(target, sequence, workload);
    const level = workload.levels[n] as Level;
    const own = level.work[sequence] as number;
    levels[at] = n;
    work += level.degree * own;
    const length = workload.problem.lengths[sequence] as number;
    longest = Math.max(longest, own + levelCommunication(level, length));
  }
  return { levels, bound: Math.max(work / workload.size, longest) };
}

function sameLevels(a: Candidate, b: Candidate): boolean {
  if (a.bound !== b.bound) return false;
  for (let at = 0; at < a.levels.length; at += 1) if (a.levels[at] !== b.levels[at]) return false;
  return true;
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
