import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketFor, peakBytes } from "../../src/cost/bucket.js";
import { communicationRow } from "../../src/cost/collectives.js";
import {
  type MemorySetting,
  memoryModel,
  totalBytes,
  type ZeroStage,
} from "../../src/cost/memory.js";
import type { TransformerShape } from "../../src/cost/shape.js";
import { trainingWork } from "../../src/cost/work.js";

/** Qwen2.5-7B. */
const SHAPE: TransformerShape = {
  hidden_size: 3584,
  layers: 28,
  heads: 28,
  kv_heads: 4,
  head_dim: 128,
  intermediate_size: 18944,
  vocab_size: 152064,
  parameters: 7_615_616_512,
};
const SETTING: MemorySetting = {
  shape: SHAPE,
  precision: "bf16",
  checkpointing: "selective",
  zeroStage: 2,
  ranks: 32,
  contextParallel: 8,
  optimizerMoments: 2,
  lossChunk: 1024,
  zeroBucket: 50_000_000,
};
const fixedRow = (setting: MemorySetting, name: string) =>
  memoryModel(setting).fixed.find((row) => row.name === name)?.bytes ?? Number.NaN;

describe("trainingWork", () => {
  it("is six FLOPs a parameter and token for the matrices, and one more forward of the head", () => {
    const embedding = SHAPE.vocab_size * SHAPE.hidden_size;
    const matrices = SHAPE.parameters - 2 * embedding; // biases and norms are a ten-thousandth of it
    const { perToken } = trainingWork(SHAPE, "none");
    expect(perToken / (6 * matrices + 8 * embedding)).toBeCloseTo(1, 3);
  });

  it("counts causal attention as half of the square, three times over", () => {
    const halfSquare = 2 * 2 * SHAPE.heads * SHAPE.head_dim * 0.5;
    expect(trainingWork(SHAPE, "none").perTokenSquared).toBe(28 * 3 * halfSquare);
  });

  it("grows with what is recomputed", () => {
    const [none, selective, full] = (["none", "selective", "full"] as const).map((mode) =>
      trainingWork(SHAPE, mode),
    );
    expect(selective?.perToken).toBeGreaterThan(none?.perToken ?? 0);
    expect(full?.perToken).toBeGreaterThan(selective?.perToken ?? 0);
    expect(selective?.perTokenSquared).toBe(none?.perTokenSquared);
    expect((full?.perTokenSquared ?? 0) / (none?.perTokenSquared ?? 1)).toBeCloseTo(4 / 3);
  });
});

describe("memoryModel", () => {
  it("partitions optimizer states, gradients and weights from ZeRO 1, 2 and 3 on", () => {
    const rows = ["optimizer states", "gradients", "weights"];
    const whole = rows.map((name) => fixedRow({ ...SETTING, zeroStage: 0 }, name));
    expect(whole).toEqual([12, 2, 2].map((bytes) => bytes * SHAPE.parameters));
    for (const stage of [1, 2, 3] as const) {
      const shares = rows.map((name, n) =>
        Math.round((whole[n] ?? 0) / fixedRow({ ...SETTING, zeroStage: stage }, name)),
      );
      expect(shares).toEqual([32, stage >= 2 ? 32 : 1, stage >= 3 ? 32 : 1]);
    }
  });

  it("needs less for every token the more is recomputed", () => {
    const perToken = (["none", "selective", "full"] as const).map((checkpointing) =>
      totalBytes(memoryModel({ ...SETTING, checkpointing }).perToken),
    );
    expect([...perToken].sort((a, b) => b - a)).toEqual(perToken);
    expect(new Set(perToken).size).toBe(3);
  });

  it("gathers keys and values only where there is a group to gather from", () => {
    const row = (contextParallel: number) =>
      memoryModel({ ...SETTING, contextParallel }).perToken.find((r) =>
        r.name.startsWith("gathered"),
      );
    expect(row(1)?.bytes).toBe(0);
    expect(row(8)?.bytes).toBe((28 + 2) * 8 * 2 * 4 * 128 * 2);
  });
});

describe("bucketFor", () => {
  it("is the largest that fits, a dummy token included", () => {
    const settings = fc.record({
      zeroStage: fc.constantFrom<ZeroStage>(0, 1, 2, 3),
      contextParallel: fc.constantFrom(1, 2, 8),
      budget: fc.integer({ min: 1e9, max: 2e11 }),
    });
    fc.assert(
      fc.property(settings, ({ budget, ...rest }) => {
        const model = memoryModel({ ...SETTING, ...rest });
        const { tokens, room } = bucketFor(model, budget);
        if (tokens === 0) return room < 2 * totalBytes(model.perToken);
        return peakBytes(model, tokens + 1) <= budget && peakBytes(model, tokens + 2) > budget;
      }),
    );
  });
});

describe("communicationRow", () => {
  const setting = {
    within: { floor: 50, intercept: 60, slope: 6 },
    measuredRanks: 8,
    networkBytesPerSecond: 50e9,
    crossingFactor: 2,
    ranksPerNode: 8,
    bytesPerToken: 1000,
    count: 72,
  };

  it("is the measured latency at the measured degree", () => {
    expect(communicationRow(8, setting)).toEqual([3600, 4320, expect.closeTo(72 * 1000 * 6e-6, 9)]);
  });

  it("moves a smaller share of the whole over fewer ranks", () => {
    expect(communicationRow(2, setting)[2] / communicationRow(8, setting)[2]).toBeCloseTo(
      0.5 / 0.875,
    );
  });

  it("is as slow as the network where the group crosses nodes", () => {
    const [floor, intercept, slope] = communicationRow(16, setting);
    expect([floor, intercept]).toEqual([7200, 8640]);
    expect(slope).toBeCloseTo(((72 * 1000 * 15) / 16 / 50e9) * 1e6);
  });
});
