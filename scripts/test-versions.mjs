// npm run test:versions [-- NAME]: the runtime's core tests with the oldest and newest versions that a run accepts, and with
// those of the GPU campaign. Each set has a virtual environment of its own in build/: several GB, and made in some minutes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fail, findPython, ROOT, run, say } from "./lib.mjs";

const { packages } = JSON.parse(readFileSync(join(ROOT, "contract", "versions.json"), "utf8"));
const range = (name) => `${name}>=${packages[name].oldest},<${packages[name].below}`;
const NAMES = Object.keys(packages);
const SETS = {
  oldest: NAMES.map((name) => `${name}==${packages[name].oldest}.*`),
  newest: NAMES.map(range),
  campaign: ["torch==2.11.*", "transformers==5.17.*", range("deepspeed")],
};
const OTHERS = ["tokenizers>=0.22", "numpy>=1.26", "psutil>=5.9", "peft", "tensorboard", "pytest"];
const TESTS = [
  ...["versions", "parity", "leak", "overlap", "model", "bf16", "attention", "gradients"],
  ...["kernels", "optimizer", "weights", "outputs", "resume", "numbers"],
];

const wanted = process.argv[2];
if (wanted !== undefined && !Object.hasOwn(SETS, wanted))
  fail(`there is no set '${wanted}'; there are ${Object.keys(SETS).join(", ")}`, 2);
const python = findPython();
for (const [name, pinned] of Object.entries(SETS)) {
  if (wanted !== undefined && wanted !== name) continue;
  say(`${name}: ${pinned.join(", ")}`);
  const venv = join(ROOT, "build", `versions-${name}`);
  const own = join(venv, "bin", "python");
  run(python, ["-m", "venv", venv]);
  const install = ["install", "-q", "--upgrade", "--disable-pip-version-check"];
  run(own, ["-m", "pip", ...install, ...pinned, ...OTHERS]);
  run(own, ["-m", "pip", "list", "--disable-pip-version-check"]);
  const files = TESTS.map((test) => `python/tests/test_${test}.py`);
  const env = {
    ...process.env,
    PYTHONPATH: join(ROOT, "python"),
    DS_ACCELERATOR: "cpu",
    OMP_NUM_THREADS: "1",
  };
  run(own, ["-m", "pytest", "-q", ...files], { env });
  say(`${name}: passed`);
}
