// npm run bench:scheduling [-- --batches N --seed N --only PART --mix-seeds N --exact-problems N --solver-seconds S]:
// prints the tables of docs/benchmarks.md.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fail, ROOT, say } from "../../scripts/lib.mjs";
import { growthChart } from "./chart.mjs";
import { exact, memoryBound } from "./exact.mjs";
import { mixes } from "./mixes.mjs";
import { aggregates, roundRobin } from "./paper.mjs";
import { peers } from "./peers.mjs";
import { gaps, ratios, smallShards } from "./quality.mjs";
import { MIXES, SETTINGS, settingsOfFile } from "./settings.mjs";
import { construction, growth } from "./speed.mjs";

const FILES = ["servegen_m_mid_input", "t0_p3_sft", "squality_sft"];
const { values } = parseArgs({
  options: {
    batches: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    "mix-seeds": { type: "string", default: "3" },
    "exact-problems": { type: "string", default: "10" },
    "solver-seconds": { type: "string", default: "5" },
  },
});
const setup = {
  batches: Number(values.batches),
  seed: Number(values.seed),
  mixSeeds: Number(values["mix-seeds"]),
  exactProblems: Number(values["exact-problems"]),
  solverSeconds: Number(values["solver-seconds"]),
};
const real = FILES.flatMap((name) =>
  settingsOfFile(name, join(ROOT, "bench/scheduling/lengths", `${name}.txt`)),
);
const all = [...SETTINGS, ...real];
const named = (name) => SETTINGS.find((setting) => setting.name === name);

const PARTS = {
  gaps: () => gaps(all, setup, say),
  ratios: () => ratios(all, setup, say),
  peers: () => peers(all, setup, say),
  mixes: () => mixes(MIXES, setup, say),
  exact: () => [exact(setup, say), memoryBound(named("7B ChatQA2"), setup, say)].join("\n"),
  "small-shards": () => smallShards(SETTINGS, setup, say),
  paper: () =>
    [aggregates(SETTINGS, setup, say), roundRobin(named("0.5B ChatQA2"), setup, say)].join("\n"),
  construction: () =>
    construction([named("0.5B Wikipedia"), named("0.5B ChatQA2")], setup.seed, say),
  growth: () => {
    const setting = named("0.5B LMsys");
    const { text, points } = growth(setting, setup.seed, say);
    const even = growth({ ...setting, geometric: true }, setup.seed, say);
    const folder = join(ROOT, "docs/figures");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "scheduling-growth.svg"), growthChart(points));
    return `${text}\nLengths that grow by equal factors, from 16 to the longest that fits:\n${even.text}`;
  },
};

if (values.only !== undefined && !Object.hasOwn(PARTS, values.only))
  fail(`there is no part '${values.only}'; there are ${Object.keys(PARTS).join(", ")}`, 2);
process.stdout.write(
  `${cpus()[0]?.model}, Node ${process.versions.node}; ${setup.batches} global batches a setting, seed ${setup.seed}; all times of schedules are modelled\n`,
);
for (const [name, part] of Object.entries(PARTS)) {
  if (values.only !== undefined && values.only !== name) continue;
  process.stdout.write(`\n### ${name}\n\n${part()}`);
}
