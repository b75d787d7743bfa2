import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { adaptableOf, adapterParameters, loraShape } from "../../src/cost/adapters.js";
import { bucketFor, peakBytes } from "../../src/cost/bucket.js";
import {
  type CollectiveCounts,
  type CollectiveSetting,
  communicationRow,
} from "../../src/cost/collectives.js";
import { communicatorBytes } from "../../src/cost/communicators.js";
import type { CollectiveTable } from "../../src/cost/hardware.js";
import {
  type MemoryRowId,
  type MemorySetting,
  memoryModel,
  totalBytes,
  type ZeroStage,
} from "../../src/cost/memory.js";
import type { TransformerShape } from "../../src/cost/shape.js";
import { pairsInWindow, windowPairs } from "../../src/cost/window.js";
import { modelFlops, paperWork, trainingWork, type WorkSetting } from "../../src/cost/work.js";

/** Qwen2.5-7B. */
const SHAPE: TransformerShape = {
  hidden_size: 3584,
  layers: 28,
  heads: 28,
  kv_heads: 4,
  head_dim: 128,
  intermediate_size: 18944,
  gated_mlp: true,
  experts: null,
  sliding_window: null,
  vocab_size: 152064,
  parameters: 7_615_616_512,
};
const SETTING: MemorySetting = {
  shape: SHAPE,
  precision: "bf16",
  gradients: "bf16",
  routerLoss: false,
  checkpointing: "selective",
  fused: false,
  zeroStage: 2,
  ranks: 32,
  largestGroup: 8,
  optimizerMoments: 2,
  lossChunk: 1024,
  zeroBucket: 50_000_000,
  activationFactor: 1,
  reduction: "every-micro-batch",
  offload: "none",
  lora: null,
  groups: null,
  orderedSums: false,
};
const fixedRow = (setting: MemorySetting, wanted: MemoryRowId) =>
  memoryModel(setting).fixed.find(({ id }) => id === wanted)?.bytes ?? Number.NaN;

const WORK: WorkSetting = {
  shape: SHAPE,
  checkpointing: "none",
  targetShare: 1,
  lora: null,
  lengths: [100, 4000],
};
const embedding = SHAPE.vocab_size * SHAPE.hidden_size;
/** Without biases and norms, a ten-thousandth of all. */
const matrices = SHAPE.parameters - 2 * embedding;

describe("trainingWork", () => {
  it("is six FLOPs a parameter and token for the matrices, the head's too", () => {
    const { perToken } = trainingWork(WORK);
    expect(perToken / (6 * (matrices + embedding))).toBeCloseTo(1, 3);
  });

  it("is four FLOPs a parameter where matrices are frozen, and six an adapter's", () => {
    const widths = 1000;
    const { perToken, perTokenSquared } = trainingWork({ ...WORK, lora: { rank: 16, widths } });
    const adapters = 28 * 6 * 16 * widths;
    expect(perToken / (4 * (matrices + embedding) + adapters)).toBeCloseTo(1, 3);
    expect(perTokenSquared).toBe(trainingWork(WORK).perTokenSquared);
  });

  it("counts causal attention as half of the square, three times over", () => {
    const halfSquare = 2 * 2 * SHAPE.heads * SHAPE.head_dim * 0.5;
    expect(trainingWork(WORK).perTokenSquared).toBe(28 * 3 * halfSquare);
  });

  it("grows with what is recomputed", () => {
    const [none, selective, full] = (["none", "selective", "full"] as const).map((checkpointing) =>
      trainingWork({ ...WORK, checkpointing }),
    );
    expect(selective?.perToken).toBeGreaterThan(none?.perToken ?? 0);
    expect(full?.perToken).toBeGreaterThan(selective?.perToken ?? 0);
    expect(selective?.perTokenSquared).toBe(none?.perTokenSquared);
    expect((full?.perTokenSquared ?? 0) / (none?.perTokenSquared ?? 1)).toBeCloseTo(4 / 3);
  });

  it("counts the experts that a token passes through, not all of them", () => {
    const dense = { ...SHAPE, intermediate_size: 2 * 4096 };
    const sparse = { ...SHAPE, experts: { layers: 28, count: 64, active: 2, width: 4096 } };
    const router = 28 * 3 * 2 * SHAPE.hidden_size * 64;
    const difference =
      trainingWork({ ...WORK, shape: sparse }).perToken -
      trainingWork({ ...WORK, shape: dense }).perToken;
    expect(difference).toBeCloseTo(router, 0);
  });

  it("has two matrices in a plain MLP", () => {
    const plain = trainingWork({ ...WORK, shape: { ...SHAPE, gated_mlp: false } });
    const mlp = 28 * 3 * 2 * SHAPE.hidden_size * SHAPE.intermediate_size;
    expect(trainingWork(WORK).perToken - plain.perToken).toBeCloseTo(mlp, -3);
  });

  it("is the whole square where every sequence is within the window", () => {
    const shape = { ...SHAPE, sliding_window: { tokens: 4096, layers: 28 } };
    expect(trainingWork({ ...WORK, shape })).toEqual(trainingWork(WORK));
  });

  it("narrows the attention of the layers with a window", () => {
    const attention = (layers: number) => {
      const shape = { ...SHAPE, sliding_window: { tokens: 1024, layers } };
      const work = trainingWork({ ...WORK, shape, lengths: [500, 20_000, 60_000] });
      return 60_000 * work.attentionPerToken + 60_000 ** 2 * work.perTokenSquared;
    };
    const whole = trainingWork(WORK).perTokenSquared * 60_000 ** 2;
    expect(attention(0)).toBe(whole);
    expect(attention(14) / whole).toBeCloseTo(0.5 + 0.5 * (attention(28) / whole));
    expect(attention(28) / whole).toBeLessThan(0.1);
  });
});

describe("paperWork", () => {
  it("gives the study's costs from the paper's formula", () => {
    // a1 and a2 in us of the 0.5B setting, at 200 TFLOP/s.
    const half = { ...SHAPE, hidden_size: 896, layers: 24, kv_heads: 2, head_dim: 64 };
    const { perToken, perTokenSquared } = paperWork(half);
    expect(perToken / 2e8).toBeCloseTo(5.944, 2);
    expect(perTokenSquared / 2e8).toBeCloseTo(0.00129, 5);
  });
});

describe("windowPairs", () => {
  it("is near the exact count over lengths of any mix, and never negative", () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 50_000 }), (own, window) => {
        const { perToken, perTokenSquared } = windowPairs(window, own);
        expect(perToken).toBeGreaterThanOrEqual(0);
        expect(perTokenSquared).toBeGreaterThanOrEqual(0);
        const errors = own.map((tokens) => {
          const exact = pairsInWindow(window, tokens);
          return (perToken * tokens + perTokenSquared * tokens * tokens) / exact - 1;
        });
        const squares = errors.reduce((sum, error) => sum + error * error, 0);
        // Better than no cost at all, by far where lengths do not differ.
        expect(squares).toBeLessThan(own.length);
        if (new Set(own).size === 1) expect(squares).toBeCloseTo(0, 6);
      }),
    );
  });

  it("is a band for lengths far beyond the window", () => {
    const { perToken, perTokenSquared } = windowPairs(1000, [50_000, 60_000, 100_000]);
    expect(perToken / 1000).toBeCloseTo(1, 1);
    expect(perTokenSquared * 100_000).toBeLessThan(50);
  });
});

describe("memoryModel", () => {
  it("partitions optimizer states, gradients and weights from ZeRO 1, 2 and 3 on", () => {
    const rows = ["optimizer", "gradients", "weights"] as const;
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
    const perToken = (["none", "selective", "attention", "full"] as const).map((checkpointing) =>
      totalBytes(memoryModel({ ...SETTING, checkpointing }).perToken),
    );
    expect([...perToken].sort((a, b) => b - a)).toEqual(perToken);
    expect(new Set(perToken).size).toBe(4);
  });

  it("recomputes all but attention where its outputs are kept", () => {
    const of = (checkpointing: "selective" | "attention" | "full") =>
      trainingWork({ ...WORK, checkpointing });
    expect(of("attention").perTokenSquared).toBe(of("selective").perTokenSquared);
    expect(of("attention").perToken).toBe(of("full").perToken);
    expect(of("full").perTokenSquared).toBeGreaterThan(of("attention").perTokenSquared);
  });

  it("keeps less of norms and gated MLPs that are fused", () => {
    const kept = (fused: boolean) =>
      memoryModel({ ...SETTING, fused }).perToken.find(({ id }) => id === "activations");
    expect(kept(true)?.bytes).toBeLessThan((kept(false)?.bytes ?? 0) * 0.95);
  });

  it("gathers keys and values only where there is a group to gather from", () => {
    const row = (largestGroup: number) =>
      memoryModel({ ...SETTING, largestGroup }).perToken.find(({ id }) => id === "gathered");
    expect(row(1)?.bytes).toBe(0);
    expect(row(8)?.bytes).toBe((28 + 2) * 8 * 2 * 4 * 128 * 2);
  });
});

describe("the loss of the router", () => {
  it("keeps logits and probabilities of every layer with experts", () => {
    const experts = { layers: 24, count: 64, active: 2, width: 512 };
    const setting: MemorySetting = { ...SETTING, shape: { ...SHAPE, experts } };
    const row = (routerLoss: boolean) =>
      memoryModel({ ...setting, routerLoss }).perToken.find(({ name }) => name.includes("router"));
    expect(row(true)?.bytes).toBe(24 * 64 * 6);
    expect(row(false)).toBeUndefined();
  });
});

describe("gradients that are added in fp32", () => {
  const wide: MemorySetting = { ...SETTING, gradients: "fp32" };

  it("take 4 bytes a parameter, whole or shared", () => {
    for (const [zeroStage, share] of [
      [0, 1],
      [1, 1],
      [2, 32],
      [3, 32],
    ] as const) {
      const bytes = fixedRow({ ...wide, zeroStage }, "gradients");
      expect(bytes).toBe(Math.ceil((4 * SHAPE.parameters) / share));
    }
    expect(fixedRow({ ...wide, reduction: "once" }, "gradients")).toBe(4 * SHAPE.parameters);
  });

  it("are reduced in fp32, in a copy of the bucket", () => {
    const more = (row: MemoryRowId) => fixedRow(wide, row) - fixedRow(SETTING, row);
    expect(more("step")).toBe(4 * 50_000_000);
  });

  it("change nothing of a model in fp32", () => {
    const plain: MemorySetting = { ...SETTING, precision: "fp32" };
    expect(memoryModel({ ...plain, gradients: "fp32" })).toEqual(memoryModel(plain));
  });

  it("stay on the GPU under ZeRO 2 with an offloaded optimizer, and not under ZeRO 3", () => {
    const offload = "optimizer" as const;
    expect(fixedRow({ ...SETTING, offload }, "gradients")).toBe(0);
    expect(fixedRow({ ...wide, offload }, "gradients")).toBe(Math.ceil(SHAPE.parameters / 8));
    const three = memoryModel({ ...wide, offload, zeroStage: 3 });
    expect(fixedRow({ ...wide, offload, zeroStage: 3 }, "gradients")).toBe(0);
    expect(three.host.find(({ id }) => id === "gradients")?.bytes).toBe(
      Math.ceil(SHAPE.parameters / 8),
    );
  });
});

describe("memory of the loss", () => {
  it("is a chunk's logits and the fp32 gradient of the head, with a product that is added to it", () => {
    const { lossChunk } = SETTING;
    expect(fixedRow(SETTING, "logits")).toBe(lossChunk * SHAPE.vocab_size * 6);
    expect(fixedRow(SETTING, "head-gradient")).toBe(embedding * 6);
    expect(fixedRow({ ...SETTING, precision: "fp32" }, "head-gradient")).toBe(embedding * 8);
  });

  it("has no gradient of a frozen head", () => {
    const lora = loraShape(SHAPE, 16, ["q_proj"]);
    expect(fixedRow({ ...SETTING, lora }, "head-gradient")).toBe(0);
  });
});

describe("bucketFor", () => {
  it("is the largest that fits, a dummy token included", () => {
    const settings = fc.record({
      zeroStage: fc.constantFrom<ZeroStage>(0, 1, 2, 3),
      largestGroup: fc.constantFrom(1, 2, 8),
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
  const table = (ranks: number, nodes: number, scale = 1): CollectiveTable => ({
    ranks,
    nodes,
    megabytes: [1, 10, 100],
    all_gather_us: [66, 120, 660].map((time) => scale * time),
    reduce_scatter_us: [66, 120, 660].map((time) => scale * time),
  });
  const setting: CollectiveSetting = {
    tables: [table(8, 1)],
    networkBytesPerSecond: 50e9,
    crossingFactor: 2,
    ranksPerNode: 8,
    bytesPerToken: 1000,
    counts: { gathers: 36, all_to_alls: 36 },
  };
  const close = (row: readonly number[]) => row.map((value) => expect.closeTo(value, 6));

  it("is the measured latency at the measured degree", () => {
    expect(communicationRow(8, setting)).toEqual(close([72 * 66, 72 * 60, 72 * 1000 * 6e-6]));
  });

  it("takes the times of each kind, and a reduce-scatter's for an all-to-all that was not measured", () => {
    const measured = { ...table(8, 1), all_to_all_us: [100, 1000, 10_000] };
    const floor = (counts: CollectiveCounts, of: CollectiveTable = measured) =>
      communicationRow(8, { ...setting, tables: [of], counts })[0];
    expect(floor({ gathers: 2, all_to_alls: 3 })).toBe(2 * 66 + 3 * 100);
    expect(floor({ scatters: 3 })).toBe(3 * 66);
    expect(floor({ all_to_alls: 3 }, table(8, 1))).toBe(3 * 66);
  });

  it("moves a smaller share of the whole over fewer ranks", () => {
    expect(communicationRow(2, setting)[2] / communicationRow(8, setting)[2]).toBeCloseTo(
      0.5 / 0.875,
    );
  });

  it("is as slow as the network where the group crosses nodes", () => {
    const [floor, intercept, slope] = communicationRow(16, setting);
    expect([floor, intercept]).toEqual(close([2 * 72 * 66, 2 * 72 * 60]));
    expect(slope).toBeCloseTo(((72 * 1000 * 15) / 16 / 50e9) * 1e6);
  });

  it("takes a measured table of the nearest size, and one that crosses nodes for a group that does", () => {
    const tables = [table(2, 1, 3), table(8, 1), table(16, 2, 5), table(64, 8, 7)];
    const floors = [2, 4, 8, 16, 32, 64].map(
      (degree) => communicationRow(degree, { ...setting, tables })[0] / (72 * 66),
    );
    expect(floors).toEqual(close([3, 3, 1, 5, 5, 7]));
    expect(communicationRow(16, { ...setting, tables })[2]).toBeCloseTo(5 * 72 * 1000 * 6e-6);
  });
});

describe("what is trained and where it is kept", () => {
  const hostBytes = (setting: MemorySetting) =>
    memoryModel(setting).host.reduce((sum, { bytes }) => sum + bytes, 0);

  it("needs whole gradients where they are reduced once a step", () => {
    const once: MemorySetting = { ...SETTING, reduction: "once" };
    expect(fixedRow(once, "gradients")).toBe(2 * SHAPE.parameters);
    expect(fixedRow(SETTING, "gradients")).toBe(Math.ceil((2 * SHAPE.parameters) / 32));
  });

  it("moves the optimizer's 12 bytes a parameter, and its gradients, to the host", () => {
    const offloaded: MemorySetting = { ...SETTING, offload: "optimizer" };
    expect(fixedRow(offloaded, "optimizer")).toBe(0);
    const share = SHAPE.parameters / 32;
    expect(hostBytes(offloaded)).toBeCloseTo(share * (12 + 4), -1);
    expect(hostBytes(SETTING)).toBe(0);
  });

  it("moves the weights too, but for what is gathered at a time", () => {
    const all: MemorySetting = { ...SETTING, zeroStage: 3, ranks: 2, offload: "all" };
    expect(fixedRow(all, "weights")).toBe(2 * 50_000_000 * 2);
    expect(hostBytes(all)).toBeCloseTo((SHAPE.parameters / 2) * (2 + 12 + 2 + 4), -1);
  });

  it("counts gradients and optimizer states of adapters alone", () => {
    const lora = loraShape(SHAPE, 16, ["q_proj", "k_proj", "down_proj"]);
    const widths = 3584 + 3584 + (3584 + 512) + (3584 + 18944);
    expect(adapterParameters(SHAPE, lora)).toBe(SHAPE.layers * 16 * widths);
    const adapted: MemorySetting = { ...SETTING, zeroStage: 1, lora };
    const trained = adapterParameters(SHAPE, lora);
    expect(fixedRow(adapted, "gradients")).toBe(2 * trained);
    expect(fixedRow(adapted, "optimizer")).toBe(Math.ceil((12 * trained) / 32));
    expect(fixedRow(adapted, "weights")).toBe(2 * (SHAPE.parameters + trained));
  });

  it("knows which matrices a layer has", () => {
    expect(adaptableOf(SHAPE)).toContain("gate_proj");
    expect(adaptableOf({ ...SHAPE, gated_mlp: false })).toEqual(
      expect.arrayContaining(["q_proj", "c_fc", "c_proj"]),
    );
    const experts = { layers: 28, count: 8, active: 2, width: 64 };
    expect(adaptableOf({ ...SHAPE, experts })).toEqual(["q_proj", "k_proj", "v_proj", "o_proj"]);
  });
});

describe("modelFlops", () => {
  it("does not count recomputation", () => {
    const plain = modelFlops(WORK);
    expect(modelFlops({ ...WORK, checkpointing: "full" })).toEqual(plain);
    const work = trainingWork(WORK);
    expect(plain.per_token_squared).toBe(work.perTokenSquared);
    expect(plain.per_token).toBeCloseTo(6 * (matrices + embedding), -9);
  });
});

describe("communicators", () => {
  const bytes = (ranks: number, degrees: number[], ranksPerNode = 8) =>
    communicatorBytes({ ranks, degrees, ranksPerNode }) / 1e6;

  it("take what was measured", () => {
    expect(bytes(1, [])).toBe(0);
    expect(bytes(2, [])).toBe(544);
    expect(bytes(8, [])).toBe(688);
    // NVIDIA/nccl#1685: 3.28 GB more with the first all-to-all of 8 H100.
    expect(bytes(8, [8]) - 2 * bytes(8, [])).toBeCloseTo(3280, -1);
  });

  it("add up over the groups of a rank, less for ranks of another node", () => {
    expect(bytes(8, [2, 8])).toBe(bytes(8, [8]) + 544 + 469);
    expect(bytes(16, [16])).toBeCloseTo(bytes(8, [8]) + 8 * 25);
  });

  it("are a row of the plan on GPUs", () => {
    expect(fixedRow(SETTING, "communicators")).toBeNaN();
    const groups = { ranks: 32, degrees: [8], ranksPerNode: 8 };
    expect(fixedRow({ ...SETTING, groups }, "communicators")).toBe(communicatorBytes(groups));
  });
});

describe("sums in order", () => {
  it("take a copy of the queries' gradient a multiprocessor for each sequence and head", () => {
    const row = (orderedSums: boolean) =>
      memoryModel({ ...SETTING, orderedSums }).perToken.find(({ name }) => name.includes("order"));
    expect(row(false)).toBeUndefined();
    // One sequence, a slice of one head of 128: 148 copies of 4 bytes; 28 heads add one of each.
    expect(row(true)?.bytes).toBe((148 + 28) * 128 * 4);
  });
});
