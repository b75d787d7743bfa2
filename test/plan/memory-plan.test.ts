import { describe, expect, it } from "vitest";
import type { MemoryRow } from "../../src/cost/memory-model.js";
import { allocatedBytes } from "../../src/plan/memory-plan.js";
import type { MemoryPlan } from "../../src/plan/plan.js";

const row = (id: MemoryRow["id"], bytes: number, phase?: MemoryRow["phase"]): MemoryRow => ({
  ...{ id, name: id, bytes },
  ...(phase === undefined ? {} : { phase }),
});

/** 1000 bytes all along, of which PyTorch does not see 7 and 20, and 10 + 1 of each of 50 tokens. */
const planOf = (step: number, peak_bytes: number): MemoryPlan => ({
  ...{ budget_bytes: 10_000, reserve_bytes: 0, bucket: 49, bucket_from: "spec", peak_bytes },
  ...{ zero_bucket: 0, zero_gather: null, attention_workspace: null, offload: "none", host: [] },
  fixed: [
    row("weights", 973),
    row("context", 7),
    row("communicators", 20),
    row("step", step, "step"),
  ],
  per_token: [row("activations", 10), row("fragmentation", 1)],
});

describe("what PyTorch allocates", () => {
  it("is the peak without CUDA's context, communicators and gaps", () => {
    expect(allocatedBytes(planOf(100, 1550))).toBe(973 + 50 * 10);
  });

  it("has no gaps of tokens at the optimizer's step", () => {
    expect(allocatedBytes(planOf(900, 1900))).toBe(973 + 900);
  });
});
