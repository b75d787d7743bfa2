// npm run bench:language [-- --starts N --only PART]: the tables of docs/benchmarks.md about the language.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { fail, ROOT, say } from "../../scripts/lib.mjs";
import { table } from "../scheduling/measure.mjs";
import { childTime } from "./processor.mjs";
import { schemaOf, yamlTwin } from "./yaml-twin.mjs";

const built = (path) => import(pathToFileURL(join(ROOT, "dist", path)).href);
const { analyze } = await built("semantics/analyze.js");
const { parseSpec } = await built("syntax/parse.js");
const { formatSpec } = await built("format/format.js");
const { LANGUAGE } = await built("language/language.js");

const CLI = join(ROOT, "dist/cli/main.js");
const SPEC = join(ROOT, "examples/quickstart/h100.skrull");
const FILES = 1000;
const { values } = parseArgs({
  options: { starts: { type: "string", default: "200" }, only: { type: "string" } },
});
const starts = Number(values.starts);

const PARTS = { start: coldStart, folder, check };
if (values.only !== undefined && !Object.hasOwn(PARTS, values.only))
  fail(`there is no part '${values.only}'; there are ${Object.keys(PARTS).join(", ")}`, 2);
process.stdout.write(
  `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.versions.node}\n`,
);
for (const [name, part] of Object.entries(PARTS)) {
  if (values.only !== undefined && values.only !== name) continue;
  say(name);
  process.stdout.write(`\n### ${name}\n\n${part()}`);
}

/** `lint` of one spec from a cold start, beside a Node that does nothing. */
function coldStart() {
  const cache = mkdtempSync(join(tmpdir(), "skrull-language-"));
  const kept = { SKRULL_CACHE: cache };
  // Before the first start on a machine, no compiled code is kept.
  start({ command: [CLI, "lint", SPEC], environment: kept });
  const [nothing, version, lint, first] = interleaved(
    starts,
    { command: ["-e", "0"] },
    { command: [CLI, "--version"] },
    { command: [CLI, "lint", SPEC], environment: kept },
    { command: [CLI, "lint", SPEC], environment: { SKRULL_CACHE: "" } },
  );
  rmSync(cache, { recursive: true, force: true });
  const limit = { wall: 1.5 * nothing.wall + 60, cpu: 1.5 * nothing.cpu + 60 };
  const verdict = (times, kind) => {
    if (Number.isNaN(times[kind])) return "-";
    return times[kind] <= limit[kind] ? "kept" : "not kept";
  };
  const verdicts = (name, times) => [name, verdict(times, "wall"), verdict(times, "cpu")];
  const row = (name, { wall, cpu }) => [name, ms(wall), ms(cpu)];
  return table(
    ["", "median time, ms", "mean processor time, ms"],
    [
      row("`node -e 0`", nothing),
      row("`skrull --version`", version),
      row("`skrull lint` of one spec", lint),
      row("the same without a cache folder", first),
      row("limit: 1.5 x `node -e 0` + 60 ms", limit),
      verdicts("by `skrull lint`", lint),
      verdicts("without a cache folder", first),
    ],
  );
}

/** A folder of specs in one go, beside one start for each. */
function folder() {
  const specs = mkdtempSync(join(tmpdir(), "skrull-language-"));
  try {
    const text = readFileSync(SPEC, "utf8");
    for (let n = 0; n < FILES; n += 1) writeFileSync(join(specs, `spec-${n}.skrull`), text);
    const rounds = Math.max(5, Math.round(starts / 20));
    const [all, one] = interleaved(
      rounds,
      { command: [CLI, "lint", specs] },
      { command: [CLI, "lint", join(specs, "spec-0.skrull")] },
    );
    const ratio = (kind) => `${((FILES * one[kind]) / all[kind]).toFixed(0)}x`;
    return table(
      ["", "median time, s", "mean processor time, s"],
      [
        [
          `${FILES} starts with one spec each: ${FILES} x one`,
          seconds(FILES * one.wall),
          seconds(FILES * one.cpu),
        ],
        [`one start, a folder of ${FILES} specs`, seconds(all.wall), seconds(all.cpu)],
        ["speed-up", ratio("wall"), ratio("cpu")],
      ],
    );
  } finally {
    rmSync(specs, { recursive: true, force: true });
  }
}

/** Parsing and checking in a warm process, beside YAML's parser and ajv on the same document. */
function check() {
  const text = readFileSync(SPEC, "utf8");
  const yaml = yamlTwin(parseSpec(SPEC, text).tree);
  const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schemaOf(LANGUAGE));
  if (!validate(parse(yaml)))
    fail(`the baseline refuses the document: ${JSON.stringify(validate.errors)}`);
  if (analyze(SPEC, text).diagnostics.length > 0) fail("the spec is not clean");
  const contenders = [
    () => validate(parse(yaml)),
    () => analyze(SPEC, text),
    () => formatSpec(text),
  ];
  const times = contenders.map(() => []);
  for (let round = 0; round < 3000; round += 1) {
    for (const [n, contender] of contenders.entries()) times[n].push(timed(contender));
  }
  const [baseline, ours, format] = times.map((all) => median(all.slice(500)));
  const row = (name, time) => [name, time.toFixed(3), (time / baseline).toFixed(2)];
  return table(
    ["one document, warm", "median, ms", "over the baseline"],
    [
      row("`yaml` parsing and ajv validation of it in YAML", baseline),
      row("parsing and checking of the spec", ours),
      row("formatting of the spec", format),
    ],
  );
}

/** Times of each command, ms, run in turns so that a busy moment meets all of them. */
function interleaved(rounds, ...commands) {
  const walls = commands.map(() => []);
  const cpus = commands.map(() => 0);
  for (let round = 0; round < rounds; round += 1) {
    for (const [n, command] of commands.entries()) {
      const before = childTime();
      walls[n].push(timed(() => start(command)));
      cpus[n] += childTime() - before;
    }
  }
  return walls.map((wall, n) => ({ wall: median(wall), cpu: cpus[n] / rounds }));
}

function start({ command, environment }) {
  const env = { ...process.env, ...environment };
  const { status, stderr } = spawnSync(process.execPath, command, { encoding: "utf8", env });
  if (status !== 0) fail(`'node ${command.join(" ")}' ended with ${status}\n${stderr}`);
}

function timed(action) {
  const begun = performance.now();
  action();
  return performance.now() - begun;
}

function median(all) {
  const sorted = [...all].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function ms(time) {
  return time.toFixed(0);
}

function seconds(time) {
  return (time / 1000).toFixed(2);
}
