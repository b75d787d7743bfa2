import { describe, expect, it } from "vitest";
import type { MemoryPhase, MemoryRow } from "../../src/cost/memory-model.js";
import { PHASES } from "../../src/cost/memory-model.js";
import { MOMENTS, memoryTable } from "../../src/plan/memory-table.js";
import type { MemoryPlan } from "../../src/plan/plan.js";

const row = (id: MemoryRow["id"], bytes: number, phase?: MemoryPhase): MemoryRow => ({
  ...{ id, name: id, bytes },
  ...(phase === undefined ? {} : { phase }),
});

/** Of 99 tokens and a dummy: 1300 bytes all along, and 200, 1000 at most 60 of them, in attention's backward. */
const PLAN: MemoryPlan = {
  ...{ budget_bytes: 10_000, reserve_bytes: 0, bucket: 99, bucket_from: "spec", peak_bytes: 0 },
  ...{ zero_bucket: 0, zero_gather: null, attention_workspace: null, offload: "none", host: [] },
  fixed: [
    row("weights", 1000),
    row("gradients", 0),
    row("logits", 70, "loss"),
    row("step", 500, "step"),
  ],
  per_token: [
    row("activations", 3),
    row("attention-at-work", 2, "attention"),
    { ...row("gathered", 10, "attention"), most: 60 },
    row("model-ends", 1, "loss"),
  ],
};

describe("the table of a rank's memory", () => {
  it("has the rows of its fullest moment, which add up to the peak, and other moments", () => {
    const { rows, ...table } = memoryTable(PLAN);
    expect(rows).toEqual([
      { name: "weights", bytes: 1000 },
      { name: "activations, full bucket", bytes: 300 },
      { name: "attention-at-work, full bucket", bytes: 200 },
      { name: "gathered, full bucket", bytes: 60 },
    ]);
    expect(table).toEqual({
      fullest: "attention",
      peak: 1560,
      others: [
        { phase: "loss", bytes: 1470 },
        { phase: "step", bytes: 1500 },
      ],
    });
  });

  it("has no tokens where the optimizer's step is fullest", () => {
    const { rows, fullest, peak } = memoryTable({ ...PLAN, bucket: 9 });
    expect(rows).toEqual([
      { name: "weights", bytes: 1000 },
      { name: "step", bytes: 500 },
    ]);
    expect([fullest, peak]).toEqual(["step", 1500]);
  });

  it("has words of every moment", () => {
    expect(Object.keys(MOMENTS).sort()).toEqual([...PHASES].sort());
  });
});
