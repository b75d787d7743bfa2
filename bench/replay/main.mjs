// npm run bench:replay [-- --setting cpu|gpu --batches N --repeats N]: prints the table of "Replay" in docs/benchmarks.md.
//
// One device does the work of every rank of a schedule, one rank after another: compiled once to measure the device's
// figures, again with them, then replayed under each policy. `gpu` asks for one GPU and needs no other change.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fail, PYTHON, ROOT, run, say } from "../../scripts/lib.mjs";
import { table } from "../scheduling/measure.mjs";
import { median } from "../training/compare.mjs";
import { PLANNED, withPolicy } from "./planned.mjs";

const HERE = join(ROOT, "bench/replay");
const FOLDER = join(ROOT, "build/bench-replay");
const BASELINE = "deepspeed";
const { values } = parseArgs({
  options: {
    setting: { type: "string", default: "cpu" },
    batches: { type: "string", default: "3" },
    repeats: { type: "string", default: "3" },
  },
});
const { setting } = values;
if (!["cpu", "gpu"].includes(setting)) fail("--setting is cpu or gpu", 2);
for (const name of ["batches", "repeats"])
  if (!(Number.isInteger(Number(values[name])) && Number(values[name]) > 0))
    fail(`--${name} is a whole number above 0`, 2);

mkdirSync(FOLDER, { recursive: true });
cpSync(join(ROOT, "bench/calibration/model"), join(FOLDER, "model"), { recursive: true });
cpSync(join(ROOT, "examples/quickstart/data"), join(FOLDER, "data"), { recursive: true });
const profile = `profile-${setting}.json`;
say("Measuring the device's figures");
python("profile", compile("plain", ""), join(FOLDER, profile));
const compiled = compile("profiled", `  profile = "${profile}"\n`);
for (const policy of PLANNED) compile("profiled", `  profile = "${profile}"\n`, policy);
say("Replaying every rank under each policy");
const results = join(FOLDER, `results-${setting}.json`);
python("replay", compiled, results, values.batches, values.repeats);
process.stdout.write(tableOf(JSON.parse(readFileSync(results, "utf8"))));

/** Compiles the setting's spec, with a line more in its cluster block; the run's folder. */
function compile(name, line, policy) {
  const spec = readFileSync(join(HERE, `${setting}.skrull`), "utf8");
  const whole = policy ? `${setting}-${name}-${policy}` : `${setting}-${name}`;
  const file = join(FOLDER, `${whole}.skrull`);
  const out = join(FOLDER, "runs", whole);
  const scheduled = policy ? withPolicy(spec, policy) : spec;
  writeFileSync(file, scheduled.replace("cluster {\n", `cluster {\n${line}`));
  run(
    process.execPath,
    [join(ROOT, "dist/cli/main.js"), "compile", file, "--out", out, "--force"],
    {
      stdio: ["ignore", process.stderr, "inherit"],
    },
  );
  return out;
}

function python(...args) {
  run(PYTHON, [join(HERE, "replay.py"), ...args], {
    stdio: ["ignore", process.stderr, "inherit"],
    env: {
      ...process.env,
      ...(setting === "cpu" ? { DS_ACCELERATOR: "cpu" } : {}),
      OMP_NUM_THREADS: "1",
      PYTHONPATH: join(ROOT, "python"),
    },
  });
}

/** Means over global batches, and their ratio; then ratios batch by batch, at their median. */
function tableOf({ device, policies }) {
  const baseline = policies[BASELINE];
  const rows = Object.entries(policies).map(([policy, batches]) => [
    policy,
    mean(batches, "micro_batches").toFixed(1),
    mean(batches, "seconds").toFixed(3),
    (mean(baseline, "seconds") / mean(batches, "seconds")).toFixed(2),
    median(batches.map((own, n) => baseline[n].seconds / own.seconds)).toFixed(2),
    median(batches.map((own, n) => baseline[n].predicted_seconds / own.predicted_seconds)).toFixed(
      2,
    ),
    median(batches.map((own) => own.predicted_seconds / own.seconds)).toFixed(2),
    mean(batches, "computed").toFixed(2),
    mean(batches, "waited").toFixed(2),
    mebibytes(Math.max(...batches.map((own) => own.peak_bytes))),
    mebibytes(Math.max(...batches.map((own) => own.predicted_bytes))),
  ]);
  const speed = `speed over ${BASELINE}`;
  const head = ["policy", "micro-batches", "step s", speed, "median batch", "as planned"];
  const more = ["planned / replayed", "computed by all ranks, s", "exposed communication, s"];
  const name = setting === "cpu" ? `${device} of ${cpus()[0]?.model}` : device;
  return `${name}; ${baseline.length} global batches\n\n${table([...head, ...more, "peak MiB", "planned MiB"], rows)}`;
}

function mean(batches, name) {
  return batches.reduce((sum, own) => sum + own[name], 0) / batches.length;
}

function mebibytes(bytes) {
  return (bytes / 2 ** 20).toFixed(0);
}
