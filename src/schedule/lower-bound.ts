import { rankCount } from "./degrees.js";
import { pairBound } from "./pair-bound.js";
import type { Problem } from "./problem.js";
import { microBatchTime } from "./time-and-memory.js";
import { waitingBound } from "./waiting-bound.js";
import { type Level, levelCommunication, type Workload, workloadOf } from "./workload.js";

/** Rounds of {@link sumOverRanks}: it ends sooner but where very many sequences are long for their batch. */
const MOST_ROUNDS = 32;

/**
 * A time, us, that no schedule of the problem's degrees and objective can beat: the largest of seven bounds, each of
 * which holds for every schedule. Lockstep is never below free.
 */
export function lowerBound(problem: Problem): number {
  if (problem.lengths.length === 0) return 0;
  const workload = workloadOf(problem);
  const alone = longestAlone(workload);
  const work = sumOverRanks(workload, alone, workCosts);
  const communication = sumOverRanks(workload, alone, communicationCosts);
  const rest = Math.max(sharedRow(workload), fewestMicroBatches(workload));
  // Free ranks do not wait for each other between micro-batches: there, two sequences on two of them do not add up.
  const pairs = workload.rows === 1 ? pairBound(workload) : 0;
  const waiting = problem.degrees === "local-or-all" ? waitingBound(problem) : 0;
  return Math.max(alone, work, communication, rest, pairs, waiting);
}

/** The sequence that takes longest alone, at its best degree. */
function longestAlone({ levels, capacity, problem }: Workload): number {
  let longest = 0;
  for (let k = 0; k < problem.lengths.length; k += 1) {
    let best = Number.POSITIVE_INFINITY;
    for (const level of levels) {
      if ((level.units[k] as number) > capacity) continue;
      const time = timeAlone(k, level, problem);
      if (time < best) best = time;
    }
    // One that fits nowhere is refused elsewhere.
    if (best < Number.POSITIVE_INFINITY && best > longest) longest = best;
  }
  return microBatchTime(longest, problem);
}

const timeAlone = (sequence: number, level: Level, { lengths }: Problem): number =>
  levelCommunication(level, lengths[sequence] as number) + (level.work[sequence] as number);

/** What a sequence at a level adds to the sum of all ranks' times, at least; us. */
type Costs = (sequence: number, level: Level, workload: Workload) => number;

/** `max(communication, local work) >= local work`: work alone. */
const workCosts: Costs = (sequence, { degree, work }) => degree * (work[sequence] as number);

/**
 * `max(communication, local work) >= communication`: sharded work and its communication; a group's start-up is shared
 * by no more sequences than fit it.
 */
const communicationCosts: Costs = (sequence, level, { problem, capacity }) => {
  if (level.degree === 1) return 0;
  const { degree, work, units, slope, intercept } = level;
  const tokens = problem.lengths[sequence] as number;
  const start = intercept * ((units[sequence] as number) / capacity);
  return degree * ((work[sequence] as number) + slope * tokens + start);
};

/** A sequence that is too long for its cheapest degree, with what the others take alone and cost. */
interface Giant {
  readonly alone: readonly number[];
  readonly costs: readonly number[];
}

/**
 * The sum of what sequences cost, spread evenly over all ranks, with the fixed cost of the fewest micro-batches. In a
 * time T no sequence can have a degree at which it alone takes longer, and wider ones cost more: the smallest T that
 * is not below the sum that it implies.
 *
 * @param from a lower bound, at which every sequence has a degree
 */
function sumOverRanks(workload: Workload, from: number, costs: Costs): number {
  const { problem } = workload;
  const { fixed } = problem.cost;
  const ranks = problem.data_parallel * problem.context_parallel;
  const always = fixedCost(workload);
  const cheapest = cheapestOf(workload, costs);
  let time = Math.max(from, sumOf(cheapest.cost) / ranks + always);
  let sum = 0;
  const giants: Giant[] = [];
  for (let k = 0; k < problem.lengths.length; k += 1) {
    if ((cheapest.alone[k] as number) + fixed <= time) sum += cheapest.cost[k] as number;
    else giants.push(giantOf(k, workload, costs));
  }
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    let total = sum;
    let next = Number.POSITIVE_INFINITY;
    for (const giant of giants) {
      let least = Number.POSITIVE_INFINITY;
      for (let n = 0; n < giant.alone.length; n += 1) {
        const own = (giant.alone[n] as number) + fixed;
        if (own > time) next = Math.min(next, own);
        else least = Math.min(least, giant.costs[n] as number);
      }
      total += least;
    }
    const implied = total / ranks + always;
    if (implied <= time) return time;
    if (implied <= next) return implied;
    time = next;
  }
  return time;
}

/** Every sequence's least cost at a degree that fits, and what it takes alone there; zeros where none fits. */
function cheapestOf(workload: Workload, costs: Costs) {
  const { levels, capacity, problem } = workload;
  const cost = new Float64Array(problem.lengths.length);
  const alone = new Float64Array(problem.lengths.length);
  for (let k = 0; k < cost.length; k += 1) {
    let least = Number.POSITIVE_INFINITY;
    for (const level of levels) {
      if ((level.units[k] as number) > capacity) continue;
      const own = costs(k, level, workload);
      if (own >= least) continue;
      least = own;
      cost[k] = own;
      alone[k] = timeAlone(k, level, problem);
    }
  }
  return { cost, alone };
}

function giantOf(sequence: number, workload: Workload, costs: Costs): Giant {
  const { levels, capacity, problem } = workload;
  const fitting = levels.filter(({ units }) => (units[sequence] as number) <= capacity);
  return {
    alone: fitting.map((level) => timeAlone(sequence, level, problem)),
    costs: fitting.map((level) => costs(sequence, level, workload)),
  };
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** Fixed cost of the fewest micro-batches that memory allows, spread over the rows that share them. */
const fixedCost = (workload: Workload): number =>
  workload.problem.cost.fixed * microBatchesOfRow(workload);

/** What the fewest micro-batches take at least, whatever is in them. */
function fewestMicroBatches(workload: Workload): number {
  const { fixed, least } = workload.problem.cost;
  return (fixed + least) * microBatchesOfRow(workload);
}

/** The fewest micro-batches that memory allows, spread over the rows that share them; at least one. */
function microBatchesOfRow({ problem, capacity, size, rows }: Workload): number {
  let units = 0;
  for (const length of problem.lengths) units += length * problem.context_parallel;
  return Math.max(1, Math.ceil(units / (capacity * size)) / rows);
}

/**
 * Of the k R + 1 longest sequences, some of R rows gets k + 1: no less work than the k + 1 shortest of them have, spread
 * over the row's ranks.
 */
function sharedRow({ order, levels, problem }: Workload): number {
  const pool = problem.degrees === "pool";
  const rows = pool ? 1 : problem.data_parallel;
  const size = pool ? rankCount(problem) : problem.context_parallel;
  const { work } = levels[0] as Level;
  const upTo = new Float64Array(order.length + 1);
  for (let n = 0; n < order.length; n += 1) {
    upTo[n + 1] = (upTo[n] as number) + (work[order[n] as number] as number);
  }
  let most = 0;
  for (let k = 1; k * rows < order.length; k += 1) {
    const shared = (upTo[k * rows + 1] as number) - (upTo[k * rows - k] as number);
    if (shared > most) most = shared;
  }
  return most / size + problem.cost.fixed;
}
