// The setting of the training benchmark: one model, one data file, and specs that differ in their policy only.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PYTHON, ROOT, run } from "../../scripts/lib.mjs";

export const FOLDER = "build/bench-training";
export const POLICIES = ["packed", "sorted", "skrull-paper", "auto"];
export const RANKS = 2;
const VOCABULARY = 1024;

/** What every Python process of the benchmark is started with. */
export const RANK_ENVIRONMENT = {
  DS_ACCELERATOR: process.env.DS_ACCELERATOR ?? "cpu",
  OMP_NUM_THREADS: "1",
  TOKENIZERS_PARALLELISM: "false",
  PYTHONPATH: join(ROOT, "python"),
};

/** A Qwen2 small enough for a CPU core to train on batches of whole samples; docs/benchmarks.md has its proportions. */
const MODEL = {
  architectures: ["Qwen2ForCausalLM"],
  model_type: "qwen2",
  hidden_size: 64,
  intermediate_size: 256,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: VOCABULARY,
  max_position_embeddings: 32768,
  max_window_layers: 4,
  rope_theta: 1000000.0,
  rms_norm_eps: 1e-6,
  tie_word_embeddings: true,
  use_sliding_window: false,
  sliding_window: null,
};

const spec = ({ policy, profile, globalBatch }) => `skrull 1
model {
  config        = "model/config.json"
  weights       = random
  precision     = fp32
  checkpointing = none
}
cluster {
  gpus = ${RANKS}
  gpu  = cpu
  ${profile ? `profile = "${profile}"` : ""}
}
data {
  train      = ["data/sft_sample.jsonl"]
  tokenizer  = "tokenizer"
  max_length = 4K
  overlong   = truncate
}
parallel { context = 2  zero = 2 }
memory   { budget = 3 GiB  reserve = 512 MiB  bucket = 3K }
schedule { global_batch = ${globalBatch}  policy = ${policy} }
train    { optimizer = adamw { lr = 1e-3 }  epochs = 4  clip_norm = 0  seed = 17 }
`;

/** Model, data and tokenizer, beside the specs. */
export function writeInputs() {
  const folder = join(ROOT, FOLDER);
  for (const name of ["model", "data"]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "model/config.json"), `${JSON.stringify(MODEL, null, 2)}\n`);
  const data = join(folder, "data/sft_sample.jsonl");
  copyFileSync(join(ROOT, "examples/quickstart/data/sft_sample.jsonl"), data);
  const script = join(ROOT, "bench/training/make_tokenizer.py");
  run(PYTHON, [script, data, join(folder, "tokenizer"), `${VOCABULARY}`], {
    env: { ...process.env, PYTHONPATH: join(ROOT, "python") },
  });
}

/** Compiles the spec of a policy; returns the run's folder. */
export function compile(name, options) {
  const file = join(ROOT, FOLDER, `${name}.skrull`);
  const out = join(ROOT, FOLDER, "runs", name);
  writeFileSync(file, spec(options));
  const cli = join(ROOT, "dist/cli/main.js");
  run(process.execPath, [cli, "compile", file, "--out", out, "--force"], {
    stdio: ["ignore", process.stderr, "inherit"],
  });
  return out;
}
