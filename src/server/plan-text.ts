import { countOf, formatBytes, formatCount } from "../foundation/format.js";
import { BUCKET_FROM, MOMENTS, memoryTable } from "../plan/memory-table.js";
import type { MemoryPlan } from "../plan/plan.js";
import type { PlanAnswer } from "./plan-worker.js";

/** Where a rank's memory goes, as a Markdown table. */
export function memoryText({ memory, problem, run }: PlanAnswer): string {
  if (!memory) return noPlan(problem);
  const rows = memoryRows(memory).map(([name, value]) => `| ${name} | ${value} |`);
  return [`Memory of a rank${inRun(run)} (modelled)`, "", "| | |", "|---|--:|", ...rows].join("\n");
}

function memoryRows(memory: MemoryPlan): readonly (readonly [string, string])[] {
  const { rows, fullest, others } = memoryTable(memory);
  return [
    ...rows.map(({ name, bytes }) => [name, formatBytes(bytes)] as const),
    [`**peak, ${MOMENTS[fullest]}**`, `**${formatBytes(memory.peak_bytes)}**`],
    ...others.map(({ phase, bytes }) => [MOMENTS[phase], formatBytes(bytes)] as const),
    ["budget less reserve", formatBytes(memory.budget_bytes - memory.reserve_bytes)],
    [`bucket size C (${BUCKET_FROM[memory.bucket_from]})`, `${formatCount(memory.bucket)} tokens`],
    ...memory.host.map(({ name, bytes }) => [`on the host: ${name}`, formatBytes(bytes)] as const),
  ];
}

/** The context-parallel degrees at which everything fits, as a Markdown table. */
export function degreesText({ degrees, context, problem, run, samples = 0 }: PlanAnswer): string {
  const [best] = degrees ?? [];
  if (!degrees) return noPlan(problem);
  if (!best) return "No degree fits: the longest sequence and the model states need more memory.";
  const rows = degrees.map(({ context: degree, tokens_per_second: speed }) => {
    const times = `${(best.tokens_per_second / speed).toFixed(2)} x`;
    const here = degree === context ? " <- here" : "";
    return `| ${degree}${here} | ${formatCount(speed)} | ${times} |`;
  });
  const head = ["| context | tokens/s | cost |", "|--:|--:|--:|"];
  const title = `Degrees that fit${inRun(run)}, predicted on ${countOf(samples, "sample")} (modelled, not measured)`;
  return [title, "", ...head, ...rows].join("\n");
}

const inRun = (run: string | undefined): string => (run === undefined ? "" : ` of run ${run}`);

const noPlan = (problem: string | undefined): string =>
  `No plan. ${problem ?? "The spec has errors."}`;
