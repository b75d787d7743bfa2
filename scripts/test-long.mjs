// Tests that take minutes or hours: `npm run test:long -- NAME [ARGUMENTS]`. Each says what it ran and what it found.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fail, PYTHON, ROOT } from "./lib.mjs";

/** Scripts by name; a Python script runs in the runtime's environment. */
const TESTS = {
  documents: "python/tests/document_fuzz.py",
  failures: "python/tests/failure_cases.py",
  "host-memory": "python/tests/host_memory.py",
  kills: "python/tests/kills.py",
  launchers: "python/tests/launcher_cases.py",
  mistral: "python/tests/mistral_long.py",
  models: "python/tests/models_long.py",
  schedules: "scripts/long-schedules.mjs",
  "schedules-python": "python/tests/fuzz_schedules.py",
  templates: "python/tests/templating_long.py",
};

const [name, ...args] = process.argv.slice(2);
const script = Object.hasOwn(TESTS, name ?? "") ? TESTS[name] : undefined;
if (script === undefined) fail(`name one of: ${Object.keys(TESTS).join(", ")}`, 2);
const program = script.endsWith(".py") ? PYTHON : process.execPath;
const runtime = { PYTHONPATH: "python", DS_ACCELERATOR: "cpu", OMP_NUM_THREADS: "1" };
const result = spawnSync(program, [join(ROOT, script), ...args], {
  cwd: ROOT,
  stdio: "inherit",
  env: { ...process.env, PYTHONWARNINGS: "ignore", ...runtime },
});
process.exit(result.status ?? 1);
