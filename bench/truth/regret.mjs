// node bench/truth/regret.mjs [--seed N] [--draws N]
//
// What choices cost that were made with the catalogue's figures, on machines whose figures are others: every figure of the
// time model is moved by up to 30% either way, and schedules, context-parallel degrees and checkpointing that were
// chosen with the catalogue are timed with the moved figures, against those chosen with the moved figures.
import { parseArgs } from "node:util";
import { random32 } from "../../dist/foundation/random.js";
import { CASES } from "./regret-cases.mjs";
import { evaluated } from "./regret-plan.mjs";

const MOVED = 0.3;
const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    draws: { type: "string", default: "12" },
  },
});

/** Figures that are times or rates; each is multiplied by a number drawn for it. */
const RATES = [
  "matmul_flops",
  "head_flops",
  "attention_flops",
  "elementwise_bytes_per_second",
  "memory_bandwidth",
  "host_link",
  "host_adam_parameters",
  "small_shard_tokens",
];

/** What every figure and constant is multiplied with, drawn anew. */
function factors(draw) {
  const known = new Map();
  return (name) => {
    if (!known.has(name)) known.set(name, 1 + MOVED * (2 * draw() - 1));
    return known.get(name);
  };
}

function moved(figures, times) {
  const scaled = (name) =>
    typeof figures[name] === "number" ? figures[name] * times(name) : figures[name];
  const table = (name, row) => row?.map((us) => us * times(name));
  return {
    ...figures,
    ...Object.fromEntries(RATES.map((name) => [name, scaled(name)])),
    collectives: figures.collectives.map((own) => ({
      ...own,
      all_gather_us: table("all_gather", own.all_gather_us),
      reduce_scatter_us: table("reduce_scatter", own.reduce_scatter_us),
      ...(own.all_to_all_us ? { all_to_all_us: table("all_to_all", own.all_to_all_us) } : {}),
    })),
    constants: Object.fromEntries(
      Object.entries(figures.constants).map(([name, value]) => [
        name,
        name === "zero_overlap" ? Math.min(1, value * times(name)) : value * times(name),
      ]),
    ),
  };
}

const draws = random32(Number(values.seed), 0);
const draw = () => draws() / 2 ** 32;
const losses = { schedule: [], degree: [], setting: [] };
for (const own of CASES) {
  const by = { schedule: [], degree: [], setting: [] };
  for (let n = 0; n < Number(values.draws); n += 1) {
    const times = factors(draw);
    const found = evaluated(own, (figures) => moved(figures, times));
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
