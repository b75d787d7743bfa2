// npm start: the main job on the quickstart, from its spec to a few steps of DeepSpeed training.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { ROOT, run, say, setUp, VENV } from "./lib.mjs";

const SPEC = "examples/quickstart/quickstart.skrull";
const OUT = "build/quickstart";
const STEPS = process.env.SKRULL_QUICKSTART_STEPS ?? "5";
const cli = join(ROOT, "dist", "cli", "main.js");

setUp();
say(`Planning ${SPEC}`);
run(process.execPath, [cli, "plan", SPEC]);
say(`Compiling ${SPEC} into ${OUT}`);
run(process.execPath, [cli, "compile", SPEC, "--out", OUT]);
say(`Training ${STEPS} steps on 4 CPU ranks: ${OUT}/launch.sh`);
// A fresh run every time: a shown loss curve should not start in the middle.
rmSync(join(ROOT, OUT, "output"), { recursive: true, force: true });
run("bash", [join(OUT, "launch.sh"), "--steps", STEPS], {
  env: { ...process.env, PATH: `${join(VENV, "bin")}:${process.env.PATH}`, OMP_NUM_THREADS: "1" },
});
say(`Done. The run, with its metrics, is in ${OUT}; 'npx skrull --help' shows the compiler`);
