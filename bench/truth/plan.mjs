// A published run as a spec, and what the compiler predicts for it: no data is read, lengths are made up as published.
import { readDimensions } from "../../dist/catalogue/dimensions.js";
import { gpuOf } from "../../dist/catalogue/own-gpu.js";
import { bytesPerLogit } from "../../dist/cost/memory.js";
import { kindOf } from "../../dist/plan/band.js";
import { fitProblem, neededBytes } from "../../dist/plan/fit.js";
import { solveBatches } from "../../dist/plan/forecast.js";
import { performanceOf } from "../../dist/plan/performance.js";
import { schedulingPlan, stepPlan } from "../../dist/plan/scheduling-plan.js";
import { settle } from "../../dist/plan/settle.js";
import { setUp } from "../../dist/plan/setup.js";
import { analyze } from "../../dist/semantics/analyze.js";

const ALL = "[q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj]";

/**
 * A chunk of skrull's loss that takes what whole logits do under the loss of transformers: each 2 bytes in bf16, and 4 in
 * fp32 for itself, its softmax and its gradient less one that takes another's place (`ForCausalLMLoss`, transformers 5.23).
 */
function wholeLogits({ loss_chunk: chunk }) {
  return chunk === undefined
    ? undefined
    : Math.round((chunk * LOSS_OF_TRANSFORMERS) / bytesPerLogit("bf16"));
}

/** Bytes of a logit, as a ledger of its backward has them (12.0 for Llama-3.1-8B). */
const LOSS_OF_TRANSFORMERS = 12;

/** The spec of a point. */
export function specOf(point) {
  const entry = (key, value) => (value === undefined ? "" : `  ${key} = ${value}\n`);
  return `skrull 1
model {
  config = "config.json"
  weights = random
${entry("checkpointing", point.checkpointing)}${entry("kernels", point.kernels)}${entry("attention", point.attention)}${entry("compile_norms", point.compile_norms)}}
cluster {
  nodes = ${point.nodes}
  gpus = ${point.gpus}
  gpu = ${point.gpu}
${entry("network", point.network)}}
data {
  train = ["data.jsonl"]
  format = text
  tokenizer = "bytes"
  end_token = "a"
  supervise = all
  max_length = ${point.tokens}
}
parallel {
  context = ${point.context}
  zero = ${point.zero}
${entry("reduction", point.reduction)}}
memory {
  reserve = 0 B
${entry("bucket", point.bucket)}${entry("offload", point.offload)}}
${point.lora_rank ? `lora {\n  rank = ${point.lora_rank}\n  targets = ${point.targets ?? ALL}\n}\n` : ""}schedule {
  global_batch = ${point.samples}
}
train {
  optimizer = adamw { lr = 1e-5 }
${entry("loss_chunk", wholeLogits(point))}}
`;
}

/** Of every token a target; without lengths of its own, as many samples of that length as one global batch has. */
function dataOf({ samples: batch, tokens, lengths = new Array(batch).fill(tokens) }) {
  const samples = lengths.length;
  const all = (value) => new Uint32Array(samples).fill(value);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return {
    index: {
      files: [],
      blocks: [],
      samples: {
        block: all(0),
        row: all(0),
        line: all(1),
        length: lengths,
        supervised: Uint32Array.from(lengths),
        check: all(0),
      },
    },
    mixture: [],
    summary: {
      rows: samples,
      samples,
      tokens: total,
      supervised_tokens: total,
      longest: tokens,
    },
    longestRow: undefined,
  };
}

const known = new Map();

/** Points are planned many times where constants are fitted to them. */
function analyzed(text) {
  if (!known.has(text)) known.set(text, analyze("spec.skrull", text));
  return known.get(text);
}

/** What the compiler starts from, with a machine of one's own where `change` gives one. */
export function setupOf(point, config, change = (inputs) => inputs) {
  const { runs, diagnostics } = analyzed(specOf(point));
  const { spec, origins } = runs[0] ?? {};
  if (!spec) throw new Error(`${point.id}: ${JSON.stringify(diagnostics.map((d) => d.message))}`);
  const read = readDimensions(config);
  if (!read.ok) throw new Error(`${point.id}: ${JSON.stringify(read.problems)}`);
  const inputs = change({
    modelName: point.model,
    dimensions: read.dimensions,
    gpu: gpuOf(spec),
    profile: undefined,
    data: dataOf(point),
    evaluation: undefined,
  });
  return setUp(settle(spec, origins, inputs).spec, origins, inputs);
}

/** Bytes of a rank and seconds of a step. A bucket that does not fit is planned all the same. */
export function predict(point, config, change) {
  const setup = setupOf(point, config, change);
  const fit = fitProblem(setup);
  const needed = neededBytes(fit);
  const lengths = new Array(point.samples).fill(point.tokens);
  const scheduling = schedulingPlan(setup, point.bucket);
  const found = solveBatches(scheduling, [lengths.map((_, n) => n)], lengths, 0);
  if (!found.ok) throw new Error(`${point.id}: ${found.error.message}`);
  const step = stepPlan(setup).fixed_us / 1e6;
  const performance = performanceOf(found.solved, step);
  return {
    bytes: needed,
    fits: needed <= fit.budgetBytes,
    seconds: performance.step_seconds.mean,
    parts: performance.parts,
    micro_batches: performance.micro_batches.mean,
    kind: kindOf(setup),
  };
}

/** Seconds of a step as published. */
export function measuredSeconds({ samples, tokens, nodes, gpus, measured }) {
  if (measured.step_seconds !== undefined) return measured.step_seconds;
  const { tokens_per_second_per_gpu: speed } = measured;
  return speed === undefined ? undefined : (samples * tokens) / (speed * nodes * gpus);
}
