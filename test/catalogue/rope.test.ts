import { describe, expect, it } from "vitest";
import { readDimensions } from "../../src/catalogue/dimensions.js";
import { type RopeScaling, withRopeScaling } from "../../src/catalogue/rope.js";
import { conversation, MODEL, project, skrull } from "../cli/run.js";
import { codes, planOf } from "../plan/make.js";
import vectors from "../vectors/rope.json" with { type: "json" };

describe.each(Object.entries(vectors))("%s", (_, { config, scaling, written, max_positions }) => {
  const result = withRopeScaling(config, scaling as RopeScaling);

  it("is written as transformers reads it", () => {
    expect(result).toMatchObject({ ok: true, config: written });
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
      "write model { rope_scaling = yarn { factor = 4 } }",
    );
    for (const scaling of [
      "linear { factor = 2 }",
      "dynamic { factor = 2 }",
      "yarn { factor = 2 }",
      "llama3 { factor = 2 }",
    ])
      expect(codes(await plan(`rope_scaling = ${scaling}`))).toEqual([]);
    expect(codes(await plan("rope_scaling = linear { factor = 1.2 }"))).toEqual(["position-limit"]);
  });

  it("of a model whose recipe is known stretch what the recipe does, in lint's words and in plan's", async () => {
    const name = 'model "Qwen/Qwen3-8B" { checkpointing = full }';
    const rest = "cluster { gpus = 8 gpu = h100_sxm_80gb } parallel { zero = 3 context = 8 }";
    const long = (scaling = "") =>
      `skrull 1\n${name.replace("}", `${scaling} }`)} ${rest}\nschedule { global_batch = 8 }
data { train = ["data.jsonl"] tokenizer = "bytes" max_length = 128K }
train { optimizer = adamw { lr = 1e-5 } }\n`;
    const data = conversation("word ".repeat(20_000));
    const cwd = project({ "spec.skrull": long(), "data.jsonl": data });
    const advice = "write model { rope_scaling = yarn { factor = 4  original = 32K } }.";
    expect(skrull(["lint", "spec.skrull"], { cwd }).stdout).toContain(
      `Lower max_length, or ${advice}`,
    );
    expect(skrull(["plan", "spec.skrull"], { cwd }).stderr).toContain(
      `Shorten max_length, or ${advice}`,
    );
    for (const scaling of ["factor = 4", "factor = 4 original = 32K"]) {
      const spec = long(`rope_scaling = yarn { ${scaling} }`);
      const made = skrull(["plan", "spec.skrull", "--format", "json"], {
        cwd: project({ "spec.skrull": spec, "data.jsonl": data }),
      });
      expect(JSON.parse(made.stdout).model).toMatchObject({
        rope_type: "yarn",
        max_positions: 131_072,
      });
    }
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
    ["rope_scaling = longrope { factor = 2 }", "unknown-value"],
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
