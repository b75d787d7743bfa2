import { describe, expect, it } from "vitest";
import { readDimensions } from "../../src/catalogue/dimensions.js";
import { type RopeScaling, withRopeScaling } from "../../src/catalogue/rope.js";
import { MODEL } from "../cli/run.js";
import { codes, planOf } from "../plan/make.js";
import vectors from "../vectors/rope.json" with { type: "json" };

describe.each(Object.entries(vectors))("%s", (_, { config, scaling, written, max_positions }) => {
  const result = withRopeScaling(config, scaling as RopeScaling);

  it("is written as transformers reads it", () => {
    expect(result).toEqual({ ok: true, config: written });
    expect(result.ok && JSON.stringify(result.config)).toBe(JSON.stringify(written));
  });

  it("reaches its positions", () => {
    const whole = { ...JSON.parse(MODEL), ...written };
    expect(readDimensions(whole)).toMatchObject({ ok: true, dimensions: { max_positions } });
  });
});

describe("a spec's rotary embeddings", () => {
  const model = (scaling: string) =>
    `{ config = "model.json" weights = random precision = fp32 ${scaling} }`;
  const short = { "model.json": MODEL.replace("4096", "256") };
  const plan = (scaling: string, files: Readonly<Record<string, string>> = short) =>
    planOf({ model: model(scaling) }, files);

  it("decide whether positions are too many", async () => {
    const { diagnostics } = await plan("");
    expect(diagnostics.map((d) => d.code)).toContain("position-limit");
    expect(diagnostics.find((d) => d.code === "position-limit")?.help).toContain(
      "rope_scaling = yarn { factor = 2 }",
    );
    for (const scaling of ["linear { factor = 2 }", "yarn { factor = 2 }", "llama3 { factor = 2 }"])
      expect(codes(await plan(`rope_scaling = ${scaling}`))).toEqual([]);
    expect(codes(await plan("rope_scaling = linear { factor = 1.2 }"))).toEqual(["position-limit"]);
  });

  it("are in the configuration of the run", async () => {
    const { inputs, plan: made } = await plan("rope_scaling = yarn { factor = 8 original = 128 }");
    expect(made?.model).toMatchObject({ rope_type: "yarn", max_positions: 1024 });
    expect(inputs?.modelConfig).toMatchObject({
      max_position_embeddings: 1024,
      rope_parameters: { rope_type: "yarn", factor: 8, original_max_position_embeddings: 128 },
    });
  });

  it.each([
    ["rope_scaling = dynamic { factor = 2 }", "unknown-value"],
    ["rope_scaling = linear { }", "missing-key"],
    ["rope_scaling = linear { factor = 0.5 }", "out-of-range"],
    [
      "rope_scaling = llama3 { factor = 2 low_freq_factor = 4 high_freq_factor = 4 }",
      "contradictory-keys",
    ],
    ["rope_scaling = yarn { factor = 2 beta_slow = 64 }", "contradictory-keys"],
  ])("%s is refused: %s", async (scaling, code) => {
    expect(codes(await plan(scaling))).toEqual([code]);
  });

  it("cannot be those of layers that differ", async () => {
    const rope_parameters = { full_attention: { rope_type: "default", rope_theta: 1e4 } };
    const mixed = { "model.json": JSON.stringify({ ...JSON.parse(MODEL), rope_parameters }) };
    const scaling = "rope_scaling = linear { factor = 2 }";
    expect(codes(await plan(scaling, mixed))).toEqual(["rope-scaling-impossible"]);
  });
});
