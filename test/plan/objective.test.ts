import { describe, expect, it } from "vitest";
import { codes, planOf } from "./make.js";

const of = (objective: string, zero: number) =>
  planOf({
    schedule: `{ global_batch = 2 ${objective} }`,
    parallel: `{ context = 2 zero = ${zero} }`,
  });

describe("objective = free", () => {
  it("is warned of where ranks wait for each other in every micro-batch", async () => {
    expect(codes(await of("objective = free", 3))).toContain("free-ranks-wait");
  });

  it.each([
    ["objective = free", 0],
    ["objective = lockstep", 3],
    ["", 3],
    ["objective = free cost = skrull-paper", 3],
  ])("is not warned of: '%s' under ZeRO %i", async (objective, zero) => {
    const made = await of(objective, zero);
    expect(made.plan).toBeDefined();
    expect(codes(made)).not.toContain("free-ranks-wait");
  });
});
