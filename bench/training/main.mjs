// npm run bench:training [-- --rounds N --steps N --only PART]: prints the tables of "Training" in docs/benchmarks.md.
//
// The same model, data, seed and global batches under DeepSpeed's Ulysses and under four policies of this project. The
// ranks of all methods live at once and take turns, so that a slow moment of the machine does not hit one method alone.
// A part alone takes the profile, and `losses` the losses, that are in build/bench-training from before.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fail, ROOT, say } from "../../scripts/lib.mjs";
import { table } from "../scheduling/measure.mjs";
import { compareMethods } from "./compare.mjs";
import { feedTable } from "./feed.mjs";
import { lossTable } from "./losses.mjs";
import { measureProfile, PROFILE, profileFigures } from "./profile.mjs";
import { compile, FOLDER, POLICIES, RANKS, writeInputs } from "./setting.mjs";

const GLOBAL_BATCH = 64;
const LARGE_BATCH = 256;
const parts = { profile, compare, losses, feed };
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    steps: { type: "string", default: "4" },
    only: { type: "string" },
  },
});
const [rounds, steps] = [values.rounds, values.steps].map(Number);
if (!(Number.isInteger(rounds) && Number.isInteger(steps) && rounds > 0 && steps > 0))
  fail("--rounds and --steps are whole numbers above 0", 2);
if (values.only !== undefined && !Object.hasOwn(parts, values.only))
  fail(`there is no part '${values.only}'; there are ${Object.keys(parts).join(", ")}`, 2);
if (process.platform !== "linux") fail("ranks are pinned to cores with Linux's taskset", 2);
if (availableParallelism() < RANKS) fail(`${RANKS} cores are needed, one a rank`, 2);

writeInputs();
process.stdout.write(
  `${cpus()[0]?.model}, ${RANKS} ranks with a core each, DP 1 x CP ${RANKS}, ZeRO-2, fp32;` +
    ` ${GLOBAL_BATCH} sequences a global batch; after one step to warm up ${rounds} interleaved runs of ${steps} steps\n`,
);
for (const name of values.only === undefined ? Object.keys(parts) : [values.only])
  process.stdout.write(`\n### ${name}\n\n${await parts[name]()}`);

async function profile() {
  say("Measuring a profile");
  const log = await measureProfile(
    compile("unprofiled", { policy: "auto", globalBatch: GLOBAL_BATCH }),
  );
  const lines = log.split("\n").filter((line) => line !== "" && !line.startsWith("wrote "));
  return `${table(["figure", "value"], profileFigures())}\n\`\`\`\n${lines.join("\n")}\n\`\`\`\n`;
}

async function compare() {
  const runs = Object.fromEntries(
    POLICIES.map((policy) => [policy, compileMeasured(policy, policy, GLOBAL_BATCH)]),
  );
  const compared = await compareMethods(runs, rounds, steps, say);
  writeFileSync(inFolder("compared.json"), JSON.stringify(compared.losses));
  return compared.text;
}

function losses() {
  need("compared.json", "compare");
  say("Training in one process of plain PyTorch");
  const compared = JSON.parse(readFileSync(inFolder("compared.json"), "utf8"));
  return lossTable(compared, compileMeasured("auto", "auto", GLOBAL_BATCH));
}

async function feed() {
  const sizes = [GLOBAL_BATCH, LARGE_BATCH];
  const runs = sizes.map((size) => [size, compileMeasured(`feed-${size}`, "auto", size)]);
  return await feedTable(Object.fromEntries(runs), say);
}

/** A run that is scheduled by the measured costs. */
function compileMeasured(name, policy, globalBatch) {
  need(PROFILE, "profile");
  return compile(name, { policy, globalBatch, profile: PROFILE });
}

function need(file, part) {
  if (!existsSync(inFolder(file)))
    fail(`${FOLDER}/${file} is missing: run the part '${part}' first`);
}

function inFolder(file) {
  return join(ROOT, FOLDER, file);
}
