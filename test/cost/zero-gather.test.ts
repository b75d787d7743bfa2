import { describe, expect, it } from "vitest";
import { largestLayer, layersParameters } from "../../src/cost/layer-parameters.js";
import { gatheredAtEnds, gatheredInLayers, gatherSettings } from "../../src/cost/zero-gather.js";
import { SMALL, SPARSE } from "./small-shape.js";

// Attention has 10 x (18 + 18 + 6 + 6) weights, an MLP 3 x 10 x 7, six experts 6 x 10 x (3 x 3 + 1) with their router.
const [ATTENTION, MLP, EXPERTS] = [480, 210, 600];

describe("weights of layers", () => {
  it("are those of attention and MLP, or of all experts", () => {
    expect(layersParameters(SMALL)).toBe(5 * (ATTENTION + MLP));
    expect(layersParameters(SPARSE)).toBe(5 * ATTENTION + MLP + 4 * EXPERTS);
    expect([SMALL, SPARSE].map(largestLayer)).toEqual([ATTENTION + MLP, ATTENTION + EXPERTS]);
  });
});

describe("what ZeRO 3 gathers at a time", () => {
  const large = { ...SMALL, parameters: 10_000 };

  it("is the layer at work and the next", () => {
    expect(gatherSettings(large)).toEqual({
      prefetch: 690,
      max_live: 1380,
      max_reuse: 1380,
      persistent: 100,
    });
    expect(gatheredInLayers(large)).toBe(1380);
    expect(gatheredInLayers({ ...large, layers: 1 })).toBe(690);
  });

  it("is the output head, and a layer beside it where the limit leaves room", () => {
    const head = large.vocab_size * large.hidden_size;
    expect(head).toBeLessThan(1380);
    expect(gatheredAtEnds(large)).toBe(head + 690);
    expect(gatheredAtEnds({ ...large, vocab_size: 138 })).toBe(1380);
    expect(gatheredAtEnds({ ...large, vocab_size: 137 })).toBe(1370 + 690);
  });

  it("is never more than the model", () => {
    expect(gatheredAtEnds({ ...SMALL, parameters: 600 })).toBe(600);
    expect(gatherSettings({ ...SMALL, parameters: 500 }).prefetch).toBe(500);
  });

  it("is the next layer in part where layers are very large", () => {
    const huge = { ...large, hidden_size: 10 * 2_000_000, parameters: 1e12 };
    expect(gatherSettings(huge).prefetch).toBe(1e9);
  });

  it("keeps norms and biases whole, and no matrix of a layer", () => {
    const { persistent } = gatherSettings({
      ...SMALL,
      hidden_size: 4096,
      intermediate_size: 14336,
    });
    expect(persistent).toBeGreaterThan(14336);
    expect(persistent).toBeLessThan(4096 * 128);
  });
});
