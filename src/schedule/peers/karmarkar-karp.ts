import { allSharded, fullDegree } from "../policies/parts/full-degree.js";
import type { Problem } from "../problem.js";
import type { Assignment } from "../schedule.js";
import { bucketUnits, shardUnits, workOf } from "../time-and-memory.js";
import { differencing } from "./differencing.js";
import { more } from "./more.js";

/**
 * Balancing by FLOPs as verl (`verl/utils/seqlen_balancing.py`) and slime do it, of our own reading: the batch over the
 * data-parallel ranks by the largest differencing method, as many sequences each where they divide; then each
 * rank's part, by the same method, into as many micro-batches as the tokens of the fullest rank need; the heaviest
 * first. Every sequence is sharded over the context-parallel group (Ulysses).
 *
 * FLOPs are the problem's, where verl's are those of a 7B model. verl lets a micro-batch be longer than it is meant
 * to be; memory does not here: every rank then gets more of them.
 *
 * @throws Infeasible
 */
export function karmarkarKarp(problem: Problem): Assignment {
  const { lengths, data_parallel: ranks } = problem;
  const degree = fullDegree(problem);
  const capacity = bucketUnits(problem);
  const work = lengths.map((length) => workOf(length, 1, problem));
  const units = lengths.map((length) => shardUnits(length, degree, problem));
  const rows = differencing(work, ranks, lengths.length % ranks === 0);
  const filled = rows.map((own) => sumOf(own, units) / capacity);
  let count = Math.max(1, Math.ceil(Math.max(0, ...filled)));
  for (;;) {
    const split = rows.map((own) => intoMicroBatches(own, work, count));
    if (split.every((own) => own.every((one) => sumOf(one, units) <= capacity)))
      return allSharded(split, problem);
    count = more(count);
  }
}

function intoMicroBatches(own: readonly number[], work: readonly number[], count: number) {
  const values = own.map((sequence) => work[sequence] as number);
  return differencing(values, count).map((part) => part.map((at) => own[at] as number));
}

function sumOf(sequences: readonly number[], values: readonly number[]): number {
  let sum = 0;
  for (const sequence of sequences) sum += values[sequence] as number;
  return sum;
}
