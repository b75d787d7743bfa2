import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dimensionsIn } from "../../src/catalogue/description.js";
import { readDimensions } from "../../src/catalogue/dimensions.js";
import { loraShape } from "../../src/cost/adapters.js";
import { trainingWork } from "../../src/cost/work.js";
import { describeModel } from "../../src/engine/describe.js";
import { NodeHost } from "../../src/host/node-host.js";
import { PYTHON, ROOT } from "../cli/run.js";
import { WHOLE } from "../cost/small-shape.js";

const MODELS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = JSON.parse(
  readFileSync(`${ROOT}bench/roofline/memory-models.json`, "utf8"),
);
const host = new NodeHost(ROOT, { SKRULL_CACHE: "", SKRULL_PYTHON: PYTHON });
const told = async (config: unknown) => dimensionsIn(await describeModel(host, ROOT, config));

/** FLOPs of a sequence, all of whose tokens are targets. */
const flops = (shape: Parameters<typeof trainingWork>[0]["shape"]) =>
  trainingWork({ shape, checkpointing: "none", targetShare: 1, lora: null, lengths: [1000, 9000] });

/** A small model of 4 layers, from which families differ. */
const SMALL = {
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 128,
};

describe("what a model tells of itself", () => {
  const known = ["meta-llama/Llama-3.1-8B", "bigcode/starcoder2-3b", "Qwen/Qwen3-30B-A3B"];

  it.each(known)("is what the reader reads of %s", async (name) => {
    const config = MODELS[name];
    const read = readDimensions(config);
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    const { shape, model_type, tied_embeddings } = read.dimensions;
    const dimensions = await told(config);
    expect(dimensions).toMatchObject({ model_type, tied_embeddings });
    expect(dimensions?.shape).toEqual(shape);
    expect(dimensions?.matrices).toEqual(read.dimensions.matrices);
    expect(dimensions && flops(dimensions.shape)).toEqual(flops(shape));
  }, 180_000);

  it("is every matrix and every layer of families that no reader knows", async () => {
    const gemma = await told({
      ...SMALL,
      model_type: "gemma3_text",
      head_dim: 32,
      sliding_window: 16,
      layer_types: ["sliding_attention", "sliding_attention", "full_attention", "full_attention"],
    });
    expect(gemma?.shape).toMatchObject({
      head_dim: 32,
      query_key_norm: true,
      tied_embeddings: true,
      sliding_window: { tokens: 16, layers: 2 },
      // Embedding; attention and its norms, MLP, four norms of the layer; the final norm.
      parameters: 128 * 64 + 4 * (64 * 32 * 12 + 2 * 32 + 3 * 64 * 96 + 4 * 64) + 64,
    });
    const latent = await told({
      ...SMALL,
      model_type: "deepseek_v3",
      num_key_value_heads: 4,
      ...{ q_lora_rank: 24, kv_lora_rank: 16, qk_nope_head_dim: 16, qk_rope_head_dim: 8 },
      ...{ v_head_dim: 16, n_routed_experts: 8, num_experts_per_tok: 2, n_shared_experts: 1 },
      ...{ moe_intermediate_size: 32, first_k_dense_replace: 1, n_group: 1, topk_group: 1 },
    });
    const projections = 64 * 24 + 24 * 4 * 24 + 64 * 24 + 16 * 4 * 32 + 4 * 16 * 64;
    // Neither of the dense MLP nor of the shared expert.
    const names = latent?.matrices.map(({ kind, name }) => `${kind} ${name}`);
    expect(names).toEqual([
      ...["q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj"].map(
        (name) => `attention ${name}`,
      ),
      ...["experts gate_up_proj", "experts down_proj"],
    ]);
    expect(latent?.shape).toMatchObject({
      ...{ heads: 4, kv_heads: 4, head_dim: 24, value_dim: 16, intermediate_size: 96 },
      experts: { layers: 3, count: 8, active: 2, width: 32, shared: 32 },
      attention_parameters: projections,
    });
    const active = (3 * 64 * 96 + 3 * (3 * 64 * 3 * 32 + 64 * 8)) / 4;
    const { perToken, perTokenSquared } = flops(latent?.shape as never);
    expect(perToken).toBe(3 * 2 * (4 * (projections + active) + 64 * 128));
    // Causal pairs of four layers, each a product of 24 and one of 16 for every head.
    expect(perTokenSquared).toBe(3 * 4 * 0.5 * 2 * 4 * (24 + 16));
  }, 180_000);

  it("has the matrices of fused projections and of latent attention, by what they are for", async () => {
    const adapters = async (own: Readonly<Record<string, unknown>>, targets: readonly string[]) => {
      const dimensions = await told({ ...SMALL, ...own });
      if (!dimensions) throw new Error("it tells nothing");
      const choice = {
        rank: 2,
        targets: targets as never,
        dora: false,
        modules_to_save: [],
        ...WHOLE,
      };
      return loraShape(dimensions, choice).parameters;
    };
    const fused = 64 + 2 * 96 + (96 + 64);
    expect(await adapters({ model_type: "phi3", pad_token_id: 0 }, ["mlp"])).toBe(2 * 4 * fused);
    const attention = 64 + (64 + 2 * 32) + (64 + 64);
    expect(
      await adapters({ model_type: "glm4", head_dim: 16, pad_token_id: 0 }, ["attention", "mlp"]),
    ).toBe(2 * 4 * (64 + 64 + 2 * (64 + 32) + (64 + 64) + fused));
    expect(await adapters({ model_type: "phi3", pad_token_id: 0 }, ["qkv_proj", "o_proj"])).toBe(
      2 * 4 * attention,
    );
  }, 180_000);

  it("says which layers keep sequences whole", async () => {
    const hybrid = await told({
      ...SMALL,
      model_type: "qwen3_next",
      head_dim: 16,
      ...{ linear_num_value_heads: 4, linear_num_key_heads: 2, num_experts: 4 },
      ...{ linear_key_head_dim: 16, linear_value_head_dim: 16, num_experts_per_tok: 2 },
      ...{ moe_intermediate_size: 32, shared_expert_intermediate_size: 32 },
    });
    expect(hybrid?.shape).toMatchObject({ layers: 4, mixer_layers: 3 });
  }, 180_000);

  it.each([
    [{ model_type: "llama" }, /has no num_hidden_layers/],
    [{ ...SMALL, model_type: "nonsense" }, /"nonsense" is no model_type of the installed/],
    [{ ...SMALL, model_type: "llama", num_hidden_layers: 1e9 }, /is more than any model has/],
    [{ ...SMALL, model_type: "vit" }, /is no causal language model/],
  ])(
    "is a reason in a line where there is none: %j",
    async (config, reason) => {
      await expect(describeModel(host, ROOT, config)).rejects.toMatchObject({
        kind: "user",
        message: expect.stringMatching(reason),
      });
    },
    180_000,
  );
});
