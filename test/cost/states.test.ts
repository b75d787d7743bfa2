import { describe, expect, it } from "vitest";
import type { MemorySetting, ZeroStage } from "../../src/cost/memory.js";
import { gradientBytes, hostStateRows, pinned, stateRows } from "../../src/cost/states.js";
import { LORA, MEMORY, rowOf, SMALL, SPARSE } from "./small-shape.js";

/** Bytes of weights, gradients, optimizer states, ZeRO's buckets and the step. */
const states = (change: Partial<MemorySetting>) =>
  stateRows({ ...MEMORY, ...change })
    .slice(0, 5)
    .map(({ bytes }) => bytes);
const host = (change: Partial<MemorySetting>) =>
  Object.fromEntries(hostStateRows({ ...MEMORY, ...change }).map(({ id, bytes }) => [id, bytes]));

// 1001 parameters over 4 ranks: 2, 2, 12 and 4 bytes each are 2002, 2002, 12012 and 4004, a quarter of them rounded up.
// Buckets are two of 100 elements in 2 bytes.
describe("states of a model in bf16", () => {
  it.each<[ZeroStage, number[]]>([
    [0, [2002, 2002, 12012, 0, 4004]],
    [1, [2002, 2002, 3003, 400, 1001]],
    [2, [2002, 501, 3003, 400, 1001]],
    [3, [501, 501, 3003, 400, 1001]],
  ])("under ZeRO %i", (zeroStage, expected) => {
    expect(states({ zeroStage })).toEqual(expected);
  });

  it.each<[ZeroStage, number[]]>([
    [0, [2002, 4004, 12012, 0, 4004]],
    [1, [2002, 4004, 3003, 800, 1001]],
    [2, [2002, 1001, 3003, 800, 1001]],
    [3, [501, 1001, 3003, 800, 1001]],
  ])("under ZeRO %i with gradients in fp32, whose bucket has a copy", (zeroStage, expected) => {
    expect(states({ zeroStage, gradients: "fp32" })).toEqual(expected);
  });

  it("has shares that are rounded up", () => {
    expect(states({ zeroStage: 3, ranks: 5 })).toEqual([401, 401, 2403, 400, 801]);
  });

  it("with gradients that are whole where they are reduced once a step", () => {
    expect(states({ zeroStage: 2, reduction: "once" })[1]).toBe(2002);
  });

  it("with as many moments as the optimizer has", () => {
    const optimizer = [0, 4, 8].map((bytes) => states({ zeroStage: 1, momentBytes: bytes })[2]);
    expect(optimizer).toEqual([1001, 2002, 3003]);
  });

  it("with a bucket that is no larger than the model", () => {
    expect(states({ zeroStage: 1, zeroBucket: 5000 })[3]).toBe(4 * 1001);
  });

  it("are there all along, but for the step's gradients", () => {
    const rows = stateRows(MEMORY).map(({ id, phase }) => [id, phase]);
    expect(rows).toEqual([
      ["weights", undefined],
      ["gradients", undefined],
      ["optimizer", undefined],
      ["buckets", undefined],
      ["step", "step"],
    ]);
  });

  it("step 10^9 elements at a time under ZeRO 3", () => {
    const step = (zeroStage: ZeroStage, parameters: number) =>
      states({ zeroStage, ranks: 1, shape: { ...SMALL, parameters } })[4];
    expect([step(3, 2e9), step(3, 1e9 - 1), step(2, 2e9)]).toEqual([4e9, 4e9 - 4, 8e9]);
  });
});

describe("states of a model in fp32", () => {
  it.each<[ZeroStage, number[]]>([
    [0, [4004, 4004, 8008, 0, 4004]],
    [1, [4004, 4004, 3003, 800, 1001]],
    [2, [4004, 1001, 3003, 800, 1001]],
    [3, [1001, 1001, 3003, 800, 1001]],
  ])("under ZeRO %i, with a master copy", (zeroStage, expected) => {
    const masterBytes = zeroStage > 0 ? 4 : 0;
    expect(states({ zeroStage, precision: "fp32", masterBytes })).toEqual(expected);
  });

  it("have none where the model's own weights are trained", () => {
    expect(states({ precision: "fp32", masterBytes: 0 })[2]).toBe(8008);
  });

  it("are the same whatever gradients are said to be added in", () => {
    const plain = { zeroStage: 2, precision: "fp32" } as const;
    expect(states({ ...plain, gradients: "fp32" })).toEqual(states(plain));
    expect(gradientBytes("bf16", "bf16")).toBe(2);
    expect(gradientBytes("bf16", "fp32")).toBe(4);
    expect(gradientBytes("fp32", "bf16")).toBe(4);
  });
});

describe("states of adapters", () => {
  it("are the model's weights and 30 more, and all else of those 30", () => {
    expect(states({ lora: LORA })).toEqual([2062, 60, 360, 0, 120]);
    expect(states({ lora: LORA, zeroStage: 3 })).toEqual([516, 15, 90, 400, 30]);
  });
});

describe("ZeRO's buckets", () => {
  const buckets = (change: Partial<MemorySetting>) => rowOf("fixed", change, "buckets");

  it("are one to reduce in and one to gather in, and two of the former where gradients travel beside the backward", () => {
    const groups = { ranks: 4, degrees: [2], ranksPerNode: 4 };
    const one = buckets({ zeroStage: 2, groups, reduction: "once" });
    expect(buckets({ zeroStage: 2, groups })).toBe(one * 1.5);
    expect(buckets({ zeroStage: 2 })).toBe(one);
    expect(buckets({ zeroStage: 3, groups })).toBe(one);
  });
});

describe("weights that ZeRO 3 has gathered", () => {
  const gathered = (change: Partial<MemorySetting>) =>
    (["layers", "attention", "loss", "head"] as const).map((phase) =>
      rowOf("fixed", { zeroStage: 3, ...change }, "gathered-weights", phase),
    );

  it("are two layers' while layers run, and the output head's and a layer's around the loss", () => {
    // Queries and output 18 wide, keys and values 12, three matrices of 7: 10 x (36 + 12 + 21) of a layer.
    const ends = 690 + 110;
    expect(gathered({})).toEqual([4 * 690, 4 * 690, 2 * ends, 2 * ends]);
    expect(gathered({ precision: "fp32" })).toEqual([8 * 690, 8 * 690, 4 * ends, 4 * ends]);
    expect(gathered({ shape: { ...SMALL, layers: 1 } })[0]).toBe(2 * 690);
  });

  it("are of the layer that has most, where some have experts", () => {
    // Six experts of 3 x 10 x 3, and their router.
    const sparse = 480 + 6 * (90 + 10);
    const found = (["layers", "down", "gate", "attention"] as const).map((phase) =>
      rowOf("fixed", { zeroStage: 3, shape: SPARSE }, "gathered-weights", phase),
    );
    expect(found).toEqual(new Array(4).fill(4 * sparse));
    const wide = { ...SPARSE, intermediate_size: 700 };
    expect(gathered({ shape: wide })[0]).toBe(4 * (480 + 30 * 700));
    const all = { ...wide, experts: { layers: 5, count: 6, active: 2, width: 3 } };
    expect(gathered({ shape: all })[0]).toBe(4 * sparse);
  });

  it("are none under other stages", () => {
    for (const zeroStage of [0, 1, 2] as const)
      expect(gathered({ zeroStage })).toEqual([NaN, NaN, NaN, NaN]);
  });
});

describe("offloaded states", () => {
  // Of 251 parameters: the master copy takes 1004 bytes, moments 1999 more; pinned blocks are powers of two.
  it.each<[ZeroStage, number[], Record<string, number>]>([
    [1, [2002, 2002, 0, 400, 0], { optimizer: 1024 + 1999, "host-buffer": 512 }],
    [2, [2002, 0, 0, 400, 0], { optimizer: 1024 + 1999, "host-buffer": 512 }],
    [3, [501, 0, 0, 400, 0], { optimizer: 3003, gradients: 512 }],
  ])("of the optimizer under ZeRO %i, whose stage 3 pins no master copy", (zeroStage, gpu, more) => {
    expect(states({ zeroStage, offload: "optimizer" })).toEqual(gpu);
    expect(host({ zeroStage, offload: "optimizer" })).toEqual({ "gradients-fp32": 1024, ...more });
  });

  it("pin gradients of stage 3 by sub-groups of 10^9, each a power of two", () => {
    const shape = { ...SMALL, parameters: 4 * 2.1e9 };
    const large = { shape, zeroStage: 3, offload: "optimizer" } as const;
    expect(host(large)["gradients-fp32"]).toBe(2 * 2 ** 32 + 2 ** 29);
    expect(host({ ...large, zeroStage: 2 })["gradients-fp32"]).toBe(2 ** 33);
  });

  it("keep gradients in fp32 on the GPU under ZeRO 2, not 3", () => {
    const wide = { offload: "optimizer", gradients: "fp32" } as const;
    expect(states({ ...wide, zeroStage: 2 })[1]).toBe(1001);
    expect(states({ ...wide, zeroStage: 3 })[1]).toBe(0);
    expect(host({ ...wide, zeroStage: 3 })["gradients"]).toBe(1024);
  });

  it("of everything leave the shares of the weights that are gathered at a time, or all if they are fewer", () => {
    const all = { zeroStage: 3, offload: "all" } as const;
    expect(states(all)).toEqual([501, 0, 0, 400, 0]);
    // Two layers of 690.
    expect(states({ ...all, shape: { ...SMALL, parameters: 10_000 } })[0]).toBe(2 * (1380 / 4));
    expect(host(all)).toEqual({
      weights: 512,
      optimizer: 3003,
      gradients: 512,
      "gradients-fp32": 1024,
    });
  });

  it("have updated weights in the model's precision", () => {
    const fp32 = host({ zeroStage: 2, precision: "fp32", offload: "optimizer" });
    expect(fp32["host-buffer"]).toBe(1024);
  });

  it("are whole where nothing is partitioned", () => {
    const { "host-buffer": buffer } = host({ zeroStage: 0, offload: "optimizer" });
    expect(buffer).toBe(2048);
  });

  it("have no block of a master copy that there is not", () => {
    const own = { zeroStage: 1, offload: "optimizer", precision: "fp32", masterBytes: 0 } as const;
    expect(host(own)["optimizer"]).toBe(2002);
  });

  it("are the master copy alone of an optimizer without moments", () => {
    const plain = { zeroStage: 2, offload: "optimizer", momentBytes: 0 } as const;
    expect(host(plain)["optimizer"]).toBe(1024);
  });

  it("stand beside a process of a rank that has a GPU", () => {
    const groups = { ranks: 4, degrees: [], ranksPerNode: 4 };
    expect(host({ groups })).toEqual({ process: 2.5 * 1024 ** 3 });
    const { optimizer, process } = host({ groups, zeroStage: 1, offload: "optimizer" });
    expect([optimizer, process]).toEqual([1024 + 1999, 2.5 * 1024 ** 3]);
  });

  it("are none where nothing is offloaded", () => expect(host({ zeroStage: 3 })).toEqual({}));

  it("are pinned in powers of two", () => {
    expect([0, 1, 3, 1024, 1025].map(pinned)).toEqual([0, 1, 4, 1024, 2048]);
    expect(pinned(-1)).toBe(0);
  });
});
