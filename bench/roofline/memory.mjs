// npm run bench:ledger [-- --check | --check-all]
//
// What memory a rank's micro-batches of some models need, by what holds it: the runtime's own model code on tensors
// without values. Writes test/vectors/memory-ledger.json, which the compiler's model of memory is tested against; `--check`
// makes some of its cases again, `--check-all` all, and says what differs. "Ledger" in docs/benchmarks.md explains both.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fail, PYTHON, ROOT, say } from "../../scripts/lib.mjs";

const HERE = join(ROOT, "bench/roofline");
const FILE = join(ROOT, "test/vectors/memory-ledger.json");
const FOLDER = join(ROOT, "build/bench-ledger");
const MODELS = Object.keys(JSON.parse(readFileSync(join(HERE, "memory-models.json"), "utf8")));
const CHECKED = [
  ...["none packed whole flash2", "full shared lora flash2"],
  ...["full packed dora flash2", "full packed experts flash2", "full packed nf4 flash2"],
];

const { check, "check-all": checkAll } = readArguments();
mkdirSync(FOLDER, { recursive: true });
const documents = await inTurns(MODELS, (model) => ledgerOf(model, check ? CHECKED : []));
const made = {
  format_version: 1,
  made_by: "npm run bench:ledger",
  ...documents[0].setting,
  models: Object.fromEntries(documents.map(({ cases }, at) => [MODELS[at], cases])),
};
if (check || checkAll) compare(made, JSON.parse(readFileSync(FILE, "utf8")));
else writeFileSync(FILE, textOf(made));

function readArguments() {
  const flag = { type: "boolean", default: false };
  try {
    return parseArgs({ options: { check: flag, "check-all": flag } }).values;
  } catch (error) {
    return fail(error.message.split("\n")[0], 2);
  }
}

/** What a function makes of each, as many at a time as there are cores. */
async function inTurns(all, make) {
  const results = [];
  const left = [...all.entries()];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      results[next[0]] = await make(next[1]);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return results;
}

/** The named cases of a model; all without names. */
async function ledgerOf(model, names) {
  const out = join(FOLDER, `${model.replace("/", "-")}.json`);
  say(model);
  const child = spawn(PYTHON, [join(HERE, "memory.py"), model, out, ...names], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      DS_ACCELERATOR: "cpu",
      OMP_NUM_THREADS: "1",
      PYTHONWARNINGS: "ignore",
      PYTHONPATH: [join(ROOT, "python"), join(ROOT, "bench/replay")].join(":"),
    },
  });
  const code = await new Promise((done) => child.on("close", done));
  if (code !== 0) fail(`${model}: the ledger ended with exit code ${code}`);
  return JSON.parse(readFileSync(out, "utf8"));
}

/** Says what differs, and fails then. */
function compare(made, known) {
  for (const key of Object.keys(made))
    if (key !== "models" && JSON.stringify(made[key]) !== JSON.stringify(known[key]))
      say(`${key}: ${JSON.stringify(made[key])} here, ${JSON.stringify(known[key])} in the file`);
  const differing = Object.entries(made.models).flatMap(([model, cases]) =>
    Object.entries(cases)
      .filter(([name, own]) => JSON.stringify(own) !== JSON.stringify(known.models[model]?.[name]))
      .map(([name]) => `${model}, ${name}`),
  );
  if (differing.length > 0)
    fail(`not as in test/vectors/memory-ledger.json:\n  ${differing.join("\n  ")}`);
  const count = Object.values(made.models).flatMap(Object.keys).length;
  say(`${count} cases are as in test/vectors/memory-ledger.json`);
}

/** A case a line. */
function textOf({ models, ...head }) {
  const lines = Object.entries(models).map(([model, cases]) => {
    const own = Object.entries(cases).map(
      ([name, figures]) => `${JSON.stringify(name)}:${JSON.stringify(figures)}`,
    );
    return `${JSON.stringify(model)}:{\n${own.join(",\n")}\n}`;
  });
  const start = JSON.stringify(head, null, 2).slice(0, -2);
  return `${start},\n  "models": {\n${lines.join(",\n")}\n}}\n`;
}
