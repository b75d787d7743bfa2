// npm run generate: writes every generated file, from sources alone; --check only says which are not current.
import { spawnSync } from "node:child_process";
import { fail, PYTHON, ROOT } from "./lib.mjs";

const check = process.argv.includes("--check");
const node = (script) => [process.execPath, `scripts/${script}`];

/** In this order: modules of both programs, the compiler that has them, and what that says of itself. */
const STEPS = [
  [PYTHON, "python/tools/deepspeed_schema.py"],
  node("generate-catalogue.mjs"),
  node("generate-contract.mjs"),
  node("generate-rules.mjs"),
  node("build.mjs"),
  node("generate-pages.mjs"),
  node("schedule-vectors.mjs"),
  node("generate-policy-figures.mjs"),
];

const stale = STEPS.filter(([program, script]) => {
  const only = check && !script.endsWith("build.mjs") ? ["--check"] : [];
  const made = spawnSync(program, [script, ...only], {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, DS_ACCELERATOR: "cpu" },
  });
  if (made.status !== 0 && !check) fail(`${script} failed`);
  return made.status !== 0;
});
if (stale.length > 0)
  fail(`not current, by ${stale.map(([, script]) => script).join(", ")}: run 'npm run generate'`);
