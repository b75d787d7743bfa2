// npm run bench:data [-- PART [--megabytes N]]: what data costs before it is trained on. Without a part, all of them.
import { join } from "node:path";
import { PYTHON, ROOT, run } from "../../scripts/lib.mjs";

const PARTS = ["speed", "packing", "memory", "edits", "plan"];
const [part, ...options] = process.argv.slice(2);
const env = { ...process.env, PYTHONPATH: join(ROOT, "python") };
for (const name of part === undefined ? PARTS : [part])
  run(PYTHON, [join("bench", "data", "bench.py"), name, ...options], { env });
