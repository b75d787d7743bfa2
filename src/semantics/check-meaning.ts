import { gpuByName, MODEL_NAMES } from "../catalogue/names.js";
import type { DiagnosticCode } from "../diagnostics/catalogue.js";
import type { Extra, Values } from "../diagnostics/diagnostic.js";
import { formatBytes } from "../foundation/format.js";
import { divisors, isPowerOfTwo } from "../foundation/integers.js";
import { didYouMean } from "../foundation/suggest.js";
import type { Range } from "../foundation/text.js";
import type { Spec } from "../language/language.js";
import type { Origins, Report } from "./report.js";

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
  const { model, cluster, parallel, memory, schedule, train } = blocks;
  if (model) checkModel(model, at, (path) => origins.place(path).range);
  if (cluster) checkHosts(cluster, at);
  if (cluster && parallel) checkTopology(cluster, parallel, at);
  if (cluster && memory) checkMemory(cluster, memory, at);
  if (cluster && parallel && schedule) checkDegrees(cluster, parallel, schedule, at);
  if (train) checkTraining(train, at);
  if (parallel && memory) checkStage(parallel, memory, at);
}

type Reporting = <Code extends DiagnosticCode>(
  code: Code,
  path: string,
  values: Values<Code>,
  extra?: Extra,
) => void;

function checkModel(model: Spec["model"], at: Reporting, place: (path: string) => Range): void {
  const { label, config, weights, path, revision } = model;
  if (label === undefined && config === undefined) {
    at("model-source", "model", { problem: "the model has neither a name nor a configuration" });
  } else if (label !== undefined && config !== undefined) {
    at("model-source", "model.config", {
      problem: "the model has both a name and a configuration",
    });
  }
  if (label !== undefined && !MODEL_NAMES.includes(label)) {
    const near = didYouMean(label, MODEL_NAMES);
    at(
      "unknown-model",
      "model.label",
      { name: label },
      {
        ...(near
          ? {
              fix: {
                title: `Write "${near}"`,
                safe: false,
                edits: [{ range: place("model.label"), new_text: `"${near}"` }],
              },
            }
          : {}),
        help: near
          ? `Did you mean "${near}"?`
          : `Known: ${MODEL_NAMES.join(", ")}; or set config = "config.json".`,
      },
    );
  }
  if (weights === "random") {
    const reason = "Random weights are read from nowhere.";
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
      { problem: "pretrained weights have no source: a configuration alone has none" },
      { help: "Name the folder with the weights in path, or write weights = random." },
    );
  }
}

function checkTopology(
  cluster: Spec["cluster"],
  { context }: Spec["parallel"],
  at: Reporting,
): void {
  const ranks = cluster.nodes * cluster.gpus;
  if (context === "auto") return;
  if (ranks % context !== 0) {
    const help = `Degrees that divide ${ranks}, the nearest: ${nearestDivisors(ranks, context).join(", ")}.`;
    at("ranks-not-divisible", "parallel.context", { ranks, context }, { help });
  } else if (context > cluster.gpus) {
    at("group-crosses-nodes", "parallel.context", { context, gpus: cluster.gpus });
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
    // The name goes into a line of the hostfile, and from there to ssh.
    if (/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(host) && hosts.indexOf(host) === n)
      continue;
    const reason = "The launcher reaches every node by a host name of its own.";
    const range = "a host name (letters, digits, dots, hyphens) that appears once";
    at("out-of-range", `cluster.hosts.${n}`, {
      name: "hosts",
      value: JSON.stringify(host),
      range,
      reason,
    });
  }
  if (hosts.length > 0 && hosts.length !== nodes) {
    const reason = `There are ${nodes} nodes and ${hosts.length} host names.`;
    at("contradictory-keys", "cluster.hosts", { first: "hosts", second: "nodes", reason });
  }
}

function checkMemory(cluster: Spec["cluster"], memory: Spec["memory"], at: Reporting): void {
  const gpu = gpuByName(cluster.gpu);
  if (!gpu) return;
  const budget = memory.budget ?? gpu.memory_bytes;
  if (gpu.device === "cuda" && budget > gpu.memory_bytes) {
    at("budget-exceeds-memory", "memory.budget", {
      budget: formatBytes(budget),
      memory: formatBytes(gpu.memory_bytes),
    });
  }
  if (memory.reserve >= budget) {
    at("reserve-exceeds-budget", "memory.reserve", {
      reserve: formatBytes(memory.reserve),
      budget: formatBytes(budget),
    });
  }
}

/** What needs a ZeRO stage, or goes against one. */
function checkStage(
  { zero, reduction }: Spec["parallel"],
  { offload }: Spec["memory"],
  at: Reporting,
): void {
  const needed = { none: 0, optimizer: 1, all: 3 }[offload];
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
      : "Offloaded gradients leave for the host in every backward.";
  if (zero === 3 || (offload !== "none" && zero === 2)) {
    const second = zero === 3 ? "zero = 3" : `offload = ${offload}`;
    at("contradictory-keys", "parallel.reduction", { first: "reduction = once", second, reason });
  }
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
  if (steps !== undefined && rate.warmup_steps >= steps && rate.warmup_steps > 0) {
    const reason = "The learning rate would never reach its peak.";
    at("contradictory-keys", "train.learning_rate", {
      first: "warmup_steps",
      second: "steps",
      reason,
    });
  }
}
