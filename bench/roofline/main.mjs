// npm run bench:roofline -- SPEC [--batches N] [--policies a,b] [--gpu NAME] [--kernel flash2|flash3|varlen]
//   [--alone TOKENS] [--workspace MIB] [--all-layers] [--format text|json]
//
// What the steps of a compiled run ask of a GPU: its own runtime runs on fake tensors, every operation is counted and
// charged a roofline time. No GPU is involved. "Roofline" in docs/benchmarks.md has its tables and what they leave out.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { fail, PYTHON, ROOT, say } from "../../scripts/lib.mjs";
import { report } from "./report.mjs";

const HERE = join(ROOT, "bench/roofline");
const FOLDER = join(ROOT, "build/bench-roofline");
const KERNELS = ["flash2", "flash3", "varlen"];
const USAGE = "npm run bench:roofline -- SPEC [--batches N] [--policies a,b] [--gpu NAME]";
const { POLICY_NAMES } = await import(pathToFileURL(join(ROOT, "dist/schedule/problem.js")).href);

const { spec, values } = readArguments();
const settings = {
  kernel: oneOf("kernel", KERNELS),
  batches: wholeNumber("batches"),
  alone: wholeNumber("alone"),
  policies: policies(),
  workspace: values.workspace === undefined ? null : wholeNumber("workspace") * 2 ** 20,
  all_layers: values["all-layers"],
};
oneOf("format", ["text", "json"]);
if (values.gpu !== undefined) gpuNamed(values.gpu);

const name = `${basename(dirname(spec))}-${basename(spec).replace(/\.[^.]*$/, "")}`;
const folder = join(FOLDER, name);
mkdirSync(FOLDER, { recursive: true });
const source = dirname(spec) === HERE ? besideData(spec) : spec;
say(`Compiling ${basename(spec)}`);
spawn(
  process.execPath,
  [join(ROOT, "dist/cli/main.js"), "compile", source, "--out", folder, "--force"],
  {
    stdio: ["ignore", "ignore", "pipe"],
  },
);
const results = join(FOLDER, `${name}.json`);
say("Running every rank on fake tensors");
spawn(
  PYTHON,
  [join(HERE, "roofline.py"), folder, results, JSON.stringify({ ...settings, gpu: gpu() })],
  {
    stdio: ["ignore", process.stderr, "inherit"],
    env: {
      ...process.env,
      DS_ACCELERATOR: "cpu",
      OMP_NUM_THREADS: "1",
      PYTHONPATH: [join(ROOT, "python"), join(ROOT, "bench/replay")].join(":"),
    },
  },
);
const text = readFileSync(results, "utf8");
process.stdout.write(values.format === "json" ? text : report(JSON.parse(text)));

/** This benchmark's own spec, copied to where the quickstart's data lies beside it: data is below its spec's folder. */
function besideData(file) {
  cpSync(join(ROOT, "examples/quickstart/data"), join(FOLDER, "data"), { recursive: true });
  const copy = join(FOLDER, basename(file));
  cpSync(file, copy);
  return copy;
}

function readArguments() {
  let parsed;
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        batches: { type: "string", default: "1" },
        policies: { type: "string", default: "" },
        gpu: { type: "string" },
        kernel: { type: "string", default: "flash2" },
        alone: { type: "string", default: "131072" },
        workspace: { type: "string" },
        "all-layers": { type: "boolean", default: false },
        format: { type: "string", default: "text" },
      },
    });
  } catch (error) {
    fail(error.message.split("\n")[0], 2);
  }
  const { positionals, values } = parsed;
  if (positionals.length !== 1) fail(`one spec is needed: ${USAGE}`, 2);
  // npm runs scripts in the project's root, and says where it was called.
  const file = resolve(process.env.INIT_CWD ?? ".", positionals[0]);
  if (!existsSync(file)) fail(`${positionals[0]}: there is no such spec`, 2);
  return { spec: file, values };
}

function wholeNumber(option) {
  const number = Number(values[option]);
  if (!(Number.isInteger(number) && number > 0)) fail(`--${option} is a whole number above 0`, 2);
  return number;
}

function oneOf(option, known) {
  if (!known.includes(values[option])) fail(`--${option} is one of ${known.join(", ")}`, 2);
  return values[option];
}

function policies() {
  const named = values.policies.split(",").filter(Boolean);
  for (const policy of named)
    if (!POLICY_NAMES.includes(policy))
      fail(`--policies: there is no policy "${policy}"; known are ${POLICY_NAMES.join(", ")}`, 2);
  return named;
}

/** Figures of the catalogue. A CPU has no bandwidth there. */
function gpuNamed(gpu) {
  const file = join(ROOT, "catalogue/gpus", `${gpu}.yaml`);
  const entry = existsSync(file) ? parse(readFileSync(file, "utf8")) : {};
  const bandwidth = Number(entry.memory_bandwidth);
  if (!(bandwidth > 0))
    fail(`the bandwidth of GPU "${gpu}" is not known; name another one by --gpu`, 2);
  return { bandwidth, peak_flops: entry.peak_flops };
}

/** What operations are charged by: the GPU that the run is for, or the one that was asked for. */
function gpu() {
  const plan = JSON.parse(readFileSync(join(folder, "plan.json"), "utf8"));
  const name = values.gpu ?? plan.topology.gpu;
  const { bandwidth, peak_flops } = gpuNamed(name);
  return { name, bandwidth, peak_flops: Number(peak_flops[plan.model.precision]) };
}

/** Runs a program, and ends with exit code 2 and its message where it fails. */
function spawn(command, args, options) {
  const { status, stderr, error } = spawnSync(command, args, { cwd: ROOT, ...options });
  if (error) fail(error.message, 2);
  if (status === 0) return;
  process.stderr.write(stderr ?? "");
  process.exit(2);
}
