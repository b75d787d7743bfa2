import { describe, expect, it } from "vitest";
import type { LoraShape } from "../../src/cost/adapters.js";
import type { TransformerShape } from "../../src/cost/shape.js";
import { modelFlops, paperWork, trainingWork, type WorkSetting } from "../../src/cost/work.js";
import { LORA, SMALL, SPARSE } from "./small-shape.js";

const SETTING: WorkSetting = {
  shape: SMALL,
  checkpointing: "none",
  targetShare: 0.5,
  lora: null,
  lengths: [100],
};
const work = (change: Partial<WorkSetting>) => trainingWork({ ...SETTING, ...change });

// Multiply-adds of a token in a layer: queries and output 10 x 18 each, keys and values 10 x 6 each; MLP 3 x 10 x 7.
const [PROJECTIONS, MLP] = [2 * (2 * 180 + 2 * 60), 2 * 210];
/** Of every second token. */
const HEAD = (2 * 10 * 11) / 2;
/** A pair of query and key: a product and a weighted sum of 18 elements. */
const PAIR = 2 * 18 + 2 * 18;
const ADAPTERS = 2 * 2 * 3;

describe("FLOPs of training", () => {
  it.each([
    ["none", 3, 3, 3],
    ["selective", 3, 4, 3],
    ["attention", 4, 4, 3],
    ["full", 4, 4, 4],
    ["offload", 4, 4, 4],
  ] as const)("with checkpointing = %s", (checkpointing, projections, mlp, pairs) => {
    expect(work({ checkpointing })).toEqual({
      perToken: 5 * (projections * PROJECTIONS + mlp * MLP) + 3 * HEAD,
      headPerToken: 3 * HEAD,
      attentionPerToken: 0,
      perTokenSquared: (5 * pairs * PAIR) / 2,
    });
  });

  it.each([
    ["none", 2, 2, 3],
    ["selective", 2, 3, 3],
    ["attention", 3, 3, 4],
    ["full", 3, 3, 4],
    ["offload", 3, 3, 4],
  ] as const)("of adapters with checkpointing = %s", (checkpointing, projections, mlp, adapters) => {
    const { perToken, headPerToken } = work({ checkpointing, lora: LORA });
    const layer = projections * PROJECTIONS + mlp * MLP + adapters * ADAPTERS;
    expect([perToken, headPerToken]).toEqual([5 * layer + 2 * HEAD, 2 * HEAD]);
  });

  it("are those of experts that a token passes through, and of the router", () => {
    const mlp = 2 * 3 * 10 * (31 / 5);
    const router = 2 * 10 * 6 * (4 / 5);
    expect(work({ shape: SPARSE }).perToken).toBeCloseTo(
      5 * 3 * (PROJECTIONS + mlp + router) + 3 * HEAD,
      9,
    );
  });

  it("are of two matrices in a plain MLP", () => {
    const plain = work({ shape: { ...SMALL, gated_mlp: false } }).perToken;
    expect(plain).toBe(5 * 3 * (PROJECTIONS + 2 * 140) + 3 * HEAD);
  });

  it("have a window's pairs in its layers", () => {
    const shape = { ...SMALL, sliding_window: { tokens: 4, layers: 2 } };
    // 4 x 1000 - 8 and 4 x 2000 - 8 pairs: 3.988 S + 0.000004 S^2.
    const { attentionPerToken, perTokenSquared } = work({ shape, lengths: [1000, 2000] });
    expect(attentionPerToken).toBeCloseTo(3 * PAIR * 2 * 3.988, 6);
    expect(perTokenSquared).toBeCloseTo(3 * PAIR * (2 * 0.000004 + 3 / 2), 9);
    expect(work({ shape, lengths: [3, 4] })).toEqual(work({}));
  });
});

describe("FLOPs of a model", () => {
  it("are its training's without recomputation, a window's linear part included", () => {
    const shape = { ...SMALL, sliding_window: { tokens: 4, layers: 2 } };
    const flops = modelFlops({ ...SETTING, shape, lengths: [1000, 2000], checkpointing: "full" });
    const linear = 5 * 3 * (PROJECTIONS + MLP) + 3 * HEAD + 3 * PAIR * 2 * 3.988;
    expect(flops.per_token).toBeCloseTo(linear, 6);
    expect(flops.per_token_squared).toBeCloseTo(3 * PAIR * (2 * 0.000004 + 3 / 2), 9);
  });
});

/** Qwen2.5-7B. */
const LARGE: TransformerShape = {
  ...SMALL,
  ...{ hidden_size: 3584, layers: 28, heads: 28, kv_heads: 4, head_dim: 128 },
  ...{ intermediate_size: 18944, vocab_size: 152064, parameters: 7_615_616_512 },
};

it("six FLOPs a parameter and token are those of a large model, four of its frozen matrices", () => {
  const ofLarge = (lora: LoraShape | null) => work({ shape: LARGE, targetShare: 1, lora }).perToken;
  // All but the embedding; biases and norms are a ten-thousandth.
  const matrices = LARGE.parameters - LARGE.vocab_size * LARGE.hidden_size;
  expect(ofLarge(null) / (6 * matrices)).toBeCloseTo(1, 3);
  const adapters = 28 * 6 * 2 * 3;
  expect(ofLarge(LORA) / (4 * matrices + adapters)).toBeCloseTo(1, 3);
});

describe("the paper's formula", () => {
  it("gives the study's costs", () => {
    // a1 and a2 in us of the 0.5B setting, at 200 TFLOP/s.
    const half = { ...LARGE, hidden_size: 896, layers: 24, kv_heads: 2, head_dim: 64 };
    const { perToken, perTokenSquared } = paperWork(half);
    expect(perToken / 2e8).toBeCloseTo(5.944, 2);
    expect(perTokenSquared / 2e8).toBeCloseTo(0.00129, 5);
  });

  it("is 20 h^2 + 4 h h_kv a token and 4 h a pair, three times a layer", () => {
    const layer = 20 * 100 + 4 * 10 * 6;
    expect(paperWork(SMALL)).toEqual({
      perToken: 3 * 5 * layer,
      headPerToken: 0,
      attentionPerToken: 0,
      perTokenSquared: 3 * 5 * 40,
    });
  });
});
