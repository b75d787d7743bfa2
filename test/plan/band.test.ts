import { describe, expect, it } from "vitest";
import { bandLines, bandOf, kindOf } from "../../src/plan/band.js";
import { BANDS } from "../../src/plan/bands.generated.js";
import type { Setup } from "../../src/plan/setup.js";

interface Run {
  readonly device?: "cuda" | "cpu";
  readonly offload?: "none" | "optimizer" | "all";
  readonly nodes?: number;
  readonly context?: number;
  readonly ranks?: number;
  readonly measured?: readonly string[];
}

/** What a band depends on of a setup. */
function setupOf({
  device = "cuda",
  offload = "none",
  nodes = 1,
  context = 1,
  ranks = 8,
  measured = [],
}: Run): Setup {
  return {
    spec: { memory: { offload } },
    topology: { device, nodes, context_parallel: context, ranks },
    hardware: { measured },
  } as unknown as Setup;
}

describe("the kind of a run", () => {
  it.each<[Run, string]>([
    [{ ranks: 1 }, "one GPU"],
    [{ ranks: 2 }, "one node"],
    [{ context: 2 }, "shared sequences"],
    [{ context: 2, nodes: 2 }, "several nodes"],
    [{ context: 2, nodes: 2, offload: "optimizer" }, "offload"],
    [{ ranks: 1, offload: "all" }, "offload"],
    [{ device: "cpu", nodes: 2, offload: "all" }, "CPU"],
  ])("of %j is %s", (run, kind) => expect(kindOf(setupOf(run))).toBe(kind));
});

describe("the error band of a prediction", () => {
  const published: Readonly<Record<string, typeof BANDS.all>> = BANDS.kinds as never;

  it("is that of published runs of its kind", () => {
    const { time, memory } = published["one node"] ?? BANDS.all;
    expect(bandOf(setupOf({}))).toEqual({
      ...{ kind: "one node", time: time.error, time_points: time.points },
      ...{ memory: memory.error, memory_points: memory.points },
    });
  });

  it("is of time by a profile's where it has the speed of matrix products", () => {
    const plain = bandOf(setupOf({}));
    const profiled = bandOf(setupOf({ measured: ["matmul_flops"] }));
    expect(profiled).toEqual({ ...plain, kind: "profiled", time: 0.2, time_points: 120 });
    expect(bandOf(setupOf({ measured: ["step_us"] }))).toEqual(plain);
  });

  it("is of all published runs, and wide in time, on a CPU", () => {
    expect(bandOf(setupOf({ device: "cpu" }))).toEqual({
      ...{ kind: "CPU", time: 5, time_points: 120 },
      ...{ memory: BANDS.all.memory.error, memory_points: BANDS.all.memory.points },
    });
  });

  it("is a row of the table, in whole percent", () => {
    const lines = bandLines();
    expect(lines).toHaveLength(2 + Object.keys(BANDS.kinds).length + 1);
    const { time, memory } = BANDS.all;
    const cells = [time, memory].map((of) => `±${Math.round(100 * of.error)}% (${of.points})`);
    expect(lines.at(-1)).toBe(`| all of them | ${cells.join(" | ")} |`);
  });

  it("is a share of every kind, of at least some runs", () => {
    for (const { time, memory } of [BANDS.all, ...Object.values(BANDS.kinds)])
      for (const { error, points } of [time, memory]) {
        expect(error).toBeGreaterThan(0);
        expect(error).toBeLessThan(1);
        expect(points).toBeGreaterThan(4);
      }
  });
});
