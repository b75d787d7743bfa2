import { expect, it } from "vitest";
import { chunks, twoStreams } from "../../src/schedule/construct/chunks.js";
import type { Problem } from "../../src/schedule/problem.js";
import { workloadOf } from "../../src/schedule/workload.js";

const workloadFor = (lengths: readonly number[]) =>
  workloadOf({
    format_version: 1,
    lengths,
    data_parallel: 1,
    context_parallel: 2,
    bucket: 100,
    padding: "exact",
    cost: {
      ...{ a1: 1, a2: 0, fixed: 0, least: 0, small_shard_tokens: 0 },
      comm: { 2: [0, 0, 0] },
    },
    policy: "auto",
    degrees: "local-or-all",
    objective: "lockstep",
    iterations: 0,
    time_budget_ms: 0,
    seed: 0,
  } satisfies Problem);

it("cuts the order into runs of equal memory, a sequence across a cut going where most of it is", () => {
  const workload = workloadFor([40, 30, 20, 10, 10, 10]);
  expect(chunks(workload.order, 2, workload)).toEqual([
    [0, 1],
    [2, 3, 4, 5],
  ]);
  expect(chunks(workload.order, 1, workload)).toEqual([[0, 1, 2, 3, 4, 5]]);
  expect(chunks([], 2, workload)).toEqual([[], []]);
  expect(chunks([0], 3, workload)).toEqual([[], [0], []]);
});

it("joins the longest runs with runs of the others", () => {
  const workload = workloadFor([180, 120, 90, 60, 30, 20]);
  // Longer than the bucket of 100: two of them.
  expect(twoStreams(workload.order, 2, 1, workload)).toEqual([
    [0, 2],
    [1, 3, 4, 5],
  ]);
  // Longer than half of it: four.
  expect(twoStreams(workload.order, 2, 2, workload)).toEqual([
    [0, 4],
    [1, 2, 3, 5],
  ]);
});
