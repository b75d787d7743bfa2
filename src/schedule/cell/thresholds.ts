import { MOST_TRIES } from "../../foundation/limits.generated.js";
import { type Level, levelCommunication, type Workload } from "../workload.js";
import type { Placer } from "./placer.js";

/** Degrees of a cell's members, as indices of the workload's levels, and the time that they give, us, without the fixed cost. */
export interface Degrees {
  readonly levels: Int32Array;
  readonly time: number;
}

/**
 * The best threshold: the k longest sequences are sharded over the widest groups, the others stay whole. Every k has a
 * lower bound; the most promising are placed, until a bound says that no other can win.
 *
 * @param members sequences, longest first
 * @returns `undefined` where none fits
 */
export function bestThreshold(
  members: ArrayLike<number>,
  workload: Workload,
  placer: Placer,
  rounds: number,
  tries = MOST_TRIES,
): Degrees | undefined {
  const top = workload.levels.length - 1;
  const bounds = thresholdBounds(members, workload);
  const levels = new Int32Array(members.length);
  let best: Degrees | undefined;
  // All sharded needs no trial to fit; it comes last unless its bound is good.
  for (let trial = 0; trial <= tries; trial += 1) {
    const last = best === undefined && trial === tries;
    const k = last ? members.length : indexOfLeast(bounds);
    const bound = bounds[k] as number;
    if (bound === Number.POSITIVE_INFINITY || (best && bound >= best.time)) break;
    if (!last && trial === tries) break;
    bounds[k] = Number.POSITIVE_INFINITY;
    for (let at = 0; at < members.length; at += 1) levels[at] = at < k ? top : 0;
    const time = placer.place(members, levels, rounds);
    if (time < (best?.time ?? Number.POSITIVE_INFINITY)) best = { levels: levels.slice(), time };
  }
  return best;
}

/**
 * For every k, about what the cell takes at least with its k longest sequences sharded, spread evenly over its widest
 * groups, us; infinite where memory forbids it.
 */
function thresholdBounds(members: ArrayLike<number>, workload: Workload): Float64Array {
  const { size, capacity, problem } = workload;
  const count = members.length;
  const local = workload.levels[0] as Level;
  const all = workload.levels.at(-1) as Level;
  const groups = size / all.degree;
  const bounds = new Float64Array(count + 1).fill(Number.POSITIVE_INFINITY);
  let localWork = 0;
  let localUnits = 0;
  for (let at = 0; at < count; at += 1) {
    localWork += local.work[members[at] as number] as number;
    localUnits += local.units[members[at] as number] as number;
  }
  let work = 0;
  let units = 0;
  let tokens = 0;
  for (let k = 0; k <= count; k += 1) {
    const longest = k < count ? (members[k] as number) : -1;
    const longestUnits = longest < 0 ? 0 : (local.units[longest] as number);
    const longestWork = longest < 0 ? 0 : (local.work[longest] as number);
    const spread = k < count ? localUnits / size : 0;
    if (units + longestUnits <= capacity && units + spread <= capacity) {
      const hidden = Math.max(levelCommunication(all, tokens), longestWork);
      bounds[k] = Math.max(hidden, k < count ? localWork / size : 0) + work;
    }
    if (longest < 0 || all.degree === 1) break;
    work += (all.work[longest] as number) / groups;
    units += (all.units[longest] as number) / groups;
    tokens += (problem.lengths[longest] as number) / groups;
    localWork -= longestWork;
    localUnits -= longestUnits;
  }
  return bounds;
}

function indexOfLeast(values: Float64Array): number {
  let best = 0;
  for (let n = 1; n < values.length; n += 1) {
    if ((values[n] as number) < (values[best] as number)) best = n;
  }
  return best;
}
