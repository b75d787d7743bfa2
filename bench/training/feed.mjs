// Whether a step waits for its batch, and what making it takes: one unbroken run a size of global batch, under auto.
import { table } from "../scheduling/measure.mjs";
import { median } from "./compare.mjs";
import { startRanks } from "./ranks.mjs";
import { RANKS } from "./setting.mjs";

const STEPS = 10; // after the first, which nothing could be made ahead of

/** @param runs compiled runs by their sequences a global batch */
export async function feedTable(runs, say) {
  const rows = [];
  for (const [sequences, run] of Object.entries(runs)) {
    say(`Feeding global batches of ${sequences}`);
    const ranks = await startRanks(`feed-${sequences}`, "scheduled", run, RANKS);
    const answers = await ranks.train(STEPS + 1);
    await ranks.stop();
    rows.push([sequences, ...figures(answers.flatMap(({ steps }) => steps.slice(1)))]);
  }
  const head = ["sequences", "step s", "waited, % of step time", "longest wait ms"];
  return table(
    [...head, "scheduling ms", "% of step", "with tokenising and packing ms", "% of step"],
    rows,
  );
}

/** Over the steps of all ranks. */
function figures(steps) {
  const of = (name) => median(steps.map((step) => step[name]));
  const share = (name) => percent(median(steps.map((step) => step[name] / step.seconds)));
  const sum = (name) => steps.reduce((total, step) => total + step[name], 0);
  return [
    of("seconds").toFixed(2),
    percent(sum("waited") / sum("seconds")),
    milliseconds(Math.max(...steps.map(({ waited }) => waited))),
    milliseconds(of("scheduled")),
    share("scheduled"),
    milliseconds(of("made")),
    share("made"),
  ];
}

const milliseconds = (seconds) => (1000 * seconds).toFixed(1);
const percent = (share) => (100 * share).toFixed(2);
