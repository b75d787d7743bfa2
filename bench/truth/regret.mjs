// node bench/truth/regret.mjs [--seed N] [--draws N]
//
// What choices cost that were made with the catalogue's figures, on machines whose figures are others: every figure of the
// time model is moved by up to 30% either way, and schedules, context-parallel degrees and checkpointing that were
// chosen with the catalogue are timed with the moved figures, against those chosen with the moved figures.
import { parseArgs } from "node:util";
import { random32 } from "../../dist/foundation/random.js";
import { CASES } from "./regret-cases.mjs";
import { factors, moved } from "./regret-moves.mjs";
import { lossesOf, settingsOf } from "./regret-plan.mjs";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    draws: { type: "string", default: "12" },
  },
});

const draws = random32(Number(values.seed), 0);
const draw = () => draws() / 2 ** 32;
const losses = { schedule: [], degree: [], setting: [] };
for (const own of CASES) {
  const by = { schedule: [], degree: [], setting: [] };
  const settings = settingsOf(own);
  for (let n = 0; n < Number(values.draws); n += 1) {
    const times = factors(draw);
    const found = lossesOf(own, settings, (figures) => moved(figures, times));
    for (const kind of Object.keys(by)) if (found[kind] !== undefined) by[kind].push(found[kind]);
  }
  for (const kind of Object.keys(by)) losses[kind].push(...by[kind]);
  const line = Object.entries(by)
    .filter(([, own]) => own.length > 0)
    .map(([kind, own]) => `${kind} ${percent(mean(own))} mean, ${percent(Math.max(...own))} worst`);
  console.log(`${own.name.padEnd(40)} ${line.join("; ")}`);
}
for (const [kind, own] of Object.entries(losses)) {
  console.log(
    `${kind}: ${percent(mean(own))} mean, ${percent(Math.max(...own))} worst of ${own.length}`,
  );
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function percent(share) {
  return `${(100 * share).toFixed(2)}%`;
}
