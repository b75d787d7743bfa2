// Mixed-integer programs of the folder solver/, in a Python environment of their own with a pinned HiGHS.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, PYTHON, ROOT, run, say } from "../../scripts/lib.mjs";

const FOLDER = join(ROOT, "bench/scheduling");
const REQUIREMENTS = join(FOLDER, "solver/requirements.txt");
const ENVIRONMENT = join(ROOT, "build/scheduling-solver");
const STAMP = join(ENVIRONMENT, "requirements.txt");

/** Python of the environment, which is made where it is missing or has other requirements. */
export function solverPython() {
  const python = join(ENVIRONMENT, "bin/python");
  const wanted = readFileSync(REQUIREMENTS, "utf8");
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted) return python;
  say("Making the solver's Python environment");
  run(PYTHON, ["-m", "venv", ENVIRONMENT]);
  run(python, ["-m", "pip", "install", "--quiet", "-r", REQUIREMENTS], {
    stdio: ["ignore", process.stderr, "inherit"],
  });
  writeFileSync(STAMP, wanted);
  return python;
}

/**
 * What a program of solver/ answers to problems, one after the other.
 *
 * @param ask `flexsp`, `exact` or `relaxed`
 * @param seconds the limit of every program that is solved
 */
export function solved(ask, problems, seconds) {
  if (problems.length === 0) return [];
  const made = spawnSync(solverPython(), ["-m", "solver"], {
    cwd: FOLDER,
    input: JSON.stringify({ ask, seconds, problems }),
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["pipe", "pipe", "inherit"],
  });
  if (made.status !== 0) fail(`the solver ended with ${made.status ?? made.signal}`);
  return JSON.parse(made.stdout);
}
