// Whether a step waits for its batch, and what making it takes: one unbroken run a size of global batch, under auto.
import { table } from "../scheduling/measure.mjs";
import { median } from "./compare.mjs";
import { startRanks } from "./ranks.mjs";
import { RANKS } from "./setting.mjs";

const SAMPLES = 1285; // of an epoch
const MORE_STEPS = 5; // of the second epoch

/** @param runs compiled runs by their sequences a global batch */
export async function feedTable(runs, say) {
  const rows = [];
  for (const [sequences, run] of Object.entries(runs)) {
    say(`Feeding global batches of ${sequences}`);
    const ranks = await startRanks(`feed-${sequences}`, "scheduled", run, RANKS);
    const answers = await ranks.train(Math.ceil(SAMPLES / sequences) + MORE_STEPS);
    await ranks.stop();
    const steps = answers.flatMap((answer) => answer.steps.slice(1)); // nothing is ahead of the first
    for (const epoch of [0, 1])
      rows.push([sequences, epoch + 1, ...figures(steps.filter((step) => step.epoch === epoch))]);
  }
  const head = ["sequences", "epoch", "step s", "waited, % of step time", "longest wait ms"];
  const costs = ["scheduling", "with reading and packing"];
  return table([...head, ...costs.flatMap((cost) => [`${cost} ms`, "% of step"])], rows);
}

/** Over the steps of all ranks. */
function figures(steps) {
  const seconds = sum(steps, (step) => step.seconds);
  const waits = steps.map(({ waited }) => waited);
  const costs = [(step) => step.scheduled, (step) => step.made];
  return [
    median(steps.map((step) => step.seconds)).toFixed(2),
    percent(sum(steps, (step) => step.waited) / seconds),
    milliseconds(Math.max(...waits)),
    ...costs.flatMap((cost) => [
      milliseconds(median(steps.map(cost))),
      percent(sum(steps, cost) / seconds),
    ]),
  ];
}

const sum = (steps, of) => steps.reduce((total, step) => total + of(step), 0);
const milliseconds = (seconds) => (1000 * seconds).toFixed(1);
const percent = (share) => (100 * share).toFixed(2);
