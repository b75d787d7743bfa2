import type { Instance } from "./instance.js";

/** By ascending length, ties by index, so that every rank and both programs agree. */
export function shortestFirst(instance: Instance, sequences: readonly number[]): readonly number[] {
  return sequences.toSorted((a, b) => instance.length(a) - instance.length(b) || a - b);
}

/** By descending length, ties by index. */
export function longestFirst(instance: Instance, sequences: readonly number[]): readonly number[] {
  return sequences.toSorted((a, b) => instance.length(b) - instance.length(a) || a - b);
}

/** By descending work, ties by index. */
export function heaviestFirst(instance: Instance, sequences: readonly number[]): readonly number[] {
  return sequences.toSorted((a, b) => instance.wholeWork(b) - instance.wholeWork(a) || a - b);
}

/** Sequence i of the list to data rank i mod DP, as DeepSpeed's sampler deals them. */
export function dealt(instance: Instance, sequences: readonly number[]): readonly (readonly number[])[] {
  const hands = Array.from({ length: instance.problem.data_parallel }, (): number[] => []);
  for (const [position, sequence] of sequences.entries()) hands[position % hands.length]?.push(sequence);
  return hands;
}
