import type { Workload } from "../workload.js";
import { leastUnits } from "./balanced-bins.js";

/**
 * Sequences cut into `count` runs of about equal memory, in their order.
 *
 * @param sequences longest first
 */
export function chunks(
  sequences: readonly number[],
  count: number,
  workload: Workload,
): readonly (readonly number[])[] {
  let total = 0;
  for (const sequence of sequences) total += leastUnits(sequence, workload);
  const runs: number[][] = Array.from({ length: count }, () => []);
  let before = 0;
  for (const sequence of sequences) {
    const units = leastUnits(sequence, workload);
    // By its middle, so that one which lies across a cut goes where most of it is.
    const run = Math.floor(((before + units / 2) / total) * count);
    runs[Math.min(run, count - 1)]?.push(sequence);
    before += units;
  }
  return runs;
}

/**
 * The longest and the others each in runs of equal memory, the n-th runs together: the communication of long sequences that
 * are sharded hides behind the work of the longest of those that stay whole.
 *
 * @param sequences longest first
 * @param divisor the longest are those that do not fit a rank's bucket divided by this
 */
export function twoStreams(
  sequences: readonly number[],
  count: number,
  divisor: number,
  workload: Workload,
): readonly (readonly number[])[] {
  const { lengths, bucket } = workload.problem;
  let longest = 0;
  while (
    longest < sequences.length &&
    (lengths[sequences[longest] as number] as number) * divisor > bucket
  )
    longest += 1;
  const first = chunks(sequences.slice(0, longest), count, workload);
  const second = chunks(sequences.slice(longest), count, workload);
  return first.map((own, n) => [...own, ...(second[n] as readonly number[])]);
}
