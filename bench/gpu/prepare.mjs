// What the campaign needs on a machine that has torch and transformers only, and no network: compiled runs and wheels.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { fail, ROOT, run, say } from "../../scripts/lib.mjs";
import { PLANNED, withPolicy } from "../replay/planned.mjs";
import { bringWheels } from "./wheels.mjs";

const FOLDER = join(ROOT, "build/gpu-campaign");
const SPECS = join(FOLDER, "specs");
const MODES = ["none", "selective", "full", "offload"];
// Whole, or a few layers of its width with a smaller vocabulary.
const STACK = { num_hidden_layers: 4, max_window_layers: 4, vocab_size: 32768 };
const MODELS = { "qwen2.5-0.5b": {}, "qwen2.5-7b": STACK, "qwen3-8b": STACK };

export function prepare(args) {
  const options = optionsOf(args);
  // What is measured lies beside them.
  for (const made of ["specs", "runs", "wheels"])
    rmSync(join(FOLDER, made), { recursive: true, force: true });
  mkdirSync(join(SPECS, "models"), { recursive: true });
  cpSync(join(ROOT, "bench/calibration/model"), join(SPECS, "model"), { recursive: true });
  cpSync(join(ROOT, "examples/quickstart/data"), join(SPECS, "data"), { recursive: true });
  say("Compiling the runs");
  compileMemory(options.gpu);
  compileReplay(options);
  say("Bringing wheels");
  writeFileSync(join(FOLDER, "prepared.json"), `${JSON.stringify({ revision: revision() })}\n`);
  const bytes = bringWheels(join(FOLDER, "wheels"), options.python.split(","));
  const megabytes = (bytes / 1e6).toFixed(1);
  say(`build/gpu-campaign is ready: ${megabytes} MB of wheels for Python ${options.python}`);
}

/** Of the sources: a copy without their history cannot tell. */
function revision() {
  const { status, stdout } = spawnSync("git", ["-C", ROOT, "rev-parse", "HEAD"], {
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : null;
}

function optionsOf(args) {
  try {
    return parseArgs({
      args,
      options: {
        gpu: { type: "string", default: "h200_sxm_141gb" },
        python: { type: "string", default: "3.11,3.12" },
        profile: { type: "string" },
      },
    }).values;
  } catch (error) {
    return fail(error.message, 2);
  }
}

function compileMemory(gpu) {
  const spec = readFileSync(join(ROOT, "bench/gpu/memory.skrull"), "utf8");
  writeModel("small", JSON.parse(readFileSync(join(SPECS, "model/config.json"), "utf8")));
  for (const [name, changed] of Object.entries(MODELS)) {
    const entry = parse(readFileSync(join(ROOT, `catalogue/models/${name}.yaml`), "utf8"));
    writeModel(name, { ...entry.config, ...changed });
  }
  for (const model of ["small", ...Object.keys(MODELS)])
    for (const mode of MODES)
      compile(`memory-${model}-${mode}`, memorySpec(spec, model, mode, gpu));
}

function writeModel(name, config) {
  writeFileSync(join(SPECS, "models", `${name}.json`), `${JSON.stringify(config, null, 1)}\n`);
}

function memorySpec(spec, model, mode, gpu) {
  const own = spec
    .replace("MODEL", model)
    .replace(/checkpointing = .*/, `checkpointing = ${mode}`)
    .replace(/gpu {2}= .*/, `gpu  = ${gpu}`);
  if (model !== "small") return own;
  // Rehearsed on a CPU.
  return own
    .replace(/gpu {2}= .*/, "gpu  = cpu")
    .replace("bf16", "fp32")
    .replace("bucket = 16K", "bucket = 2K\n  budget = 3 GiB\n  reserve = 512 MiB")
    .replace("32K", "8K");
}

function compileReplay({ gpu, profile }) {
  if (profile !== undefined) cpSync(resolve(profile), join(SPECS, "profile.json"));
  const at = profile === undefined ? "" : '  profile = "profile.json"\n';
  const spec = readFileSync(join(ROOT, "bench/replay/gpu.skrull"), "utf8")
    .replace(/gpu {3}= .*/, `gpu   = ${gpu}`)
    .replace("cluster {\n", `cluster {\n${at}`)
    .replace('"../../node_modules', '"../../../node_modules');
  const small = readFileSync(join(ROOT, "bench/replay/cpu.skrull"), "utf8");
  compile("replay", spec);
  compile("replay-small", small);
  for (const policy of PLANNED) {
    compile(`replay-${policy}`, withPolicy(spec, policy));
    compile(`replay-small-${policy}`, withPolicy(small, policy));
  }
}

/** Its copy of the runtime is left out: the campaign runs the clone's. */
function compile(name, spec) {
  const file = join(SPECS, `${name}.skrull`);
  const out = join(FOLDER, "runs", name);
  writeFileSync(file, spec);
  const cli = join(ROOT, "dist/cli/main.js");
  run(process.execPath, [cli, "compile", file, "--out", out, "--force"], {
    stdio: ["ignore", process.stderr, "inherit"],
  });
  rmSync(join(out, "skrull_runtime"), { recursive: true, force: true });
}
