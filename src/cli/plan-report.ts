import {
  countOf,
  formatBytes,
  formatCount,
  formatSeconds,
  formatShare,
} from "../foundation/format.js";
import { printable } from "../foundation/printable.js";
import { lostShare } from "../lengths/prepare-data.js";
import { longestThatFits } from "../plan/fit.js";
import { BUCKET_FROM, hostBytesOfRank, MOMENTS, memoryTable } from "../plan/memory-table.js";
import type { StepParts } from "../plan/performance.js";
import type { Plan } from "../plan/plan.js";
import { widestGroup } from "../schedule/degrees.js";
import { planAnswers } from "./plan-answers.js";
import { diskRows, finishRows } from "./plan-finish.js";
import { tableLines } from "./table.js";

/** A plan for people, at most 80 columns wide. */
export function planReport(plan: Plan): string {
  const sections = [
    section("Model and machines", topologyRows(plan)),
    section("Memory of a rank (modelled)", memoryRows(plan)),
    section("Data", dataRows(plan)),
    section("Schedule (modelled, not measured)", scheduleRows(plan)),
    section("Time to finish (modelled; all but steps and evaluations assumed)", finishRows(plan)),
    section("Disk", diskRows(plan)),
    section("Step time of other policies on the same batches", baselineRows(plan)),
  ];
  return `${planAnswers(plan)}\n${sections.join("\n")}\n${verdict(plan)}\n`;
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  return `${title}\n${tableLines(rows).join("\n")}\n`;
}

function topologyRows({
  model,
  topology,
  hardware,
  training,
  lighter,
  memory,
}: Plan): readonly (readonly string[])[] {
  return [
    ["model", `${short(model.name)}, ${formatCount(model.shape.parameters)} parameters`],
    ["weights", `${model.weights}, ${model.precision}, ${recomputationOf(model, lighter)}`],
    ...tileRows(model),
    ...ropeRows(model),
    ...loraRows(model),
    ["ranks", `${topology.nodes} x ${topology.gpus_per_node} ${topology.gpu}`],
    ...hardwareRows(hardware),
    [
      "degrees",
      `data parallel ${topology.data_parallel}, context parallel ${topology.context_parallel}, ZeRO ${topology.zero_stage}`,
    ],
    ...wholeRows(model, memory),
    ["gradients", gradientsOf(training)],
  ];
}

/** By the name that the spec has for it. */
const recomputationOf = ({ checkpointing }: Plan["model"], lighter: Plan["lighter"]) =>
  `${lighter.length > 0 ? "auto" : checkpointing} checkpointing`;

/** What they are added in, and when over ranks. */
const gradientsOf = ({ gradients, reduction }: Plan["training"]) =>
  `accumulated in ${gradients}${reduction === "once" ? ", whole on every rank, reduced once per step" : ""}`;

const tileRows = ({ mlp_tile: tile }: Plan["model"]): readonly (readonly string[])[] =>
  tile === null ? [] : [["MLPs", `in tiles of ${countOf(tile, "token")}`]];

/** Layers that mix tokens in order: a sequence is never shared, so none may be longer than what a rank holds. */
function wholeRows({ shape }: Plan["model"], { bucket }: Plan["memory"]) {
  const { mixer_layers: mixing = 0, layers } = shape;
  if (mixing === 0) return [];
  const why = `${mixing} of ${layers} layers mix tokens in order`;
  return [["sequences", `whole (${why}), ${formatCount(bucket)} tokens at most`]];
}

function ropeRows({ rope_type: type, max_positions: most }: Plan["model"]) {
  if (type === "default") return [];
  return [
    ["positions", `${most === null ? "" : `${formatCount(most)}, `}rotary embeddings ${type}`],
  ];
}

function loraRows({ lora }: Plan["model"]): readonly (readonly string[])[] {
  if (!lora) return [];
  const kinds = [
    `rank ${lora.rank}`,
    ...(lora.dora ? ["DoRA"] : []),
    ...(lora.base === "nf4" ? ["on NF4"] : []),
  ];
  return [["adapters", `${kinds.join(", ")}, ${formatCount(lora.parameters)} trained parameters`]];
}

/** Whose figures of the machine the plan used. */
function hardwareRows({
  profile,
  measured,
  fitted,
  assumed,
  stated,
}: Plan["hardware"]): readonly (readonly string[])[] {
  const rest = stated ? "what the spec states, and the catalogue's" : "the catalogue's";
  const fits = `${countOf(fitted.length, "figure")}, to published runs`;
  const open = [
    ...(fitted.length > 0 ? [["  fitted", fits]] : []),
    ...assumed.map((name) => ["  assumed", name.replace(/_us$/, "").replaceAll("_", " ")]),
  ];
  if (profile === null) return [["figures", rest], ...open];
  return [
    ["figures", `profile ${short(profile)}`],
    ...measured.map((name) => ["  measured", name.replaceAll("_", " ")]),
    ["  the rest", rest],
    ...open,
  ];
}

const short = (text: string) => {
  const shown = printable(text);
  return shown.length > 40 ? `…${shown.slice(-39)}` : shown;
};

function memoryRows(plan: Plan): readonly (readonly string[])[] {
  const { memory } = plan;
  const { rows, fullest, others } = memoryTable(memory);
  return [
    ...rows.map(({ name, bytes }) => [name, formatBytes(bytes)]),
    [`peak, ${MOMENTS[fullest]}`, formatBytes(memory.peak_bytes)],
    ...others.map(({ phase, bytes }) => [`  ${MOMENTS[phase]}`, formatBytes(bytes)]),
    ...hostRows(plan),
    ["budget minus reserve", formatBytes(memory.budget_bytes - memory.reserve_bytes)],
    [`bucket size C (${BUCKET_FROM[memory.bucket_from]})`, `${formatCount(memory.bucket)} tokens`],
    ...longestRows(plan),
  ];
}

/** What the ranks of a node keep in its memory, beside what it has. */
function hostRows({ memory, topology }: Plan): readonly (readonly string[])[] {
  const { gpus_per_node: ranks, host_memory_bytes: available } = topology;
  return [
    ...memory.host.map(({ name, bytes }) => [`on the host: ${name}`, formatBytes(bytes)]),
    [
      `on a node, ${countOf(ranks, "rank")} together`,
      formatBytes(ranks * hostBytesOfRank(memory, topology.device)),
    ],
    ...(available === null ? [] : [["memory of a node", formatBytes(available)]]),
  ];
}

/** The data may have no sample of `max_length` today, and one tomorrow. */
function longestRows({ memory, scheduling, data }: Plan): readonly (readonly string[])[] {
  const most = longestThatFits(memory.bucket, widestGroup(scheduling));
  const fitting = ["longest sample that fits", `${formatCount(most)} tokens`];
  if (most >= data.max_length) return [fitting];
  return [fitting, ["  max_length, which none reaches", `${formatCount(data.max_length)} tokens`]];
}

const templateName = ({ name, source, sha256, reads_date: dated }: Plan["data"]["template"]) => {
  const chosen = name === "auto" ? (source === "own" ? "the tokenizer's own" : "chatml") : name;
  return `${chosen}, ${sha256.slice(0, 8)}${dated ? ", with a pinned date" : ""}`;
};

/** How it was found what the loss counts of a sample. */
const MASKS: Readonly<Record<string, string>> = {
  generation: "the template's tags",
  twin: "a training twin",
  prefix: "prefixes",
  declared: "declared",
  text: "everything after the prompt",
  tokens: "the data's labels",
};

function leftOutRows(left: Plan["data"]["summary"]["left_out"]): readonly (readonly string[])[] {
  const rows: readonly (readonly [string, number])[] = [
    ["left out: fewer answers than min_turns", left.few_turns],
    ["left out: same as an earlier sample", left.duplicates],
    ["held out of the training data", left.elsewhere],
  ];
  return rows.filter(([, count]) => count > 0).map(([what, count]) => [what, formatCount(count)]);
}

function dataRows({
  data: { summary, supervise, mixture, rendering, template },
  steps,
  evaluation,
}: Plan): readonly (readonly string[])[] {
  const { overlong } = summary;
  return [
    ["format", rendering.format.type],
    ["template", templateName(template)],
    ...Object.entries(summary.masks).map(([mask, count]) => [
      `  mask: ${MASKS[mask] ?? mask}`,
      countOf(count, "sample"),
    ]),
    ["samples", `${formatCount(summary.samples)} of ${formatCount(summary.rows)}`],
    ...mixture.map(({ samples, draws }, n) => [
      `  drawn per epoch, entry ${n + 1} of train`,
      `${formatCount(draws)} of ${formatCount(samples)}`,
    ]),
    ["tokens", formatCount(summary.tokens)],
    [`supervised (${supervise})`, formatShare(summary.supervised_tokens / summary.tokens)],
    ["longest", `${formatCount(summary.longest)} tokens`],
    [
      `over max_length (${overlong.policy})`,
      `${countOf(overlong.rows, "sample")}, ${formatShare(lostShare(summary))} of tokens`,
    ],
    ["malformed lines", formatCount(summary.malformed_lines)],
    ...leftOutRows(summary.left_out),
    ...(evaluation
      ? [
          [
            "held out",
            `${countOf(evaluation.summary.samples, "sample")}, ${countOf(evaluation.summary.tokens, "token")}`,
          ],
        ]
      : []),
    [
      "global batch",
      `${formatCount(steps.global_batch)} (last of an epoch ${formatCount(steps.last_batch)})`,
    ],
    ["steps", `${formatCount(steps.total_steps)}, ${formatCount(steps.steps_per_epoch)} per epoch`],
  ];
}

function scheduleRows({ scheduling, search, forecast }: Plan): readonly (readonly string[])[] {
  const { step_seconds: step, micro_batches: count, parts } = forecast;
  const seconds = [step.mean, step.p50, step.p95, step.worst].map(formatSeconds).join(" / ");
  return [
    ["policy", `${scheduling.policy}, ${scheduling.degrees}, ${scheduling.objective}`],
    ["mode", search.mode === "planned" ? `planned, ${search.iterations} moves` : "online"],
    ["batches sampled", formatCount(forecast.sampled_batches)],
    ["step: mean / p50 / p95 / worst", seconds],
    ...PARTS.map(([part, name]) => [
      `  ${name}`,
      `${formatSeconds(parts[part])}, ${formatShare(parts[part] / step.mean)}`,
    ]),
    [
      "micro-batches per step: mean / worst",
      `${count.mean.toFixed(1)} / ${formatCount(count.worst)}`,
    ],
    ...forecast.degrees.map(({ degree, sequences, tokens }) => [
      degree === 1 ? "local" : `sharded over ${degree}`,
      `${countOf(sequences, "sequence")}, ${formatShare(tokens)} of tokens`,
    ]),
    ...forecast.recomputation.map(({ checkpointing, micro_batches, tokens }) => [
      `recomputing ${RECOMPUTED[checkpointing]}`,
      `${formatShare(micro_batches)} of micro-batches, ${formatShare(tokens)} of tokens`,
    ]),
    ["tokens/s", formatCount(forecast.tokens_per_second)],
    ["gap to the lower bound, mean", formatShare(forecast.gap)],
  ];
}

const RECOMPUTED: Readonly<Record<Plan["model"]["checkpointing"], string>> = {
  none: "nothing",
  selective: "MLPs",
  attention: "all but attention",
  full: "all layers",
  offload: "all layers",
};

const PARTS: readonly (readonly [keyof StepParts, string])[] = [
  ["work", "computation"],
  ["communication", "exposed communication"],
  ["fixed", "fixed cost of micro-batches"],
  ["stalled", "waiting for starting kernels, or ZeRO"],
  ["waiting", "waiting for slower ranks"],
  ["step", "optimizer and ZeRO, once per step"],
];

function baselineRows({ forecast }: Plan): readonly (readonly string[])[] {
  return Object.entries(forecast.baselines).map(([policy, ratio]) => [
    policy,
    ratio === null ? "no schedule" : `${ratio.toFixed(2)} x`,
  ]);
}

/** In plain sentences: what this plan is worth, and what limits it. */
function verdict(plan: Plan): string {
  const { forecast } = plan;
  const best = Math.min(...Object.values(forecast.baselines).filter((ratio) => ratio !== null));
  const { deepspeed, packed } = forecast.baselines;
  const gain = deepspeed
    ? `${deepspeed.toFixed(2)} x as fast as one sequence at a time`
    : "feasible";
  const lines = [
    `Predicted to be ${gain},`,
    `and at most ${formatShare(forecast.gap / (1 + forecast.gap))} faster with any schedule of these degrees.`,
    limit(plan),
  ];
  if (best < 1) lines.push("Another policy is faster on these batches: see above.");
  if (packed && packed < 1.05) {
    lines.push("Packing alone is within 5%: scheduling gains little on this data.");
  }
  return lines.join("\n");
}

/** What a part of a step is, and what makes it less. */
const COSTS: Readonly<Record<keyof StepParts, string>> = {
  work: "computation: more or faster GPUs, or less work, would help",
  communication: "communication: a smaller CP degree or a larger C would help",
  fixed: "the fixed cost of micro-batches: a larger C makes fewer",
  stalled: "starting kernels and ZeRO's communication: a larger C puts more work beside them",
  waiting: "waiting for slower ranks: a larger global batch evens them out",
  step: "the once-per-step work: a larger global batch makes it rarer",
};
/** Above this share of the step, what else there is does not count. */
const MOSTLY_WORK = 0.8;

/** A step of one micro-batch has no fewer to make. */
const ONE_MICRO_BATCH = "one micro-batch's fixed cost: a larger global batch shares it";

function limit({ forecast: { parts, step_seconds: step, micro_batches } }: Plan): string {
  if (parts.work >= MOSTLY_WORK * step.mean) return `A step is mostly ${COSTS.work}.`;
  const losses = PARTS.map(([part]) => part).filter((part) => part !== "work");
  const [largest = "waiting"] = losses.sort((a, b) => parts[b] - parts[a]);
  const single = largest === "fixed" && micro_batches.mean < 1.05;
  const cost = single ? ONE_MICRO_BATCH : COSTS[largest];
  if (parts[largest] > parts.work) return `A step is mostly ${cost}.`;
  return `${formatShare(parts.work / step.mean)} of a step is computation. Most of the rest is\n${cost}.`;
}
