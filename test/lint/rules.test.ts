import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ModelDimensions, readDimensions } from "../../src/catalogue/dimensions.js";
import { tensorShapes } from "../../src/catalogue/tensors.js";
import type { Diagnostic } from "../../src/diagnostics/diagnostic.js";
import { RULES } from "../../src/lint/rules/index.generated.js";
import { conversation, MODEL, spec } from "../cli/run.js";
import { diskHost } from "../disk-host.js";
import { type Shapes, safetensors } from "../inputs/safetensors.js";
import { type Files, lint, lintProject, measure } from "./project.js";

const SMALL: Readonly<Record<string, unknown>> = JSON.parse(MODEL);

function dimensionsOf(config: unknown): ModelDimensions {
  const read = readDimensions(config);
  if (!read.ok) throw new Error("the model of the tests is not sound");
  return read.dimensions;
}

type Parts = Readonly<Record<string, string>>;

interface Case {
  readonly code: string;
  readonly wrong: Parts;
  readonly right: Parts;
  /** `text under the range: message`, of every diagnostic of the rule. */
  readonly found: readonly string[];
  /** Lengths are known. */
  readonly measured?: boolean;
  /** Besides the model and five short samples. */
  readonly files?: Files;
}

const SAMPLES = ["a", "bb", "c".repeat(300), "d", "e".repeat(50)].map(conversation).join("");
const GPU = "{ gpus = 8 gpu = h100_sxm_80gb }";
const QWEN = '"Qwen/Qwen2.5-7B" { }';
const HUB = {
  model: QWEN,
  cluster: GPU,
  data: '{ train = ["data.jsonl"] tokenizer = "tok.json" max_length = 1K }',
  memory: "{ reserve = 6 GiB }",
  schedule: "{ global_batch = 64 }",
  train: "{ optimizer = adamw { lr = 1e-5 } }",
};
const ADAPTERS = { ...HUB, train: "{ optimizer = adamw { lr = 2e-4 } }" };

/** Sequences that nobody need share. */
const LOCAL = {
  model: '"Qwen/Qwen2.5-0.5B" { weights = random }',
  cluster: GPU,
  data: '{ train = ["alike.jsonl"] tokenizer = "bytes" max_length = 8K }',
  memory: "{ reserve = 6 GiB }",
};

/** Stored tensors of the small model, in a sound folder and in another one. */
const STORED: Shapes = Object.fromEntries(tensorShapes(SMALL, dimensionsOf(SMALL)) ?? []);
delete STORED["lm_head.weight"];
const SOUND = { "weights/model.safetensors": safetensors(STORED) };
const weightsIn = (path: string) => ({
  ...HUB,
  model: `{ config = "model.json" path = "${path}" precision = fp32 }`,
});
const WEIGHTS = { wrong: weightsIn("other"), right: weightsIn("weights") };

const CASES: readonly Case[] = [
  {
    code: "group-crosses-nodes",
    wrong: { cluster: "{ nodes = 2 gpus = 2 gpu = cpu }", parallel: "{ context = 4 }" },
    right: { cluster: "{ nodes = 2 gpus = 2 gpu = cpu }", parallel: "{ context = 2 }" },
    found: ["4: a context-parallel group of 4 spans nodes of 2 GPUs"],
  },
  {
    code: "idle-ranks",
    wrong: { cluster: "{ gpus = 8 gpu = cpu }", schedule: "{ global_batch = 3 }" },
    right: { cluster: "{ gpus = 8 gpu = cpu }", schedule: "{ global_batch = 4 }" },
    found: ["3: a global batch of 3 leaves 1 of 4 data-parallel groups idle"],
  },
  {
    code: "heads-not-divisible",
    wrong: {
      cluster: "{ gpus = 3 gpu = cpu }",
      parallel: "{ context = 3 }",
      schedule: "{ global_batch = 4 policy = deepspeed }",
    },
    right: {
      cluster: "{ gpus = 3 gpu = cpu }",
      parallel: "{ context = 3 }",
      schedule: "{ global_batch = 4 policy = packed }",
    },
    found: ["3: 4 query heads and 2 key-value heads cannot be divided among 3 ranks"],
  },
  {
    code: "hosts-name-local",
    wrong: { cluster: '{ nodes = 2 gpus = 2 gpu = cpu hosts = ["node-a", "localhost"] }' },
    right: { cluster: '{ nodes = 2 gpus = 2 gpu = cpu hosts = ["node-a", "node-b"] }' },
    found: ["\"localhost\": 'localhost' is every node's name for itself"],
  },
  {
    code: "key-without-effect",
    wrong: {
      schedule: "{ global_batch = 4 iterations = 100 }",
      lora: "{ alpha = 16 }",
      evaluate: "{ every = 1 }",
    },
    right: { schedule: "{ global_batch = 4 mode = planned iterations = 100 }" },
    found: [
      "100: 'iterations' has no effect with mode = online",
      "16: 'alpha' has no effect with rank = 0",
      "1: 'every' has no effect without evaluate.data or share",
    ],
  },
  {
    code: "tiles-with-experts",
    wrong: { model: '{ config = "experts.json" weights = random tiled_mlp = 512 }' },
    right: { model: '{ config = "experts.json" weights = random tiled_mlp = off }' },
    files: {
      "experts.json": JSON.stringify({
        ...SMALL,
        model_type: "mixtral",
        num_local_experts: 4,
        num_experts_per_tok: 2,
      }),
    },
    found: ["512: tiled_mlp takes dense MLPs; this model has experts in 2 of its 2 layers"],
  },
  {
    code: "adapters-on-random-weights",
    wrong: { lora: "{ rank = 8 }", train: "{ optimizer = adamw { lr = 2e-4 } }" },
    right: { lora: "{ rank = 0 }" },
    found: ["8: adapters on random weights have nothing to adapt"],
  },
  {
    code: "revision-unpinned",
    wrong: { ...HUB, model: '"org/own" { config = "model.json" revision = "main" }' },
    right: HUB,
    found: ['"main": the weights of org/own are those of main, which may be others tomorrow'],
  },
  {
    code: "revision-unpinned",
    wrong: { ...HUB, model: '"org/own" { config = "model.json" }' },
    right: {
      ...HUB,
      model: `"org/own" { config = "model.json" revision = "${"0a".repeat(20)}" }`,
    },
    found: ["model: the weights of org/own are those of main, which may be others tomorrow"],
  },
  {
    code: "hub-weights-quantised",
    wrong: { ...HUB, model: '"openai/gpt-oss-20b" { }' },
    right: { ...HUB, model: '"openai/gpt-oss-20b" { path = "weights" }' },
    found: [
      '"openai/gpt-oss-20b": the weights of openai/gpt-oss-20b on the hub are quantised (mxfp4), and a run refuses them',
    ],
  },
  {
    code: "tokenizer-without-meaning",
    wrong: {
      model: '{ config = "model.json" path = "weights" precision = fp32 }',
      train: HUB.train,
    },
    right: {},
    found: ['"bytes": the pretrained weights were not trained on the byte tokenizer\'s ids'],
  },
  {
    code: "evaluation-on-training-data",
    wrong: {
      data: '{ train = ["d*.jsonl"] tokenizer = "bytes" max_length = 1K }',
      evaluate: '{ data = ["./data.jsonl"] }',
    },
    right: {
      data: '{ train = ["d*.jsonl"] tokenizer = "bytes" max_length = 1K }',
      evaluate: '{ data = ["held-out.jsonl"] }',
    },
    found: ["\"./data.jsonl\": './data.jsonl' is used for both training and evaluation"],
  },
  {
    code: "betas-unsound",
    wrong: { train: "{ optimizer = adamw { lr = 1e-3 betas = [0.9, 1] } }" },
    right: { train: "{ optimizer = adamw { lr = 1e-3 betas = [0.9, 0.95] } }" },
    found: ["[0.9, 1]: the betas [0.9, 1] of AdamW divide by zero"],
  },
  {
    code: "clip-unusual",
    wrong: { train: "{ optimizer = adamw { lr = 1e-3 } clip_norm = 1e-4 }" },
    right: { train: "{ optimizer = adamw { lr = 1e-3 } clip_norm = 0 }" },
    found: ["1e-4: gradients are clipped at a norm of 0.0001"],
  },
  {
    code: "learning-rate-unusual",
    wrong: { ...HUB, lora: "{ rank = 8 }" },
    right: { ...ADAPTERS, lora: "{ rank = 8 }" },
    found: ["1e-5: a learning rate of 1e-5 is low for adapters"],
  },
  {
    code: "learning-rate-unusual",
    wrong: { ...HUB, lora: "{ rank = 8 }", train: "{ optimizer = adamw { lr = 1e-2 } }" },
    right: { ...ADAPTERS, lora: "{ rank = 8 }" },
    found: ["1e-2: a learning rate of 1e-2 is high for adapters"],
  },
  {
    code: "learning-rate-unusual",
    wrong: { ...HUB, train: "{ optimizer = adamw { lr = 1e-3 } }" },
    right: HUB,
    found: ["1e-3: a learning rate of 1e-3 is high for pretrained weights"],
  },
  {
    code: "adapter-scale-unusual",
    wrong: { ...ADAPTERS, lora: "{ rank = 8 alpha = 128 }" },
    right: { ...ADAPTERS, lora: "{ rank = 8 alpha = 16 }" },
    found: ["128: adapters are scaled by alpha / rank = 16"],
  },
  {
    code: "attention-needs-gpu",
    wrong: {
      model: '{ config = "model.json" weights = random precision = fp32 attention = flash2 }',
    },
    right: {
      model: '{ config = "model.json" weights = random precision = fp32 attention = sdpa }',
    },
    found: ["flash2: attention = flash2 has no CPU kernel"],
  },
  {
    code: "checkpoint-never",
    wrong: { train: "{ optimizer = adamw { lr = 1e-3 } steps = 5000 }" },
    right: { train: "{ optimizer = adamw { lr = 1e-3 } steps = 5000 checkpoint_every = 500 }" },
    found: ["train: a run of 5,000 steps is saved only at its end"],
  },
  {
    code: "interval-beyond-run",
    wrong: { train: "{ optimizer = adamw { lr = 1e-3 } steps = 10 checkpoint_every = 11 }" },
    right: { train: "{ optimizer = adamw { lr = 1e-3 } steps = 10 checkpoint_every = 10 }" },
    found: ["11: an interval of 11 steps never elapses: the run has 10"],
  },
  {
    code: "interval-beyond-run",
    measured: true,
    wrong: { train: "{ optimizer = adamw { lr = 1e-3 } epochs = 2 checkpoint_every = 5 }" },
    right: { train: "{ optimizer = adamw { lr = 1e-3 } epochs = 2 checkpoint_every = 4 }" },
    found: ["5: an interval of 5 steps never elapses: the run has 4"],
  },
  {
    code: "warmup-dominates",
    wrong: {
      train:
        "{ optimizer = adamw { lr = 1e-3 } steps = 10 learning_rate = cosine { warmup_steps = 4 } }",
    },
    right: {
      train:
        "{ optimizer = adamw { lr = 1e-3 } steps = 10 learning_rate = cosine { warmup_steps = 3 } }",
    },
    found: ["4: 4 of 10 steps are warm-up"],
  },
  {
    code: "full-precision-on-gpu",
    wrong: { ...HUB, model: '"Qwen/Qwen2.5-7B" { precision = fp32 }' },
    right: HUB,
    found: ["fp32: fp32 on NVIDIA H100 SXM 80 GB reaches 495 TFLOP/s; bf16 reaches 989"],
  },
  {
    code: "reserve-too-small",
    wrong: { ...HUB, memory: "{ reserve = 256 MiB }" },
    right: { ...HUB, memory: "{ reserve = 256 MiB budget = 70 GiB }" },
    found: ["256 MiB: only 256 MiB is reserved on a GPU"],
  },
  {
    code: "invalid-model-config",
    wrong: {},
    right: { model: '"Qwen/Qwen2.5-0.5B" { weights = random precision = fp32 }' },
    files: {
      "model.json": JSON.stringify({ ...JSON.parse(MODEL), model_type: "big_bird" }),
    },
    found: [
      '"model.json": model.json: model_type = "big_bird" cannot be trained: its attention does not go through the registry of transformers',
    ],
  },
  {
    code: "model-unchecked",
    wrong: {},
    right: { model: '"Qwen/Qwen2.5-0.5B" { weights = random precision = fp32 }' },
    files: {
      "model.json": JSON.stringify({
        ...JSON.parse(MODEL),
        model_type: "phi3",
        rope_scaling: { rope_type: "yarn", factor: 2 },
      }),
    },
    found: ['"model.json": no phi3 of this kind has been tested'],
  },
  {
    code: "model-undescribed",
    wrong: {},
    right: { model: '"Qwen/Qwen2.5-0.5B" { weights = random precision = fp32 }' },
    files: {
      "model.json": JSON.stringify({ ...JSON.parse(MODEL), model_type: "phi3" }),
    },
    found: [
      '"model.json": only the model itself can tell the dimensions of a phi3: lint looks at no memory and no cost',
    ],
  },
  {
    code: "remote-code-needed",
    wrong: {},
    right: { model: '"Qwen/Qwen2.5-0.5B" { weights = random precision = fp32 }' },
    files: {
      "model.json": JSON.stringify({
        ...JSON.parse(MODEL),
        auto_map: { AutoModelForCausalLM: "modeling_own.OwnModel" },
      }),
    },
    found: [
      '"model.json": model.json refers to custom code (modeling_own.OwnModel), which a run never executes',
    ],
  },
  {
    code: "host-memory-short",
    wrong: {
      ...HUB,
      model: '{ config = "large.json" }'.replace("}", 'path = "weights" }'),
      cluster: "{ gpus = 2 gpu = h100_sxm_80gb }",
      parallel: "{ context = 2 zero = 3 }",
      memory: "{ reserve = 6 GiB offload = all }",
    },
    right: { ...HUB, memory: "{ reserve = 6 GiB offload = optimizer }" },
    files: {
      "large.json": JSON.stringify({
        ...JSON.parse(MODEL),
        hidden_size: 8192,
        intermediate_size: 28672,
        num_hidden_layers: 80,
        num_attention_heads: 64,
        num_key_value_heads: 8,
        vocab_size: 128256,
      }),
    },
    found: [
      "all: offloading needs 1.79 TiB of a node's memory; nodes of 2 GPUs usually have up to 384 GiB",
    ],
  },
  {
    code: "adapters-with-zero-three",
    wrong: { ...ADAPTERS, lora: "{ rank = 8 }", parallel: "{ context = 2 zero = 3 }" },
    right: { ...ADAPTERS, lora: "{ rank = 8 }", parallel: "{ context = 2 zero = 1 }" },
    found: ["3: 14.2 GiB of frozen weights are gathered in every pass of every micro-batch"],
  },
  {
    code: "adapters-too-large",
    wrong: { ...ADAPTERS, lora: "{ rank = 4096 }" },
    right: { ...ADAPTERS, lora: "{ rank = 64 }" },
    found: ["4096: adapters of rank 4096 have 2,583,691,264 parameters, 33.9% of the model"],
  },
  {
    code: "logits-dominate",
    wrong: {
      ...HUB,
      memory: "{ budget = 31 GiB reserve = 6 GiB }",
      parallel: "{ context = 2 zero = 3 }",
    },
    right: { ...HUB, parallel: "{ context = 2 zero = 3 }" },
    found: ["31 GiB: the logits of one chunk take 1.25 GiB, 38.6% of what model states leave"],
  },
  {
    code: "bucket-too-small",
    wrong: { ...HUB, parallel: "{ zero = 3 }", memory: "{ reserve = 6 GiB bucket = 1K }" },
    right: { ...HUB, parallel: "{ zero = 3 }", memory: "{ reserve = 6 GiB bucket = 8K }" },
    found: ["1K: the bucket of 1,024 tokens is 4.2% of the 24,426 that fit"],
  },
  {
    code: "max-length-beyond-positions",
    wrong: { data: '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 8K }' },
    right: { data: '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 4K }' },
    found: ["8K: max_length allows 8,192 tokens; the model reaches 4,096"],
  },
  {
    code: "states-exceed-budget",
    wrong: { ...HUB, memory: "{ budget = 20 GiB reserve = 6 GiB }" },
    right: { ...HUB, parallel: "{ zero = 3 }" },
    found: [
      "20 GiB: model states need 34.8 GiB of the 14.0 GiB a rank may use, before the first token",
    ],
  },
  {
    code: "bucket-exceeds-budget",
    wrong: { ...HUB, parallel: "{ zero = 3 }", memory: "{ reserve = 6 GiB bucket = 64K }" },
    right: { ...HUB, parallel: "{ zero = 3 }", memory: "{ reserve = 6 GiB bucket = 16K }" },
    found: ["64K: a bucket of 65,536 tokens needs 166 GiB of the 73.6 GiB a rank may use"],
  },
  {
    code: "host-memory-exceeded",
    wrong: {
      ...HUB,
      cluster: "{ gpus = 8 gpu = h100_sxm_80gb host_memory = 64 GiB }",
      memory: "{ reserve = 6 GiB offload = optimizer }",
    },
    right: {
      ...HUB,
      cluster: "{ gpus = 8 gpu = h100_sxm_80gb host_memory = 1 TiB }",
      memory: "{ reserve = 6 GiB offload = optimizer }",
    },
    found: [
      "optimizer: offloaded states of 8 ranks need 157 GiB on a node with 64.0 GiB of memory",
    ],
  },
  {
    code: "host-memory-exceeded",
    wrong: {
      ...HUB,
      model: '"Qwen/Qwen2.5-14B" { weights = random }',
      cluster: "{ gpus = 8 gpu = h100_sxm_80gb host_memory = 24 GiB }",
    },
    right: {
      ...HUB,
      model: '"Qwen/Qwen2.5-14B" { }',
      cluster: "{ gpus = 8 gpu = h100_sxm_80gb host_memory = 24 GiB }",
    },
    found: [
      "24 GiB: random weights, which the first rank draws as a whole, and processes of 8 ranks need 47.5 GiB on a node with 24.0 GiB of memory",
    ],
  },
  {
    code: "unknown-adapter-target",
    wrong: { ...ADAPTERS, lora: "{ rank = 8 targets = [q_proj, c_fc] }" },
    right: { ...ADAPTERS, lora: "{ rank = 8 targets = [q_proj, up_proj] }" },
    found: ["c_fc: this model's layers have no matrix 'c_fc' that can have an adapter"],
  },
  {
    code: "incompatible-combination",
    wrong: { model: '{ config = "model.json" weights = random precision = fp32 kernels = liger }' },
    right: { model: '{ config = "model.json" weights = random precision = fp32 }' },
    found: ["liger: Liger's kernels run on GPUs only"],
  },
  {
    code: "incompatible-combination",
    wrong: { ...HUB, model: '"Qwen/Qwen2.5-7B" { precision = fp32 attention = flash2 }' },
    right: { ...HUB, model: '"Qwen/Qwen2.5-7B" { attention = flash2 }' },
    found: ["flash2: FlashAttention has no kernels for fp32"],
  },
  {
    code: "incompatible-combination",
    wrong: {
      ...ADAPTERS,
      cluster: '{ gpus = 8 gpu = h100_sxm_80gb deepspeed = "0.19.2" }',
      lora: "{ rank = 8 }",
      parallel: "{ zero = 3 }",
    },
    right: { ...ADAPTERS, lora: "{ rank = 8 }", parallel: "{ zero = 3 }" },
    found: ["3: adapters, ZeRO 3 and recomputation can fail together in the first backward"],
  },
  {
    code: "incompatible-combination",
    wrong: {
      ...HUB,
      model: '{ config = "wide.json" path = "weights" attention = varlen }',
    },
    right: { ...HUB, model: '{ config = "wide.json" path = "weights" }' },
    files: { "wide.json": JSON.stringify({ ...JSON.parse(MODEL), head_dim: 512 }) },
    found: ["varlen: FlashAttention has no kernels for heads of 512"],
  },
  {
    code: "incompatible-combination",
    wrong: {
      ...HUB,
      model: '{ config = "odd.json" path = "weights" attention = flash2 }',
    },
    right: { ...HUB, model: '{ config = "odd.json" path = "weights" attention = sdpa }' },
    files: { "odd.json": JSON.stringify({ ...JSON.parse(MODEL), head_dim: 12 }) },
    found: ["flash2: FlashAttention takes no heads of 12, which is no multiple of 8"],
  },
  {
    code: "outdated-deepspeed",
    wrong: { cluster: '{ gpus = 2 gpu = cpu deepspeed = "0.19.1" }' },
    right: { cluster: '{ gpus = 2 gpu = cpu deepspeed = "0.19.2" }' },
    found: [
      '"0.19.1": version 0.19.1 of DeepSpeed is too old for a varying number of micro-batches',
    ],
  },
  {
    code: "profile-mismatch",
    wrong: {
      cluster: '{ gpus = 2 gpu = cpu profile = "profile.json" }',
      model: '{ config = "model.json" weights = random precision = bf16 }',
    },
    right: { cluster: '{ gpus = 2 gpu = cpu profile = "profile.json" }' },
    files: {
      "profile.json": '{ "format_version": 1, "name": "p", "gpu": "cpu", "precision": "fp32" }',
    },
    found: [
      '"profile.json": the profile was measured on cpu in fp32, but the spec has cpu in bf16',
    ],
  },
  {
    code: "resume-on-other-ranks",
    wrong: { cluster: "{ gpus = 4 gpu = cpu }" },
    right: {},
    files: {
      "runs/a/skrull.manifest.json": '{ "inputs": { "spec.skrull": "x" } }',
      "runs/a/output/checkpoints/step-00000002/skrull_state.json": '{ "ranks": 2 }',
      "runs/b/skrull.manifest.json": '{ "inputs": { "other.skrull": "x" } }',
      "runs/b/output/checkpoints/step-00000002/skrull_state.json": '{ "ranks": 3 }',
    },
    found: ["4: 'runs/a' has a checkpoint of 2 ranks; this spec has 4"],
  },
  {
    code: "weights-not-found",
    wrong: { ...HUB, model: '"Qwen/Qwen2.5-7B" { path = "weigths" }' },
    right: { ...HUB, model: '"Qwen/Qwen2.5-7B" { path = "weights" }' },
    files: { "weights/pytorch_model.bin": "" },
    found: [`"weigths": there are no weights in 'weigths': no such folder`],
  },
  {
    code: "weights-unreadable",
    ...WEIGHTS,
    files: { ...SOUND, "other/model.safetensors": safetensors(STORED).slice(0, -1) },
    found: [
      '"other": other/model.safetensors: is not as long as its header says: was it copied completely?',
    ],
  },
  {
    code: "weights-incomplete",
    ...WEIGHTS,
    files: { ...SOUND, "other/model.safetensors": safetensors({ ...STORED, more: [1] }) },
    found: [
      `"other": the weights in 'other' are not those of the model: more (1 in all) of the files are not in the model`,
    ],
  },
  {
    code: "weights-of-another-shape",
    ...WEIGHTS,
    files: {
      ...SOUND,
      "other/model.safetensors": safetensors({ ...STORED, "model.norm.weight": [31] }),
    },
    found: [
      `"other": the weights in 'other' have other shapes than the model: model.norm.weight is [31], not [32]`,
    ],
  },
  {
    code: "weights-quantised",
    ...WEIGHTS,
    files: { ...SOUND, "other/model.safetensors": safetensors(STORED, "I8") },
    found: [
      `"other": the weights in 'other' are quantised: model.embed_tokens.weight, model.layers.0.self_attn.q_proj.weight, model.layers.0.self_attn.q_proj.bias, … (26 in all) are of type I8`,
    ],
  },
  {
    code: "unused-constant",
    wrong: { train: "{ optimizer = adamw { lr = 1e-3 } }\nlet spare = 3" },
    right: { train: "{ optimizer = adamw { lr = 1e-3 } steps = spare }\nlet spare = 3" },
    found: ["spare: the constant 'spare' is not used"],
  },
  {
    code: "unused-import",
    wrong: { train: '{ optimizer = adamw { lr = 1e-3 } }\nimport "lib.skrull"' },
    right: { train: '{ optimizer = adamw { lr = 1e-3 } steps = few }\nimport "lib.skrull"' },
    files: { "lib.skrull": "skrull 1\nlet few = 3\n" },
    found: [`import "lib.skrull": the import of 'lib.skrull' has no effect`],
  },
  {
    code: "secret-in-spec",
    wrong: { log: `{ wandb = "hf_${"aB3".repeat(11)}" }` },
    right: { log: '{ wandb = "hf_short" }' },
    found: [`hf_${"aB3".repeat(11)}: this looks like a Hugging Face token`],
  },
  {
    code: "sequence-too-long",
    measured: true,
    wrong: { memory: "{ budget = 1 GiB reserve = 1 MiB bucket = 128 }" },
    right: { memory: "{ budget = 1 GiB reserve = 1 MiB bucket = 256 }" },
    found: ["128: the longest sequence (323 tokens) needs 162 tokens on each of 2 ranks; 128 fit"],
  },
  {
    code: "evaluation-too-long",
    measured: true,
    wrong: {
      memory: "{ budget = 1 GiB reserve = 1 MiB bucket = 256 }",
      evaluate: '{ data = ["long.jsonl"] }',
    },
    right: {
      memory: "{ budget = 1 GiB reserve = 1 MiB bucket = 512 }",
      evaluate: '{ data = ["long.jsonl"] }',
    },
    files: { "long.jsonl": conversation("x".repeat(900)) },
    found: [
      '["long.jsonl"]: the longest evaluation sequence (923 tokens) does not fit; the longest training sequence (323) does',
    ],
  },
  {
    code: "position-limit",
    measured: true,
    wrong: { data: '{ train = ["long.jsonl"] tokenizer = "bytes" max_length = 8K }' },
    right: { data: '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 8K }' },
    files: { "long.jsonl": conversation("x".repeat(5000)) },
    found: ["8K: the longest sequence has 5,023 tokens; the model was made for 4,096"],
  },
  {
    code: "overlong-samples",
    measured: true,
    wrong: { data: '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 128 }' },
    right: { data: '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 1K }' },
    found: ["128: 1 sample is longer than 128 tokens; the longest has 323 (data.jsonl:3)"],
  },
  {
    code: "overlong-samples-lost",
    measured: true,
    wrong: {
      data: '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 128 overlong = drop }',
    },
    right: {
      data: '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 1K overlong = drop }',
    },
    found: ["drop: 1 of 5 samples is over max_length and dropped: 68.9% of all tokens are lost"],
  },
  {
    code: "context-too-large",
    measured: true,
    wrong: {
      ...LOCAL,
      parallel: "{ context = 8 }",
      schedule: "{ global_batch = 16 policy = packed }",
    },
    // The policy shares only what pays: the wider group costs nothing.
    right: { ...LOCAL, parallel: "{ context = 8 }", schedule: "{ global_batch = 16 }" },
    files: { "alike.jsonl": conversation("x".repeat(2000)).repeat(16) },
    found: ["8: context = 1 is predicted 13.8% faster than 8"],
  },
  {
    code: "offload-needless",
    measured: true,
    wrong: { memory: "{ budget = 1 GiB reserve = 1 MiB bucket = 1K offload = optimizer }" },
    right: {},
    found: ["optimizer: everything fits on the GPU without offload = optimizer"],
  },
  {
    code: "checkpointing-offload-needless",
    measured: true,
    wrong: {
      ...LOCAL,
      model: '"Qwen/Qwen2.5-0.5B" { weights = random checkpointing = offload }',
    },
    right: { ...LOCAL, model: '"Qwen/Qwen2.5-0.5B" { weights = random checkpointing = full }' },
    files: { "alike.jsonl": conversation("x".repeat(100)) },
    found: [
      "offload: checkpointing = offload moves 2.54 MiB of layer inputs to the host needlessly",
    ],
  },
  {
    code: "checkpointing-offload-needless",
    measured: true,
    wrong: { model: '{ config = "model.json" weights = random checkpointing = offload }' },
    right: { model: '{ config = "model.json" weights = random checkpointing = full }' },
    found: [
      "offload: checkpointing = offload moves 20.3 KiB of layer inputs to the host needlessly",
    ],
  },
  {
    code: "unsupervised-samples",
    measured: true,
    wrong: {},
    right: {
      data: '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 1K supervise = all }',
    },
    files: {
      "data.jsonl": `${SAMPLES}${JSON.stringify({ messages: [{ role: "user", content: "x" }] })}\n`,
    },
    found: ["data: 1 of 6 samples has no target"],
  },
  {
    code: "batch-exceeds-data",
    measured: true,
    wrong: { schedule: "{ global_batch = 6 }" },
    right: { schedule: "{ global_batch = 5 }" },
    found: ["6: a global batch of 6 is more than the data's 5 samples"],
  },
  {
    code: "last-batch-tiny",
    measured: true,
    wrong: { schedule: "{ global_batch = 20 }" },
    right: { schedule: "{ global_batch = 7 }" },
    files: { "data.jsonl": conversation("x").repeat(21) },
    found: ["20: the last global batch of an epoch has 1 of 20 sequences"],
  },
];

const text = (source: string, { range }: Diagnostic) => {
  const { start, end } = range;
  const line = source.split("\n")[start.line - 1] ?? "";
  return line.slice(start.column - 1, end.line === start.line ? end.column - 1 : undefined);
};

describe("a group that crosses nodes", () => {
  const codes = async (parts: Parts) => {
    const crossing = {
      cluster: "{ nodes = 2 gpus = 2 gpu = cpu }",
      parallel: "{ context = 4 }",
      ...parts,
    };
    const files = { "model.json": MODEL, "data.jsonl": SAMPLES, "spec.skrull": spec(crossing) };
    return (await lintProject(files)).map(({ code }) => code);
  };

  it("is reported where a node would do", async () => {
    expect(await codes({})).toEqual(["group-crosses-nodes"]);
  });

  it("is not where the longest sequence needs it", async () => {
    const memory = "{ budget = 1 GiB reserve = 1 MiB bucket = 256 }";
    expect(await codes({ memory })).not.toContain("group-crosses-nodes");
  });

  it("is not where the schedule shares no more than pays", async () => {
    const schedule = "{ global_batch = 4 degrees = powers-of-two }";
    expect(await codes({ schedule })).toEqual([]);
    const packed = "{ global_batch = 4 degrees = powers-of-two policy = packed }";
    expect(await codes({ schedule: packed })).toEqual(["group-crosses-nodes"]);
  });
});

describe("every rule", () => {
  it.each(CASES)("$code reports what is wrong, and nothing else", async (c) => {
    const filesOf = (parts: Parts) => ({
      "model.json": MODEL,
      "data.jsonl": SAMPLES,
      ...c.files,
      "spec.skrull": spec(parts),
    });
    const of = async (parts: Parts) => {
      const files = filesOf(parts);
      const diagnostics = await lintProject(files, { measured: c.measured ?? false });
      const own = diagnostics.filter(({ code }) => code === c.code);
      return own.map((found) => `${text(files["spec.skrull"], found)}: ${found.message}`);
    };
    expect(await of(c.wrong)).toEqual(c.found);
    expect(await of(c.right)).toEqual([]);
  });

  it("has a test", () => {
    // The example of sequences-stay-whole is of a model that must first be described (test/lint/examples.test.ts).
    const elsewhere = ["stale-lengths", "sequences-stay-whole"];
    const tested = new Set([...CASES.map(({ code }) => code), ...elsewhere]);
    expect(RULES.map(({ code }) => code).filter((code) => !tested.has(code))).toEqual([]);
  });
});

describe("stale-lengths", () => {
  const files = { "model.json": MODEL, "data.jsonl": SAMPLES, "spec.skrull": spec() };

  it("is reported where the data has another content than was measured", async () => {
    const host = diskHost(files);
    await measure(host, "spec.skrull", files["spec.skrull"]);
    host.writeFile(join(host.workingFolder, "data.jsonl"), SAMPLES.repeat(2));
    const found = (await lint(host, "spec.skrull")).filter(({ code }) => code === "stale-lengths");
    expect(found.map((f) => `${text(files["spec.skrull"], f)}: ${f.message}`)).toEqual([
      `["data.jsonl"]: 'data.jsonl' has changed since its lengths were measured`,
    ]);
  });

  it("is not reported where the file is only younger, or was never measured", async () => {
    const host = diskHost(files);
    const codes = async () => (await lint(host, "spec.skrull")).map(({ code }) => code);
    expect(await codes()).not.toContain("stale-lengths");
    await measure(host, "spec.skrull", files["spec.skrull"]);
    host.writeFile(join(host.workingFolder, "data.jsonl"), SAMPLES);
    expect(await codes()).not.toContain("stale-lengths");
  });
});

it("a budget that would do holds the longest sample there may be, where lengths are not known", async () => {
  const more = async (length: string) => {
    const data = `{ train = ["data.jsonl"] tokenizer = "tok.json" max_length = ${length} }`;
    const memory = "{ budget = 20 GiB reserve = 6 GiB }";
    const found = await lintProject({ "spec.skrull": spec({ ...HUB, data, memory }) });
    const help = found.find(({ code }) => code === "states-exceed-budget")?.help ?? "";
    return Number(/budget = (\d+) MiB/.exec(help)?.[1]) / 1024;
  };
  expect(await more("32K")).toBeGreaterThan((await more("1K")) + 5);
});
