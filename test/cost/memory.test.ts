import { describe, expect, it } from "vitest";
import {
  bytesPerLogit,
  gatheredBytes,
  gradientBytes,
  type MemorySetting,
  memoryModel,
  totalBytes,
  type ZeroStage,
} from "../../src/cost/memory.js";
import { SMALL, SPARSE } from "./small-shape.js";

const SETTING: MemorySetting = {
  shape: SMALL,
  precision: "bf16",
  gradients: "bf16",
  routerLoss: false,
  checkpointing: "none",
  fused: false,
  zeroStage: 0,
  ranks: 4,
  largestGroup: 2,
  optimizerMoments: 2,
  lossChunk: 6,
  zeroBucket: 100,
  activationFactor: 1,
  reduction: "every-micro-batch",
  offload: "none",
  lora: null,
  groups: null,
  orderedSums: false,
};

/** Bytes of weights, gradients, optimizer states, and of the step and its buckets. */
const states = (change: Partial<MemorySetting>) =>
  memoryModel({ ...SETTING, ...change })
    .fixed.slice(0, 4)
    .map(({ bytes }) => bytes);
const host = (change: Partial<MemorySetting>) =>
  Object.fromEntries(
    memoryModel({ ...SETTING, ...change }).host.map(({ name, bytes }) => [name, bytes]),
  );
const perToken = (change: Partial<MemorySetting>) =>
  Object.fromEntries(
    memoryModel({ ...SETTING, ...change }).perToken.map(({ name, bytes }) => [name, bytes]),
  );

// 1001 parameters over 4 ranks: 2, 2, 12 and 4 bytes each are 2002, 2002, 12012 and 4004, a quarter of them rounded up.
// Buckets are two of 100 elements in 2 bytes.
describe("states of a model in bf16", () => {
  it.each<[ZeroStage, number[]]>([
    [0, [2002, 2002, 12012, 4004]],
    [1, [2002, 2002, 3003, 1001 + 400]],
    [2, [2002, 501, 3003, 1001 + 400]],
    [3, [501, 501, 3003, 1001 + 400]],
  ])("under ZeRO %i", (zeroStage, expected) => {
    expect(states({ zeroStage })).toEqual(expected);
  });

  it.each<[ZeroStage, number[]]>([
    [0, [2002, 4004, 12012, 4004]],
    [1, [2002, 4004, 3003, 1001 + 800]],
    [2, [2002, 1001, 3003, 1001 + 800]],
    [3, [501, 1001, 3003, 1001 + 800]],
  ])("under ZeRO %i with gradients in fp32, whose bucket has a copy", (zeroStage, expected) => {
    expect(states({ zeroStage, gradients: "fp32" })).toEqual(expected);
  });

  it("with gradients that are whole where they are reduced once a step", () => {
    expect(states({ zeroStage: 2, reduction: "once" })[1]).toBe(2002);
  });

  it("with as many moments as the optimizer has", () => {
    const optimizer = [0, 1, 2].map((n) => states({ zeroStage: 1, optimizerMoments: n })[2]);
    expect(optimizer).toEqual([1001, 2002, 3003]);
  });

  it("with a bucket that is no larger than the model", () => {
    expect(states({ zeroStage: 1, zeroBucket: 5000 })[3]).toBe(1001 + 4 * 1001);
  });
});

describe("states of a model in fp32", () => {
  it.each<[ZeroStage, number[]]>([
    [0, [4004, 4004, 8008, 4004]],
    [1, [4004, 4004, 3003, 1001 + 800]],
    [2, [4004, 1001, 3003, 1001 + 800]],
    [3, [1001, 1001, 3003, 1001 + 800]],
  ])("under ZeRO %i, with a master copy from 1 on", (zeroStage, expected) => {
    expect(states({ zeroStage, precision: "fp32" })).toEqual(expected);
  });
});

describe("states of adapters", () => {
  const lora = { rank: 2, widths: 3 };

  it("are the model's weights and 30 more, and all else of those 30", () => {
    expect(states({ lora })).toEqual([2062, 60, 360, 120]);
    expect(states({ lora, zeroStage: 3 })).toEqual([516, 15, 90, 30 + 400]);
  });

  it("need no gradient of the output head", () => {
    const row = memoryModel({ ...SETTING, lora }).fixed.at(5);
    expect(row).toEqual({ id: "head-gradient", name: "output head's gradient", bytes: 0 });
  });
});

describe("offloaded states", () => {
  it.each<[ZeroStage, number[], Record<string, number>]>([
    [1, [2002, 2002, 0, 400], {}],
    [2, [2002, 0, 0, 400], {}],
    [3, [501, 0, 0, 400], { gradients: 501 }],
  ])("of the optimizer under ZeRO %i", (zeroStage, gpu, more) => {
    expect(states({ zeroStage, offload: "optimizer" })).toEqual(gpu);
    expect(host({ zeroStage, offload: "optimizer" })).toEqual({
      "optimizer states": 3003,
      "gradients in fp32": 1001,
      ...more,
    });
  });

  it("keep gradients in fp32 on the GPU under ZeRO 2, not 3", () => {
    const wide = { offload: "optimizer", gradients: "fp32" } as const;
    expect(states({ ...wide, zeroStage: 2 })[1]).toBe(1001);
    expect(states({ ...wide, zeroStage: 3 })[1]).toBe(0);
    expect(host({ ...wide, zeroStage: 3 }).gradients).toBe(1001);
  });

  it("of everything gather two buckets of weights at a time, or all if they are fewer", () => {
    const all = { zeroStage: 3, offload: "all" } as const;
    expect(states(all)).toEqual([400, 0, 0, 400]);
    expect(states({ ...all, zeroBucket: 200 })[0]).toBe(501);
    expect(host(all)).toEqual({
      weights: 501,
      "optimizer states": 3003,
      gradients: 501,
      "gradients in fp32": 1001,
    });
  });

  it("are none where nothing is offloaded", () => expect(host({ zeroStage: 3 })).toEqual({}));
});

describe("the loss", () => {
  const rows = (change: Partial<MemorySetting>) =>
    memoryModel({ ...SETTING, ...change }).fixed.slice(4);

  it("has 6 x 11 logits of a chunk and a gradient of 10 x 11 weights", () => {
    expect(rows({})).toEqual([
      { id: "logits", name: "logits of a chunk", bytes: 66 * 6 },
      { id: "head-gradient", name: "output head's gradient", bytes: 110 * 6 },
    ]);
    expect(rows({ precision: "fp32" }).map(({ bytes }) => bytes)).toEqual([66 * 4, 110 * 8]);
    expect([bytesPerLogit("bf16"), bytesPerLogit("fp32")]).toEqual([6, 4]);
  });

  it("is followed by communicators where there are groups", () => {
    const one = { ranks: 1, degrees: [], ranksPerNode: 8 };
    expect(rows({ groups: one })).toHaveLength(2);
    expect(rows({ groups: { ...one, ranks: 2 } })[2]?.bytes).toBeGreaterThan(0);
  });
});

// A layer in bf16. Norm: 10 x (4 + 4 + 2). Attention: the norm, 2 x (2 x 18 + 1.5 x 12 + 18 + 10), 4 x 6.
// MLP: the norm, 2 x (4 x 7 + 10).
const [ATTENTION, MLP] = [100 + 164 + 24, 100 + 76];
const BOUNDARY = 2 * 10;
/** The kernel's output, and a sum for every head. */
const MADE = 2 * 18 + 4 * 6;
/** Keys and values of one token on 2 ranks. */
const GATHERED = 2 * 12 * 2;

describe("activations of a token", () => {
  it.each([
    ["none", ATTENTION + MLP, 0, 5 + 2],
    ["selective", ATTENTION + BOUNDARY, MLP, 5 + 2],
    ["attention", BOUNDARY + MADE, ATTENTION + MLP, 1 + 2],
    ["full", BOUNDARY, ATTENTION + MLP, 1 + 2],
  ] as const)("with checkpointing = %s", (checkpointing, kept, peak, layers) => {
    const rows = {
      activations: 5 * kept,
      "one layer at work": peak + ATTENTION + MLP,
      "gathered keys and values": layers * GATHERED,
      "embedding, final norm, inputs": 4 * 20 + 2 * 4 * 10 + 24,
    };
    expect(perToken({ checkpointing })).toEqual(rows);
    expect(perToken({ checkpointing, activationFactor: 1.5 })).toEqual({
      ...rows,
      activations: 1.5 * 5 * kept,
      "one layer at work": 1.5 * (peak + ATTENTION + MLP),
    });
    const all = Object.values(rows).reduce((sum, bytes) => sum + bytes);
    expect(totalBytes(memoryModel({ ...SETTING, checkpointing }).perToken)).toBe(all);
  });

  it("in fp32 are twice as many elements' bytes, but for what is fp32 anyway", () => {
    const layer = 120 + 328 + 24 + 120 + 152;
    expect(perToken({ precision: "fp32" }).activations).toBe(5 * layer);
    expect(perToken({ precision: "fp32" })["embedding, final norm, inputs"]).toBe(160 + 80 + 24);
  });

  it("are fewer where norms and gated MLPs are fused", () => {
    const fused = (gated_mlp: boolean) =>
      perToken({ fused: true, shape: { ...SMALL, gated_mlp } }).activations;
    const norms = 2 * (10 * 2 + 4);
    expect(fused(true)).toBe(5 * (norms + 164 + 24 + 2 * (3 * 7 + 10)));
    expect(fused(false)).toBe(5 * (norms + 164 + 24 + 2 * (2 * 7 + 10)));
  });

  it("of a plain MLP are two tensors", () => {
    const plain = perToken({ shape: { ...SMALL, gated_mlp: false } }).activations;
    expect(plain).toBe(5 * (ATTENTION + 100 + 2 * (2 * 7 + 10)));
  });

  it("have a copy of the token before and after each of its experts", () => {
    const copies = 2 * 2 * 10 * (4 / 5);
    const mlp = 100 + 2 * (4 * (31 / 5) + 10 + copies);
    expect(perToken({ shape: SPARSE }).activations).toBeCloseTo(5 * (ATTENTION + mlp), 9);
  });

  it("have the router's logits in both precisions where its loss is trained", () => {
    const name = "loss of the router";
    expect(perToken({ shape: SPARSE, routerLoss: true })[name]).toBe(4 * 6 * (2 + 4));
    expect(perToken({ shape: SPARSE })[name]).toBeUndefined();
    expect(perToken({ routerLoss: true })[name]).toBeUndefined();
  });

  it("have copies of the queries' gradient where sums are in order", () => {
    const name = "attention's sums in order";
    expect(perToken({ orderedSums: true })[name]).toBe(((148 + 6) * 4 * 18) / 6);
    expect(perToken({})[name]).toBeUndefined();
  });
});

describe("bytes that others ask for", () => {
  it("gather keys and values of a whole group, from two ranks on", () => {
    const gathered = [1, 2, 3].map((largestGroup) => gatheredBytes({ ...SETTING, largestGroup }));
    expect(gathered).toEqual([0, GATHERED, 3 * 24]);
  });

  it("add gradients in the wider precision", () => {
    expect(gradientBytes("bf16", "bf16")).toBe(2);
    expect(gradientBytes("bf16", "fp32")).toBe(4);
    expect(gradientBytes("fp32", "bf16")).toBe(4);
  });
});
