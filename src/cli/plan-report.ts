import { formatBytes, formatCount, formatSeconds, formatShare } from "../foundation/format.js";
import { printable } from "../foundation/printable.js";
import type { Plan } from "../plan/plan.js";
import { tableLines } from "./table.js";

/** A plan for people, at most 80 columns wide. */
export function planReport(plan: Plan): string {
  const sections = [
    section("Model and machines", topologyRows(plan)),
    section("Memory of a rank (modelled)", memoryRows(plan)),
    section("Data", dataRows(plan)),
    section("Schedule (modelled, not measured)", scheduleRows(plan)),
    section("Step time of other policies on the same batches", baselineRows(plan)),
  ];
  return `${sections.join("\n")}\n${verdict(plan)}\n`;
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  return `${title}\n${tableLines(rows).join("\n")}\n`;
}

function topologyRows({ model, topology }: Plan): readonly (readonly string[])[] {
  return [
    ["model", `${short(model.name)}, ${formatCount(model.shape.parameters)} parameters`],
    ["weights", `${model.weights}, ${model.precision}, ${model.checkpointing} checkpointing`],
    ["ranks", `${topology.nodes} x ${topology.gpus_per_node} ${topology.gpu}`],
    [
      "degrees",
      `data parallel ${topology.data_parallel}, context parallel ${topology.context_parallel}, ZeRO ${topology.zero_stage}`,
    ],
  ];
}

const short = (text: string) => {
  const shown = printable(text);
  return shown.length > 40 ? `…${shown.slice(-39)}` : shown;
};

function memoryRows({ memory }: Plan): readonly (readonly string[])[] {
  const tokens = memory.bucket + 1;
  return [
    ...memory.fixed.map(({ name, bytes }) => [name, formatBytes(bytes)]),
    ...memory.per_token.map(({ name, bytes }) => [
      `${name}, full bucket`,
      formatBytes(bytes * tokens),
    ]),
    ["peak", formatBytes(memory.peak_bytes)],
    ["budget less reserve", formatBytes(memory.budget_bytes - memory.reserve_bytes)],
    [`bucket size C (from the ${memory.bucket_from})`, `${formatCount(memory.bucket)} tokens`],
  ];
}

function dataRows({ data: { summary, supervise }, steps }: Plan): readonly (readonly string[])[] {
  const { overlong } = summary;
  const lost = summary.tokens + overlong.tokens_lost;
  return [
    ["samples", `${formatCount(summary.samples)} of ${formatCount(summary.rows)}`],
    ["tokens", formatCount(summary.tokens)],
    [`supervised (${supervise})`, formatShare(summary.supervised_tokens / summary.tokens)],
    ["longest", `${formatCount(summary.longest)} tokens`],
    [
      `over max_length (${overlong.policy})`,
      `${formatCount(overlong.rows)} samples, ${formatShare(lost === 0 ? 0 : overlong.tokens_lost / lost)} of tokens`,
    ],
    ["malformed lines", formatCount(summary.malformed_lines)],
    [
      "global batch",
      `${formatCount(steps.global_batch)} (last of an epoch ${formatCount(steps.last_batch)})`,
    ],
    ["steps", `${formatCount(steps.total_steps)}, ${formatCount(steps.steps_per_epoch)} an epoch`],
  ];
}

function scheduleRows({ scheduling, forecast }: Plan): readonly (readonly string[])[] {
  const { step_seconds: step, micro_batches: count } = forecast;
  const seconds = [step.mean, step.p50, step.p95, step.worst].map(formatSeconds).join(" / ");
  return [
    ["policy", `${scheduling.policy}, ${scheduling.degrees}, ${scheduling.objective}`],
    ["batches looked at", formatCount(forecast.sampled_batches)],
    ["step: mean / p50 / p95 / worst", seconds],
    [
      "micro-batches a step: mean / worst",
      `${count.mean.toFixed(1)} / ${formatCount(count.worst)}`,
    ],
    [
      "sharded sequences",
      `${formatCount(forecast.sharded_sequences)} of ${formatCount(forecast.sequences)}`,
    ],
    ["sharded tokens", formatShare(forecast.sharded_tokens)],
    ["tokens/s", formatCount(forecast.tokens_per_second)],
    ["gap to the lower bound, mean", formatShare(forecast.gap)],
  ];
}

function baselineRows({ forecast }: Plan): readonly (readonly string[])[] {
  return Object.entries(forecast.baselines).map(([policy, ratio]) => [
    policy,
    ratio === null ? "no schedule" : `${ratio.toFixed(2)} x`,
  ]);
}

/** One plain sentence: what this plan is worth. */
function verdict({ forecast }: Plan): string {
  const best = Math.min(...Object.values(forecast.baselines).filter((ratio) => ratio !== null));
  const deepspeed = forecast.baselines["deepspeed"];
  const packing = forecast.baselines["packed"];
  const gain = deepspeed
    ? `${deepspeed.toFixed(2)} x as fast as one sequence at a time`
    : "feasible";
  const room = `and at most ${formatShare(forecast.gap / (1 + forecast.gap))} faster with any schedule of these degrees`;
  const packed =
    packing && packing < 1.05 ? "\nPacking alone is within 5 %: scheduling gains little here." : "";
  return `Predicted to be ${gain},\n${room}.${best < 1 ? "\nAnother policy is faster: use auto." : ""}${packed}`;
}
