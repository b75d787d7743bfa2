// Mutates modules that hold the numerics, one place at a time, and says which mutations their own fast tests catch:
//   npm run test:mutations -- [--seed N] [--count N] [--least N] [--module TEXT] [--all] [--named]
// `--module` draws from modules whose path contains the text, `--all` takes every mutation of them, and `--named` those
// of mutations/named.mjs. Fails where fewer than `--least` are caught (22 of 24 unless given). Needs a build.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { fail, PYTHON, ROOT, say } from "./lib.mjs";
import { namedMutations } from "./mutations/named.mjs";
import { Runner } from "./mutations/runner.mjs";
import { TARGETS } from "./mutations/targets.mjs";
import { mutationsOfTypeScript } from "./mutations/typescript.mjs";

const SHARE_TO_CATCH = 22 / 24;

const { values: options } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "24" },
    least: { type: "string" },
    module: { type: "string", default: "" },
    all: { type: "boolean", default: false },
    named: { type: "boolean", default: false },
  },
});

const read = (file) => readFileSync(join(ROOT, file), "utf8");

/** Every mutation of files, each with its file. */
function allMutations(files) {
  const python = files.filter((file) => file.endsWith(".py"));
  const finder = join(ROOT, "python/tools/mutations.py");
  const found = python.length
    ? JSON.parse(
        execFileSync(PYTHON, [finder, ...python], {
          cwd: ROOT,
          encoding: "utf8",
          maxBuffer: 2 ** 26,
        }),
      )
    : [];
  return files.flatMap((file) => {
    const own = file.endsWith(".py")
      ? found[python.indexOf(file)]
      : mutationsOfTypeScript(read(file));
    return own.map((mutation) => ({ ...mutation, file }));
  });
}

/** So many of the mutations at random, no two of the same place. */
async function drawn(mutations, count, seed) {
  const url = pathToFileURL(join(ROOT, "dist/foundation/random.js")).href;
  const { epochPermutation } = await import(url);
  const taken = new Set();
  const chosen = [];
  for (const n of epochPermutation(mutations.length, seed, 0)) {
    const { file, start, end } = mutations[n];
    const place = `${file}:${start}:${end}`;
    if (chosen.length === count) break;
    if (!taken.has(place)) chosen.push(mutations[n]);
    taken.add(place);
  }
  return chosen;
}

const mutated = (source, { start, end, text }) => source.slice(0, start) + text + source.slice(end);

/** The place of a mutation and the line before and after it, for people. */
function described(mutation) {
  const { file, start, kind } = mutation;
  const source = read(file);
  const changed = mutated(source, mutation);
  const number = source.slice(0, start).split("\n").length;
  const lineOf = (whole) => whole.split("\n")[number - 1].trim();
  return `${file}:${number} (${kind})\n    - ${lineOf(source)}\n    + ${lineOf(changed)}`;
}

async function main() {
  const files = Object.keys(TARGETS).filter((file) => file.includes(options.module));
  if (files.length === 0)
    fail(`no module of scripts/mutations/targets.mjs has '${options.module}'`, 2);
  const mutations = options.named ? namedMutations(read) : allMutations(files);
  const whole = options.named || options.all;
  const chosen = whole
    ? mutations
    : await drawn(mutations, Number(options.count), Number(options.seed));
  const least = options.named
    ? chosen.length
    : Number(options.least ?? Math.floor(chosen.length * SHARE_TO_CATCH));
  say(`${chosen.length} of ${mutations.length} mutations of ${files.length} modules`);
  const runner = new Runner();
  for (const signal of ["SIGINT", "SIGTERM"])
    process.on(signal, () => {
      runner.close();
      process.exit(130);
    });
  try {
    await checkUnchanged(runner, new Set(chosen.map(({ file }) => file)));
    await report(runner, chosen, least);
  } finally {
    runner.close();
  }
}

/** Tests that fail anyway would catch everything. */
async function checkUnchanged(runner, files) {
  const checked = new Set();
  for (const file of files) {
    const tests = TARGETS[file];
    if (checked.has(tests.join())) continue;
    checked.add(tests.join());
    if (!(await runner.passes(file, read(file), tests)))
      throw new Error(`${tests.join(", ")} fail without a mutation`);
  }
}

async function report(runner, chosen, least) {
  const lived = [];
  for (const mutation of chosen) {
    const { file } = mutation;
    const started = Date.now();
    const changed = mutated(read(file), mutation);
    const isCaught = !(await runner.passes(file, changed, TARGETS[file]));
    if (!isCaught) lived.push(mutation);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    process.stdout.write(
      `${isCaught ? "caught" : "LIVED "} ${seconds.padStart(5)} s  ${described(mutation)}\n`,
    );
  }
  const caught = chosen.length - lived.length;
  process.stdout.write(`\n${caught} of ${chosen.length} caught; at least ${least} are wanted\n`);
  for (const mutation of lived) process.stdout.write(`lived: ${described(mutation)}\n`);
  process.exitCode = caught >= least ? 0 : 1;
}

await main();
