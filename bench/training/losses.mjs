// How far the losses of the methods are from those of one process of plain PyTorch.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fail, PYTHON, ROOT } from "../../scripts/lib.mjs";
import { table } from "../scheduling/measure.mjs";
import { RANK_ENVIRONMENT } from "./setting.mjs";

/** @param losses per method, of the first steps of `run` */
export function lossTable(losses, run) {
  const steps = Object.values(losses)[0].length;
  const reference = referenceLosses(run, steps);
  const ends = (own) => [own[0], own.at(-1)].map((loss) => loss.toFixed(6));
  const rows = Object.entries(losses).map(([name, own]) => {
    const furthest = Math.max(...own.map((loss, n) => Math.abs(loss - reference[n])));
    return [name, ...ends(own), furthest.toExponential(1)];
  });
  const head = ["method", "first loss", `loss of step ${steps}`, "largest difference"];
  return table(head, [["plain PyTorch", ...ends(reference), "-"], ...rows]);
}

function referenceLosses(run, steps) {
  const script = join(ROOT, "bench/training/reference.py");
  const result = spawnSync(PYTHON, [script, run, `${steps}`], {
    env: { ...process.env, ...RANK_ENVIRONMENT },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (result.status !== 0) fail(`the reference ended with ${result.signal ?? result.status}`);
  return JSON.parse(result.stdout.slice(result.stdout.lastIndexOf("[")));
}
