import { describe, expect, it } from "vitest";
import { layerInputBytes } from "../../src/cost/layer-inputs.js";
import { SMALL } from "./small-shape.js";

describe("layer inputs of a token", () => {
  it("are a hidden state of every layer", () => {
    expect(layerInputBytes(SMALL, "bf16")).toBe(5 * 10 * 2);
    expect(layerInputBytes(SMALL, "fp32")).toBe(5 * 10 * 4);
  });
});
