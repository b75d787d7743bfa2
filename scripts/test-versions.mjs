// npm run test:versions [-- oldest|newest]: the runtime's tests with the oldest or newest versions that a run accepts.
// Each gets a virtual environment of its own in build/, which takes some minutes and several GB.
import { join } from "node:path";
import { fail, findPython, ROOT, run, say } from "./lib.mjs";

const SETS = {
  oldest: ["deepspeed==0.19.2", "transformers==5.18.0"],
  newest: ["deepspeed>=0.19.2,<0.20", "transformers>=5.18,<6"],
};
const OTHERS = [
  "torch==2.13.*",
  "tokenizers>=0.22",
  "numpy>=1.26",
  "peft",
  "tensorboard",
  "pytest",
];
const TESTS = ["parity", "leak", "overlap", "resume", "outputs", "model", "bf16"];

const wanted = process.argv[2];
if (wanted !== undefined && !Object.hasOwn(SETS, wanted))
  fail(`there is no set '${wanted}'; there are ${Object.keys(SETS).join(", ")}`, 2);
const python = findPython();
for (const [name, packages] of Object.entries(SETS)) {
  if (wanted !== undefined && wanted !== name) continue;
  say(`${name}: ${packages.join(", ")}`);
  const venv = join(ROOT, "build", `versions-${name}`);
  const own = join(venv, "bin", "python");
  run(python, ["-m", "venv", "--clear", venv]);
  run(own, ["-m", "pip", "install", "-q", "--disable-pip-version-check", ...packages, ...OTHERS]);
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
