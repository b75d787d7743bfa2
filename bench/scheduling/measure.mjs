// Schedules of a setting's global batches, and figures of them.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../../scripts/lib.mjs";
import { problemOf } from "./settings.mjs";

const { solve } = await import(pathToFileURL(join(ROOT, "dist/schedule/solve.js")).href);

/** Processor time of this process, ms: a budget by it means the same on a busy machine. */
export const processorClock = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Time of a policy's schedule of one problem, us, with its bound; `null` where it gives up. */
export function timeOf(problem) {
  const solution = solve(problem, processorClock);
  if (!solution.ok) return null;
  const { iteration_time: time, lower_bound: bound, gap } = solution.schedule;
  return { time, bound, gap };
}

/** Schedules `count` global batches of a setting. */
export function measure(setting, count, seed, changes) {
  return Array.from({ length: count }, (_, n) => timeOf(problemOf(setting, seed, n, changes)));
}

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export const percent = (value) => `${(100 * value).toFixed(value < 0.0095 ? 2 : 1)}`;

/** Mean and worst gap to the lower bound, in percent. */
export function gapText(results) {
  const gaps = results.map(({ gap }) => gap);
  return `${percent(mean(gaps))} / ${percent(Math.max(...gaps))}`;
}

/** Summed times of `others` over those of `ours`, over the batches that both have. */
export function ratio(others, ours) {
  let [above, below] = [0, 0];
  for (const [n, other] of others.entries()) {
    if (other === null || ours[n] === null) continue;
    above += other.time;
    below += ours[n].time;
  }
  return above / below;
}

/** A Markdown table. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const ruler = head.map((_, n) => (n === 0 ? "---" : "--:"));
  return [line(head), line(ruler), ...rows.map(line), ""].join("\n");
}
