// npm run test:long -- NAME [ARGUMENTS]: checks that take minutes or hours, beside the suite.
import { join } from "node:path";
import { fail, PYTHON, ROOT, run } from "./lib.mjs";

/** Scripts by name; those in Python run as the runtime's tests do. */
const SCRIPTS = {
  documents: "python/tests/document_fuzz.py",
};

const [name, ...rest] = process.argv.slice(2);
if (!Object.hasOwn(SCRIPTS, name ?? "")) fail(`say one of: ${Object.keys(SCRIPTS).join(", ")}`, 2);
const script = join(ROOT, SCRIPTS[name]);
const python = { ...process.env, PYTHONPATH: join(ROOT, "python"), PYTHONWARNINGS: "ignore" };
const env = { ...python, DS_ACCELERATOR: "cpu", OMP_NUM_THREADS: "1" };
if (script.endsWith(".py")) run(PYTHON, [script, ...rest], { env });
else run(process.execPath, [script, ...rest]);
