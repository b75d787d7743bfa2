// npm run bench:gpu -- prepare [--gpu NAME --python 3.11,3.12 --profile FILE]: what a machine without network needs.
// npm run bench:gpu -- PART [options]: measures one part here; see campaign.py, which needs no Node.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fail, PYTHON, ROOT } from "../../scripts/lib.mjs";
import { prepare } from "./prepare.mjs";

const [part, ...options] = process.argv.slice(2);
if (part === undefined)
  fail("which part? prepare, kernels, rates, layer, memory, profile or replay", 2);
if (part === "prepare") prepare(options);
else process.exitCode = measure(part, options);

function measure(part, options) {
  const script = join(ROOT, "bench/gpu/campaign.py");
  const { status, error } = spawnSync(PYTHON, [script, part, ...options], { stdio: "inherit" });
  if (error) fail(`${PYTHON}: ${error.message} (npm run setup makes it)`, 2);
  return status ?? 1;
}
