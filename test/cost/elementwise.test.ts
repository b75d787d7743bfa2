import { describe, expect, it } from "vitest";
import { type ElementwiseSetting, elementwiseWork } from "../../src/cost/elementwise.js";
import { LORA, SMALL, SPARSE } from "./small-shape.js";

const SETTING: ElementwiseSetting = {
  shape: SMALL,
  precision: "bf16",
  checkpointing: "none",
  lora: null,
  fused: false,
  compiledNorms: false,
};
const work = (change: Partial<ElementwiseSetting>) => elementwiseWork({ ...SETTING, ...change });
/** Bytes of a token in one of the five layers, by what is changed. */
const layer = (change: Partial<ElementwiseSetting>) => work(change).perToken / 5;

// Forward and backward of a token in a layer: two norms 10 wide, rotary embeddings of queries and keys 18 + 6 wide,
// the activation of 7, and two residual sums of 10.
const NORMS = [68 * 20, 180 * 20] as const;
const ROTARY = [47 * 24, 56 * 24] as const;
const ACTIVATION = [12.5 * 7, 22.5 * 7] as const;
const RESIDUAL = [13 * 10, 13 * 10] as const;
const both = (...passes: readonly (readonly [number, number])[]) =>
  passes.reduce((total, [forward, backward]) => total + forward + backward, 0);
const PLAIN = both(NORMS, ROTARY, ACTIVATION, RESIDUAL);

describe("elementwise work of a token", () => {
  it.each([
    ["none", 0],
    ["selective", ACTIVATION[0]],
    ["attention", ACTIVATION[0] + NORMS[0] + ROTARY[0] + RESIDUAL[0]],
    ["full", ACTIVATION[0] + NORMS[0] + ROTARY[0] + RESIDUAL[0]],
    ["offload", ACTIVATION[0] + NORMS[0] + ROTARY[0] + RESIDUAL[0]],
  ] as const)("with checkpointing = %s runs again what is not kept", (checkpointing, again) => {
    expect(work({ checkpointing }).perToken).toBeCloseTo(5 * (PLAIN + again), 6);
  });

  it("is less where norms, rotary embeddings and gated MLPs are fused", () => {
    const fused = both([7.5 * 20, 24 * 20], [5.1 * 24, 5.1 * 24], [12 * 7, 20 * 7], RESIDUAL);
    expect(layer({ fused: true })).toBeCloseTo(fused, 9);
    expect(layer({ fused: true, compiledNorms: true })).toBeCloseTo(fused, 9);
  });

  it("is less of norms alone where those are compiled", () => {
    const norms = both([7.5 * 20, 24 * 20]);
    expect(layer({ compiledNorms: true }) - PLAIN).toBeCloseTo(norms - both(NORMS), 9);
  });

  it("is one kernel each way of a LayerNorm", () => {
    const shape = { ...SMALL, layer_norm: true };
    const norms = both([7 * 20, 10 * 20]);
    expect(layer({ shape }) - PLAIN).toBeCloseTo(norms - both(NORMS), 9);
    expect(layer({ shape, compiledNorms: true })).toBe(layer({ shape }));
  });

  it("has norms of queries and keys, as fast as the others", () => {
    const shape = { ...SMALL, query_key_norm: true };
    expect(layer({ shape }) - PLAIN).toBeCloseTo((68 + 180) * 24, 9);
    const compiled = { compiledNorms: true };
    expect(layer({ shape, ...compiled }) - layer(compiled)).toBeCloseTo((7.5 + 24) * 24, 9);
  });

  it("has an activation of one input in a plain MLP, which nothing fuses", () => {
    const shape = { ...SMALL, gated_mlp: false };
    expect(layer({ shape }) - PLAIN).toBeCloseTo((5 + 7.5) * 7 - both(ACTIVATION), 9);
    const again = layer({ shape, checkpointing: "selective" }) - layer({ shape });
    expect(again).toBeCloseTo(5 * 7, 9);
    const fused = both([7.5 * 20, 24 * 20], [5.1 * 24, 5.1 * 24], [5 * 7, 7.5 * 7], RESIDUAL);
    expect(layer({ shape, fused: true })).toBeCloseTo(fused, 9);
  });

  it("has products of adapters", () => {
    expect(layer({ lora: LORA }) - PLAIN).toBeCloseTo((5 + 10) * 3, 9);
    const full = { checkpointing: "full" } as const;
    expect(layer({ ...full, lora: LORA }) - layer(full)).toBeCloseTo((2 * 5 + 10) * 3, 9);
  });

  it("has copies to a token's experts in the layers that have some", () => {
    // Two experts of a token 10 wide, in four of five layers; their MLPs are 6.2 wide on average.
    const mlp = (12.5 + 22.5) * (6.2 - 7);
    expect(layer({ shape: SPARSE }) - PLAIN).toBeCloseTo(mlp + (10 + 10) * 16, 9);
  });

  it("is twice as much in fp32", () => {
    expect(layer({ precision: "fp32" })).toBeCloseTo(2 * PLAIN, 9);
  });
});

it("a target takes 20 bytes a logit, and twice as many in fp32", () => {
  expect(work({}).perTarget).toBe(20 * 11);
  expect(work({ precision: "fp32" }).perTarget).toBe(40 * 11);
});
