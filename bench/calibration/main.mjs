// npm run bench:calibration [-- --keep FOLDER]: predicted against measured step times, before and after a profile.
// Two CPU ranks, each on a core of its own: compile, profile, compile with the profile, train both runs, report.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { fail, ROOT, run, say } from "../../scripts/lib.mjs";
import { pinned, reportOf } from "./ranks.mjs";
import { errorsOf, tableOf } from "./table.mjs";

const CLI = join(ROOT, "dist/cli/main.js");
const HERE = join(ROOT, "bench/calibration");
const { values } = parseArgs({ options: { keep: { type: "string" } } });
if (process.platform !== "linux") fail("ranks are pinned to cores with Linux's taskset", 2);
if (cpus().length < 2) fail("two cores are needed, one a rank", 2);

const kept = values.keep === undefined ? undefined : resolve(values.keep);
if (kept !== undefined && existsSync(kept)) fail(`${kept} exists already`, 2);
const work = kept ?? mkdtempSync(join(tmpdir(), "skrull-calibration-"));
try {
  process.stdout.write(await measure());
} finally {
  if (kept === undefined) rmSync(work, { recursive: true, force: true });
}

async function measure() {
  cpSync(join(HERE, "model"), join(work, "model"), { recursive: true });
  cpSync(join(ROOT, "examples/quickstart/data"), join(work, "data"), { recursive: true });
  const plain = compile("plain", "");
  const profile = join(work, "profile.json");
  say("Profiling");
  const started = performance.now();
  const log = await pinned(plain, ["-m", "skrull_runtime.profile", plain, "--out", profile]);
  const minutes = (performance.now() - started) / 60e3;
  const calibrated = compile("calibrated", '  profile = "profile.json"\n');
  for (const folder of [plain, calibrated]) {
    say(`Training ${folder}`);
    await pinned(folder, [join(folder, "train.py"), "--no-resume"]);
  }
  const [before, after] = [reportOf(plain), reportOf(calibrated)];
  return [
    `${cpus()[0]?.model}, 2 ranks of one core each; profiled in ${minutes.toFixed(1)} minutes\n`,
    "```",
    `${log.trim()}\n\`\`\`\n`,
    tableOf([
      ["catalogue's figures, no profile", before.predicted],
      ["tokens times one constant, fitted to these steps", errorsOf(metrics(calibrated))],
      ["profile, measured before training", after.predicted],
      ["profile, corrected by the other half of the steps", after.corrected.errors],
    ]),
  ].join("\n");
}

/** Compiles the benchmark's spec, with a line more in its cluster block; the run's folder. */
function compile(name, line) {
  const spec = readFileSync(join(HERE, "run.skrull"), "utf8");
  const path = join(work, `${name}.skrull`);
  writeFileSync(path, spec.replace("cluster {\n", `cluster {\n${line}`));
  const folder = join(work, name);
  run(process.execPath, [CLI, "compile", path, "--out", folder], {
    stdio: ["ignore", process.stderr, "inherit"],
  });
  return folder;
}

/** The steps that a report counts. */
function metrics(folder) {
  const lines = readFileSync(join(folder, "output/metrics.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line)).filter(({ disturbed }) => !disturbed);
}
