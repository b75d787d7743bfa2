import { describe, expect, it } from "vitest";
import type { Performance, StepParts } from "../../src/plan/performance.js";
import { asGood } from "../../src/plan/robust.js";

const NOTHING: StepParts = {
  ...{ work: 0, communication: 0, fixed: 0, stalled: 0, waiting: 0, step: 0 },
};

/** A setting of that name whose step consists of parts. */
function setting(name: string, own: Partial<StepParts>) {
  const parts = { ...NOTHING, ...own };
  const seconds = Object.values(parts).reduce((sum, part) => sum + part, 0);
  const spread = { mean: seconds, p50: seconds, p95: seconds, worst: seconds };
  const performance: Performance = {
    ...{ step_seconds: spread, parts, tokens_per_second: 1 / seconds, micro_batches: spread },
    ...{ degrees: [], recomputation: [], gap: 0 },
  };
  return { name, performance };
}

const good = (...settings: ReturnType<typeof setting>[]) =>
  asGood(settings, ({ performance }) => performance).map(({ name }) => name);

describe("settings that are as good", () => {
  it("are the fastest where others are clearly slower", () => {
    expect(good(setting("slow", { work: 1.03 }), setting("fast", { work: 1 }))).toEqual(["fast"]);
  });

  it("are all that take as long for the same reasons, in their order", () => {
    expect(good(setting("a", { work: 1.001 }), setting("b", { work: 1 }))).toEqual(["a", "b"]);
    expect(good(setting("a", { work: 1 }), setting("b", { work: 1 }))).toEqual(["a", "b"]);
  });

  it("are none of none", () => {
    expect(good()).toEqual([]);
  });

  it("have less work where micro-batches take longer than that", () => {
    const busy = setting("busy", { work: 0.95, stalled: 0.05 });
    expect(good(busy, setting("idle", { work: 0.6, stalled: 0.4 }))).toEqual(["idle"]);
  });

  it("depend on several figures rather than on one", () => {
    const communicates = setting("communicates", { work: 0.6, communication: 0.4 });
    const starts = setting("starts", { work: 0.6, fixed: 0.4 });
    const both = setting("both", { work: 0.6, communication: 0.2, fixed: 0.205 });
    expect(good(communicates, both, starts)).toEqual(["both"]);
  });
});
