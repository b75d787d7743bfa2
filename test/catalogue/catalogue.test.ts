import { describe, expect, it } from "vitest";
import { readDimensions } from "../../src/catalogue/dimensions.js";
import {
  GPU_NAMES,
  gpuByName,
  MODEL_NAMES,
  modelByName,
  nearestModel,
  relatedModels,
  SMALL_MODEL,
} from "../../src/catalogue/names.js";

describe("a model of the catalogue", () => {
  it("is known by its name alone", () => {
    expect(MODEL_NAMES).toContain(SMALL_MODEL);
    expect([...MODEL_NAMES].sort()).toEqual(MODEL_NAMES);
    expect(modelByName("constructor")).toBeUndefined();
  });

  it("that is like another differs in what it says itself, and in nothing else", () => {
    const base = modelByName("Qwen/Qwen2.5-7B");
    expect(modelByName("Qwen/Qwen2.5-7B-Instruct")).toEqual({
      name: "Qwen/Qwen2.5-7B-Instruct",
      source: expect.stringMatching(/\/model_configs\/qwen2.5-7b-instruct\/config.json$/),
      parameters: base?.parameters,
      yarn_original: 32768,
      config: { ...base?.config, eos_token_id: 151645, max_position_embeddings: 32768 },
    });
  });
});

describe("a name that is nearly a model's", () => {
  it.each([
    ["Qwen2.5-7B", "Qwen/Qwen2.5-7B"],
    ["qwen2.5-7b-instruct", "Qwen/Qwen2.5-7B-Instruct"],
    ["unsloth/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-7B-Instruct"],
    ["meta-llama/Meta-Llama-3.1-8B", "meta-llama/Llama-3.1-8B"],
    ["meta-llama/Llama-3.1-8B-hf", "meta-llama/Llama-3.1-8B"],
    ["Qwen/Qwen2_5-7B-Instuct", "Qwen/Qwen2.5-7B-Instruct"],
    ["Lama-3.2-1B", "meta-llama/Llama-3.2-1B"],
    ["mistralai/Mistal-7B-v0.3", "mistralai/Mistral-7B-v0.3"],
    ["Llama-3-8B", "meta-llama/Meta-Llama-3-8B"],
    ["meta-llama/Llama-2-7b", "meta-llama/Llama-2-7b-hf"],
    ["gema-2-9b-it", "google/gemma-2-9b-it"],
    ["gpt-oss-20B", "openai/gpt-oss-20b"],
  ])("%s is taken for %s", (name, near) => expect(nearestModel(name)).toBe(near));

  it.each([
    "",
    "/",
    "Qwen/",
    "gpt2",
    "google/gemma-3-27b-it",
    // Of another size or version.
    "Qwen/Qwen2.5-0.6B",
    "meta-llama/Llama-3.3-8B-Instruct",
    "Qwen/Qwen2.5-70B-Instruct",
    "Qwen/Qwen2-7B",
    "Qwen/Qwen2-57B",
    "Qwen/Qwen2.5-14B-Instruct-1M",
    "Qwen/Qwen3-8B-Instruct-2507",
    "mistralai/Mistral-7B-v0.2",
    // Of another kind.
    "Qwen/Qwen3-30B",
    "Qwen/Qwen3-8B-Base",
    "Qwen3-8B-FP8",
    "Qwen/Qwen3-Coder-7B",
    "Qwen/Qwen2.5-VL-7B-Instruct",
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-8B",
    "Qwen/Qwen2.5-7B-Chat",
    "mistralai/Mixtral-8x7B-Chat-v0.1",
  ])("but not %s", (name) => {
    expect(nearestModel(name)).toBeUndefined();
  });

  it("is related to models of its family, those with more of its words first", () => {
    const related = relatedModels("Qwen/Qwen3-Coder-7B");
    expect(related).toHaveLength(5);
    for (const name of related) expect(name).toMatch(/^Qwen\/Qwen.*Coder/);
    expect(relatedModels("nobody/nothing-7B")).toEqual([]);
    expect(relatedModels("x".repeat(200))).toEqual([]);
  });

  it("never names a model whose numbers are others", () => {
    const numbers = (name: string) => name.replace(/.*\//, "").match(/\d+/g)?.join(" ");
    for (const name of MODEL_NAMES) {
      for (let at = 0; at < name.length; at += 1) {
        for (const letter of ["", "0", "3", "8", "b", "-", "x"]) {
          const written = name.slice(0, at) + letter + name.slice(at + 1);
          const near = nearestModel(written);
          if (near !== undefined) expect(numbers(near)).toBe(numbers(written));
        }
      }
    }
  });
});

const BASE = {
  hidden_size: 64,
  intermediate_size: 160,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  vocab_size: 300,
};

const QWEN_MOE = {
  num_key_value_heads: 2,
  num_experts: 6,
  num_experts_per_tok: 2,
  moe_intermediate_size: 40,
  head_dim: 16,
};

/** Parameters counted by transformers 5.23 on the meta device: `AutoModelForCausalLM.from_config`. */
const COUNTED: readonly (readonly [string, Readonly<Record<string, unknown>>, number])[] = [
  ["llama", {}, 132928],
  ["llama", { num_key_value_heads: null }, 132928],
  ["llama", { attention_bias: true, mlp_bias: true, num_key_value_heads: 2, head_dim: 24 }, 138304],
  ["mistral", { num_attention_heads: 8, sliding_window: null }, 132928],
  [
    "mistral",
    {
      num_key_value_heads: 2,
      attention_bias: true,
      mlp_bias: true,
      sliding_window: null,
      tie_word_embeddings: true,
    },
    105536,
  ],
  ["qwen2", { num_key_value_heads: 2, attention_bias: false, mlp_bias: true }, 124992],
  ["qwen2", { num_attention_heads: 32 }, 133312],
  ["qwen3", { num_key_value_heads: 2 }, 297280],
  [
    "qwen3",
    { num_key_value_heads: 1, attention_bias: true, head_dim: 8, tie_word_embeddings: true },
    91456,
  ],
  ["mixtral", { num_key_value_heads: 2, num_local_experts: 4 }, 309568],
  [
    "mixtral",
    {
      num_key_value_heads: 2,
      num_local_experts: 4,
      tie_word_embeddings: true,
      num_experts_per_tok: 1,
    },
    290368,
  ],
  ["qwen3_moe", QWEN_MOE, 156288],
  ["qwen3_moe", { ...QWEN_MOE, decoder_sparse_step: 2, mlp_only_layers: [1] }, 124800],
  ["starcoder2", {}, 86208],
  ["starcoder2", { use_bias: false, num_key_value_heads: 4, tie_word_embeddings: false }, 112768],
];

const USED = { use_sliding_window: true, sliding_window: 300 };

const problemsOf = (config: unknown) => {
  const read = readDimensions(config);
  return read.ok ? [] : read.problems.map(({ problem }) => problem);
};

describe("a config.json", () => {
  it.each(
    COUNTED,
  )("of %s with %j has the parameters that transformers gives it", (type, extra, parameters) => {
    const read = readDimensions({ ...BASE, model_type: type, ...extra });
    expect(read).toMatchObject({ ok: true, dimensions: { shape: { parameters } } });
  });

  it("reports every problem, not only the first", () => {
    expect(problemsOf({ model_type: "llama", hidden_size: 1.5, rope_scaling: [] })).toEqual([
      expect.stringMatching(/^rope_scaling = \[...\] cannot be trained/),
      "hidden_size is not a positive whole number",
      "num_attention_heads is missing",
      "num_hidden_layers is missing",
      expect.stringMatching("num_key_value_heads"),
      expect.stringMatching("head_dim"),
      "intermediate_size is missing",
      "vocab_size is missing",
    ]);
    for (const config of [null, [], "x", 3]) {
      expect(problemsOf(config)).toEqual(["is not a JSON object"]);
    }
  });

  const layers = (own: readonly string[]) => own.map((kind) => `${kind}_attention`);
  it.each([
    ["mistral", {}, { tokens: 4096, layers: 2 }],
    ["mistral", { sliding_window: null }, null],
    ["mistral", { sliding_window: 512 }, { tokens: 512, layers: 2 }],
    ["mixtral", {}, null],
    ["qwen2", { sliding_window: 32768, num_key_value_heads: 4 }, null],
    ["qwen2", { ...USED, max_window_layers: 1 }, { tokens: 300, layers: 1 }],
    ["qwen2", { ...USED }, null],
    ["qwen3", { ...USED, layer_types: layers(["sliding", "full"]) }, { tokens: 300, layers: 1 }],
    ["starcoder2", { sliding_window: 99 }, { tokens: 99, layers: 2 }],
  ] as const)("of %s with %j knows whether a window is used", (type, extra, expected) => {
    const heads = { num_attention_heads: 8, num_key_value_heads: 4 };
    const read = readDimensions({ ...BASE, ...heads, model_type: type, ...extra });
    expect(read).toMatchObject({ ok: true, dimensions: { shape: { sliding_window: expected } } });
  });

  it.each([
    ["llama", {}, [false, false, false]],
    ["llama", { tie_word_embeddings: true }, [false, false, true]],
    ["qwen3", { num_key_value_heads: 2 }, [false, true, false]],
    ["qwen3_moe", QWEN_MOE, [false, true, false]],
    ["mixtral", { num_key_value_heads: 2 }, [false, false, false]],
    ["starcoder2", {}, [true, false, true]],
    ["starcoder2", { tie_word_embeddings: false }, [true, false, false]],
  ] as const)("of %s with %j has norms and embeddings of its family", (type, extra, expected) => {
    const read = readDimensions({ ...BASE, ...extra, model_type: type });
    const [layer_norm, query_key_norm, tied_embeddings] = expected;
    const shape = { layer_norm, query_key_norm, tied_embeddings };
    expect(read).toMatchObject({ ok: true, dimensions: { shape, tied_embeddings } });
  });

  it("refuses attention that it does not know, and experts that do not add up", () => {
    const llama = { ...BASE, model_type: "llama" };
    expect(problemsOf({ ...llama, layer_types: layers(["full", "chunked"]) })).toEqual([
      expect.stringMatching(/^layer_types = "chunked_attention" cannot be trained/),
    ]);
    const mixtral = { ...BASE, model_type: "mixtral", num_key_value_heads: 4 };
    expect(problemsOf({ ...mixtral, num_local_experts: 2, num_experts_per_tok: 3 })).toEqual([
      "num_experts_per_tok (3) is over num_local_experts",
    ]);
    expect(problemsOf({ ...mixtral, decoder_sparse_step: 0 })).toHaveLength(1);
  });

  it.each(["ntk", "longrope"])("with rotary embeddings of type %s is refused", (rope) => {
    const config = { ...BASE, model_type: "llama" };
    expect(problemsOf({ ...config, rope_scaling: { rope_type: rope } })).toHaveLength(1);
    expect(problemsOf({ ...config, rope_scaling: { type: rope } })).toHaveLength(1);
    expect(problemsOf({ ...config, rope_parameters: { rope_type: rope } })).toHaveLength(1);
    expect(problemsOf({ ...config, rope_scaling: { rope_type: "yarn" } })).toEqual([]);
  });

  it("has query heads in whole groups", () => {
    expect(problemsOf({ ...BASE, model_type: "llama", num_key_value_heads: 3 })).toEqual([
      "num_attention_heads (4) is not a multiple of num_key_value_heads",
    ]);
  });
});

describe("a GPU of the catalogue", () => {
  it.each([...GPU_NAMES])("%s has figures in order, and says where they are from", (name) => {
    const gpu = gpuByName(name);
    if (!gpu) throw new Error("no such GPU");
    expect(gpu.name).toBe(name);
    expect(gpu.source).not.toBe("");
    expect(Number.isSafeInteger(gpu.memory_bytes)).toBe(true);
    // Those before Ampere have none.
    expect(gpu.peak_flops.bf16 === null).toBe(name.startsWith("v100"));
    if (gpu.peak_flops.bf16 !== null) expect(gpu.peak_flops.bf16).toBeGreaterThan(1e9);
    expect(gpu.peak_flops.fp32).toBeGreaterThan(1e9);
    expect(gpu.collectives.ranks).toBeGreaterThan(1);
    const { source, ranks: _, ...rows } = gpu.collectives;
    expect(source.trim()).not.toBe("");
    for (const row of Object.values(rows)) {
      expect(row).toHaveLength(rows.megabytes.length);
      expect(Math.min(...row)).toBeGreaterThan(0);
    }
    // A little message may take longer than the next by chance.
    for (const row of [rows.megabytes, rows.all_gather_us, rows.reduce_scatter_us])
      expect([...row].sort((a, b) => a - b)).toEqual(row);
  });

  it.each([
    ...GPU_NAMES,
  ])("%s has efficiencies that are shares, and rates beside them on CUDA", (name) => {
    const gpu = gpuByName(name);
    const { flash2, flash3 = flash2 } = gpu?.attention_efficiency ?? {};
    for (const share of [gpu?.matmul_efficiency, flash2, flash3]) {
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThan(1);
    }
    for (const rate of [gpu?.memory_bandwidth, gpu?.host_link, gpu?.host_adam_parameters]) {
      if (name === "cpu") expect(rate).toBeNull();
      else expect(rate).toBeGreaterThan(1e9);
    }
    const adam = gpu?.host_adam_parameters;
    if (name === "cpu") expect(adam).toBeNull();
    else expect(adam).toBeGreaterThan(1e8);
  });

  it.each([...GPU_NAMES])("%s has a source of every figure, or says that it is assumed", (name) => {
    const gpu = gpuByName(name);
    const figures = [
      "memory_bandwidth",
      "host_link",
      "host_adam_parameters",
      "matmul_efficiency",
      "attention_efficiency",
    ] as const;
    const stated = figures.filter((figure) => gpu?.[figure] !== null);
    expect(Object.keys(gpu?.sources ?? {}).sort()).toEqual([...stated].sort());
    for (const source of Object.values(gpu?.sources ?? {})) {
      expect(source.trim()).not.toBe("");
      expect(source).toMatch(/assumed|data sheet|\d/);
    }
  });

  it("is unknown by any other name", () => expect(gpuByName("toString")).toBeUndefined());
});
