// Tests that take minutes or hours: `npm run test:long -- NAME [ARGUMENTS]`. Each says what it ran and what it found.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fail, PYTHON, ROOT } from "./lib.mjs";

/** Scripts by name; a Python script runs in the runtime's environment. */
const TESTS = {
  schedules: "scripts/long-schedules.mjs",
  "schedules-python": "python/tests/fuzz_schedules.py",
  failures: "python/tests/failure_cases.py",
  kills: "python/tests/kills.py",
};

const [name, ...args] = process.argv.slice(2);
const script = TESTS[name];
if (script === undefined) fail(`name one of: ${Object.keys(TESTS).join(", ")}`, 2);
const program = script.endsWith(".py") ? PYTHON : process.execPath;
const runtime = { PYTHONPATH: "python", DS_ACCELERATOR: "cpu", OMP_NUM_THREADS: "1" };
const result = spawnSync(program, [join(ROOT, script), ...args], {
  cwd: ROOT,
  stdio: "inherit",
  env: { ...process.env, ...runtime },
});
process.exit(result.status ?? 1);
