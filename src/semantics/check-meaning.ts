import { type Gpu, memoryOfRank } from "../catalogue/gpu.js";
import { MODEL_NAMES, nearestModel, relatedModels, templateByName } from "../catalogue/names.js";
import { gpuOf } from "../catalogue/own-gpu.js";
import { usesEnd } from "../catalogue/template.js";
import type { DiagnosticCode } from "../diagnostics/catalogue.js";
import type { Extra, Values } from "../diagnostics/diagnostic.js";
import { countOf, formatBytes, formatCount } from "../foundation/format.js";
import { divisors, isPowerOfTwo } from "../foundation/integers.js";
import { MOST_RANKS } from "../foundation/limits.generated.js";
import type { Range } from "../foundation/text.js";
import type { Spec } from "../language/language.js";
import { OFFLOAD_FROM } from "../language/offload.js";
import { checkAdapters, checkFourBits, checkNewRows } from "./check-adapters.js";
import { checkOptimizer } from "./check-optimizer.js";
import type { Origins, Report, Reporting } from "./report.js";

/** Blocks that hold what the table says; those with mistakes are absent. */
export type CheckedBlocks = { readonly [Name in keyof Spec]: Spec[Name] | undefined };

/** Checks that concern several values at once: each wherever the blocks it needs are sound. */
export function checkMeaning(blocks: CheckedBlocks, origins: Origins, report: Report): void {
  const at = <Code extends DiagnosticCode>(
    code: Code,
    path: string,
    values: Values<Code>,
    extra: Extra = {},
  ) => {
    report.atPlace(code, values, origins.place(path), extra);
  };
  const { model, cluster, data, parallel, memory, schedule, train } = blocks;
  if (model) checkModel(model, at, (path) => origins.place(path).range);
  if (model) checkRope(model, at);
  if (cluster) checkHosts(cluster, at);
  if (cluster) checkVersion(cluster, at);
  if (cluster && parallel) checkTopology(cluster, parallel, at);
  const gpu = cluster && gpuOf({ cluster, gpu_model: blocks.gpu_model });
  if (gpu && model) checkPrecision(gpu, model, origins, at);
  if (gpu && memory) checkMemory(gpu, cluster, memory, origins, at);
  if (cluster && parallel && schedule) checkDegrees(cluster, parallel, schedule, at);
  if (blocks.lora) checkAdapters(blocks.lora, origins, at);
  if (blocks.lora && parallel) checkFourBits(blocks.lora, parallel, at);
  if (blocks.lora && model && parallel) checkNewRows(blocks.lora, model, parallel, at);
  if (data) checkRendering(data, origins, at);
  if (data) checkWeights(data, at);
  if (blocks.evaluate) checkHeldOut(blocks.evaluate, at);
  if (train) checkTraining(train, at);
  if (train && model) checkGradients(train, model, at);
  if (parallel && memory) checkStage(parallel, memory, at);
  if (model && train && parallel && memory)
    checkOptimizer({ model, train, parallel, memory }, origins, at);
}

/** How a model of the hub is used that the catalogue does not have. */
const OTHER_MODELS =
  'Any other model on the hub needs its config.json beside the spec: model "OWNER/NAME" { config = "config.json" }.';

/** A folder where a name should be, a name without its owner, or a misspelt one. */
function anotherModel(label: string, range: Range): Extra {
  const near = nearestModel(label);
  if (/^[\\/~.]|^[A-Za-z]:|\\/.test(label)) return { help: folderAdvice(near) };
  if (near === undefined) return { help: `${OTHER_MODELS} ${knownModels(label)}` };
  const edits = [{ range, new_text: JSON.stringify(near) }];
  const help = `Did you mean "${near}"? ${OTHER_MODELS}`;
  return { help, fix: { title: `Write "${near}"`, safe: false, edits } };
}

/** What the catalogue has, the models of a name's family first. */
function knownModels(label: string): string {
  const related = relatedModels(label);
  const some = related.length > 0 ? `, ${related.join(", ")} among them` : "";
  return `The catalogue has ${MODEL_NAMES.length} models${some} (docs/reference/catalogue.md).`;
}

function folderAdvice(near: string | undefined): string {
  const keys = near === undefined ? '{ config = "config.json"  path = "..." }' : '{ path = "..." }';
  const name = near === undefined ? "" : `${JSON.stringify(near)} `;
  return `Name a folder with path, relative to the spec: model ${name}${keys}`;
}

function checkModel(model: Spec["model"], at: Reporting, place: (path: string) => Range): void {
  const { label, config, weights, path, revision } = model;
  if (label === undefined && config === undefined) {
    const problem = "the model has neither a name nor a configuration";
    const reason = "The model's dimensions come from the catalogue or from a configuration.";
    at("model-source", "model", { problem, reason });
  }
  if (label !== undefined && config === undefined && !MODEL_NAMES.includes(label)) {
    at("unknown-model", "model.label", { name: label }, anotherModel(label, place("model.label")));
  } else if (label !== undefined && config !== undefined && !HUB_NAME.test(label)) {
    const problem = `${JSON.stringify(label)} is not a name on the hub`;
    const reason = "With a configuration, the name says where the pretrained weights are.";
    at("model-source", "model.label", { problem, reason }, { help: folderAdvice(undefined) });
  }
  if (weights === "random") {
    const reason = "Random weights are not read from anywhere.";
    if (path !== undefined)
      at("contradictory-keys", "model.path", { first: "path", second: "weights = random", reason });
    if (revision !== undefined) {
      at("contradictory-keys", "model.revision", {
        first: "revision",
        second: "weights = random",
        reason,
      });
    }
  } else if (label === undefined && path === undefined && config !== undefined) {
    at(
      "model-source",
      "model.config",
      {
        problem: "nothing says where the pretrained weights are",
        reason: "A configuration has only dimensions, and weights = pretrained is the default.",
      },
      {
        help: 'Name the model on the hub that has them: model "OWNER/NAME" { config = "..." }; or write path = "FOLDER", a folder below the spec; or weights = random, to train from scratch.',
      },
    );
  }
}

/** `OWNER/NAME`, or the name alone of models that are older than owners. */
const HUB_NAME = /^[A-Za-z0-9][\w.-]{0,95}(?:\/[A-Za-z0-9][\w.-]{0,95})?$/;

/** Bounds that are the wrong way round. */
function checkRope({ rope_scaling: scaling }: Spec["model"], at: Reporting): void {
  const contradict = (first: string, second: string) => {
    const reason = `${first} must be less than ${second}: between them the stretching fades out.`;
    at("contradictory-keys", "model.rope_scaling", { first, second, reason });
  };
  if (scaling?.type === "llama3" && scaling.low_freq_factor >= scaling.high_freq_factor)
    contradict("low_freq_factor", "high_freq_factor");
  if (scaling?.type === "yarn" && scaling.beta_slow >= scaling.beta_fast)
    contradict("beta_slow", "beta_fast");
}

function checkTopology(
  cluster: Spec["cluster"],
  { context }: Spec["parallel"],
  at: Reporting,
): void {
  const ranks = cluster.nodes * cluster.gpus;
  if (ranks > MOST_RANKS) {
    const values = { ranks: formatCount(ranks), most: formatCount(MOST_RANKS) };
    at("too-many-ranks", cluster.nodes > 1 ? "cluster.nodes" : "cluster.gpus", values);
    return;
  }
  if (context === "auto") return;
  if (ranks % context !== 0) {
    const help = `The nearest degrees that divide ${ranks}: ${nearestDivisors(ranks, context).join(", ")}.`;
    at("ranks-not-divisible", "parallel.context", { ranks, context }, { help });
  }
}

function checkDegrees(
  cluster: Spec["cluster"],
  { context }: Spec["parallel"],
  { degrees }: Spec["schedule"],
  at: Reporting,
): void {
  const ranks = cluster.nodes * cluster.gpus;
  if (degrees === "local-or-all") return;
  if (context !== "auto" && ranks % context !== 0) return;
  if (context !== "auto" && !isPowerOfTwo(context)) {
    const what = "the CP degree";
    at("degrees-need-powers-of-two", "schedule.degrees", { degrees, what, value: context });
  } else if (degrees === "pool" && !isPowerOfTwo(ranks)) {
    const what = "the number of ranks";
    at("degrees-need-powers-of-two", "schedule.degrees", { degrees, what, value: ranks });
  }
}

/** Up to four divisors around a degree, ascending. */
function nearestDivisors(ranks: number, degree: number): readonly number[] {
  const distance = (d: number) => Math.abs(d - degree);
  return [...divisors(ranks)]
    .filter((d) => d <= 2 * degree)
    .sort((a, b) => distance(a) - distance(b))
    .slice(0, 4)
    .sort((a, b) => a - b);
}

function checkHosts({ hosts, nodes }: Spec["cluster"], at: Reporting): void {
  for (const [n, host] of hosts.entries()) {
    // The name goes into launch.sh, and from there to ssh.
    if (/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(host) && hosts.indexOf(host) === n)
      continue;
    const reason = "`launch.sh` reaches every node by a host name of its own.";
    const range = "a host name (letters, digits, dots, hyphens) that appears once";
    at("out-of-range", `cluster.hosts.${n}`, {
      name: "hosts",
      value: JSON.stringify(host),
      range,
      reason,
    });
  }
  if (hosts.length > 0 && hosts.length !== nodes) {
    const reason = `nodes = ${nodes}, and hosts has ${countOf(hosts.length, "name")}.`;
    at("contradictory-keys", "cluster.hosts", { first: "hosts", second: "nodes", reason });
  }
}

/** Every letter can be matched in one way only: else a long wrong text would take for ever. */
const VERSION = /^\d+\.\d([.+-]?[A-Za-z0-9])*$/;

/** It goes into a line of the run's requirements. */
function checkVersion({ deepspeed }: Spec["cluster"], at: Reporting): void {
  if (deepspeed === undefined || VERSION.test(deepspeed)) return;
  at("out-of-range", "cluster.deepspeed", {
    name: "deepspeed",
    value: JSON.stringify(deepspeed),
    range: 'a version, such as "0.19.8"',
    reason: "The run's requirements name it.",
  });
}

function checkPrecision(
  { title, peak_flops: peak }: Gpu,
  { precision }: Spec["model"],
  origins: Origins,
  at: Reporting,
): void {
  if (peak[precision] !== null) return;
  const place = origins.has("model.precision") ? "model.precision" : "cluster.gpu";
  at("precision-unsupported", place, { gpu: title, precision });
}

function checkMemory(
  gpu: Gpu,
  cluster: Spec["cluster"],
  memory: Spec["memory"],
  origins: Origins,
  at: Reporting,
): void {
  const budget = memory.budget ?? memoryOfRank(gpu, cluster);
  if (gpu.device === "cuda" && budget > gpu.memory_bytes) {
    const values = {
      budget: formatBytes(budget),
      memory: formatBytes(gpu.memory_bytes),
    };
    at("budget-exceeds-memory", "memory.budget", values, budgetAdvice(budget, gpu.memory_bytes));
  }
  if (memory.reserve >= budget) {
    // Where the spec says neither of the two, the budget is a share of the host's memory, or the GPU's.
    const places = ["memory.reserve", "memory.budget", "cluster.host_memory", "cluster.gpu"];
    at("reserve-exceeds-budget", places.find((path) => origins.has(path)) ?? "cluster", {
      reserve: formatBytes(memory.reserve),
      budget: formatBytes(budget),
    });
  }
}

/** Memory is sold by the GB and often written as so many GiB. */
function budgetAdvice(budget: number, memory: number): Extra {
  const size = budget / 2 ** 30;
  if (size * 1e9 > memory) return {};
  const most = Math.floor(memory / 2 ** 30);
  const help = `Write ${size} GB, which is fewer bytes than ${size} GiB, or at most ${most} GiB; or leave it out.`;
  return { help };
}

/** Settings of samples of one kind, where the data is of the other. */
function checkRendering(data: Spec["data"], origins: Origins, at: Reporting): void {
  const { format, template, begin_token: begin, end_token: end } = data;
  // Rows of the other layouts may be either.
  const conversations = ["messages", "sharegpt", "alpaca"].includes(format.type);
  const texts = ["text", "tokens"].includes(format.type);
  const second = `format = ${format.type}`;
  const contradict = (key: string, reason: string) => {
    at("contradictory-keys", `data.${key}`, { first: key, second, reason });
  };
  if (texts && origins.has("data.template"))
    contradict("template", "Templates are for conversations.");
  if (conversations && begin !== undefined)
    contradict("begin_token", "The template says how a conversation begins.");
  if (conversations && end !== undefined && !leavesEnd(template.type))
    at("contradictory-keys", "data.end_token", {
      first: "end_token",
      second: `template = ${template.type}`,
      reason: "This template has an end token of its own.",
    });
}

function checkHeldOut({ data, share }: Spec["evaluate"], at: Reporting): void {
  if (data.length === 0 || share === 0) return;
  const reason = "The held-out data is either separate files or a share of the training data.";
  at("contradictory-keys", "evaluate.share", { first: "share", second: "data", reason });
}

function checkWeights({ weights, train }: Spec["data"], at: Reporting): void {
  if (weights.length === 0 || weights.length === train.length) return;
  const reason = `train has ${countOf(train.length, "entry", "entries")}, weights has ${weights.length}.`;
  at("contradictory-keys", "data.weights", { first: "weights", second: "train", reason });
}

/** Whether a template leaves the end token to the tokenizer; a user's own may. */
function leavesEnd(name: string): boolean {
  const template = templateByName(name);
  return template === undefined || usesEnd(template);
}

/** What needs a ZeRO stage, or goes against one. */
function checkStage(
  { zero, reduction }: Spec["parallel"],
  { offload }: Spec["memory"],
  at: Reporting,
): void {
  const needed = OFFLOAD_FROM[offload];
  if (zero < needed) {
    const reason = `DeepSpeed offloads what ZeRO shards: it takes stage ${needed} or more.`;
    at("contradictory-keys", "memory.offload", {
      first: `offload = ${offload}`,
      second: `zero = ${zero}`,
      reason,
    });
  }
  if (reduction !== "once") return;
  const reason =
    zero === 3
      ? "Whole gradients on every rank would undo stage 3."
      : "Offloaded gradients go to the host in every backward pass.";
  if (zero === 3 || (offload !== "none" && zero === 2)) {
    const second = zero === 3 ? "zero = 3" : `offload = ${offload}`;
    at("contradictory-keys", "parallel.reduction", { first: "reduction = once", second, reason });
  }
}

/** A model in fp32 has gradients in fp32. */
function checkGradients({ gradients }: Spec["train"], model: Spec["model"], at: Reporting): void {
  if (gradients === "fp32" || model.precision === "bf16") return;
  const [first, second] = ["gradients = bf16", "precision = fp32"];
  const reason = "Gradients are accumulated in the model's precision or a higher one.";
  at("contradictory-keys", "train.gradients", { first, second, reason });
}

function checkTraining(train: Spec["train"], at: Reporting): void {
  if (train.epochs !== undefined && train.steps !== undefined) {
    const reason = "Both say when training ends.";
    at(
      "contradictory-keys",
      "train.steps",
      { first: "epochs", second: "steps", reason },
      { help: "Remove one of them." },
    );
  }
  const { learning_rate: rate, steps } = train;
  const contradict = (second: string, reason: string) =>
    at("contradictory-keys", "train.learning_rate", { first: "warmup_steps", second, reason });
  if (rate.warmup_steps > 0 && rate.warmup_ratio !== undefined)
    contradict("warmup_ratio", "Both say how long the warm-up is.");
  else if (steps !== undefined && rate.warmup_steps >= steps && rate.warmup_steps > 0)
    contradict("steps", "The learning rate would never reach its peak.");
}
