// How long construction takes, in both programs, beside other policies of the same run.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fail, PYTHON, ROOT } from "../../scripts/lib.mjs";
import { table } from "./measure.mjs";
import { problemOf } from "./settings.mjs";

const load = (path) => import(pathToFileURL(join(ROOT, "dist/schedule", path)).href);
const { solve } = await load("solve.js");

const REPEATS = 15;
const SHAPES = [
  [256, 4, 8],
  [4096, 32, 16],
];
const CASES = [
  ["auto", "local-or-all", "lockstep"],
  ["auto", "powers-of-two", "lockstep"],
  ["auto", "pool", "lockstep"],
  ["packed", "local-or-all", "lockstep"],
];

/** Medians over batches, ms, of the whole solve: verification and lower bound included. */
export function construction(settings, seed, say) {
  const problems = [];
  for (const setting of settings) {
    for (const [sequences, data_parallel, context_parallel] of SHAPES) {
      for (const [policy, degrees, objective] of CASES) {
        const shape = { ...setting, sequences, data_parallel, context_parallel };
        const own = Array.from({ length: 7 }, (_, n) =>
          problemOf(shape, seed, n, { policy, degrees, objective }),
        );
        problems.push({
          setting,
          policy,
          degrees,
          own,
          shape: `${sequences} on ${data_parallel} x ${context_parallel}`,
        });
      }
    }
  }
  say("construction: TypeScript");
  const typescript = problems.map(({ own }) => medianTime(own));
  say("construction: Python");
  const python = pythonTimes(problems.map(({ own }) => own));
  const rows = problems.map(({ setting, policy, degrees, shape }, n) => [
    setting.name,
    shape,
    policy,
    degrees,
    typescript[n].toFixed(2),
    python[n].toFixed(1),
    (python[n] / typescript[n]).toFixed(1),
  ]);
  return table(
    ["lengths", "sequences", "policy", "degrees", "TypeScript ms", "Python ms", "ratio"],
    rows,
  );
}

function medianTime(problems, repeats = REPEATS) {
  const times = [];
  for (const problem of problems) solve(problem);
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const problem of problems) {
      // A fresh object: costs are tabled once a problem, and that is part of the time.
      const fresh = { ...problem };
      const start = performance.now();
      solve(fresh);
      times.push(performance.now() - start);
    }
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
}

function pythonTimes(groups) {
  const script = join(ROOT, "bench/scheduling/time_python.py");
  const made = spawnSync(PYTHON, [script], {
    input: JSON.stringify(groups),
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    env: { ...process.env, PYTHONPATH: join(ROOT, "python") },
  });
  if (made.status !== 0) fail(`time_python.py: ${made.stderr}`);
  return JSON.parse(made.stdout);
}

/** Solves of the first size before any is timed: its few short runs would be timed as they compile. */
const WARM_UP = 200;

/** As many sequences of every order of magnitude, the longest of which is the longest that fits: most cells hold few. */
const geometric = (sequences, longest) =>
  Array.from({ length: sequences }, (_, at) =>
    Math.floor(SHORTEST * (longest / SHORTEST) ** (at / (sequences - 1))),
  );

const SHORTEST = 16;

/** Time and time per sequence from 256 to 65,536 sequences, ranks growing alike up to 64 data-parallel ranks. */
export function growth(setting, seed, say) {
  const points = [];
  const warm = problemOf({ ...setting, sequences: 256 }, seed, 0, { objective: "lockstep" });
  for (let n = 0; n < WARM_UP; n += 1) solve({ ...warm });
  for (let sequences = 256; sequences <= 65_536; sequences *= 2) {
    say(`growth: ${sequences}`);
    const data_parallel = Math.min(64, sequences / 64);
    const { geometric: even, model, context_parallel: context } = setting;
    const shape = {
      ...setting,
      sequences,
      data_parallel,
      ...(even && { batchOf: () => geometric(sequences, model.bucket * context) }),
    };
    const problems = [problemOf(shape, seed, 0, { objective: "lockstep" })];
    points.push({
      sequences,
      data_parallel,
      ms: medianTime(problems, sequences > 8192 ? 5 : REPEATS),
    });
  }
  const [first] = points;
  const rows = points.map(({ sequences, data_parallel, ms }) => [
    sequences,
    `${data_parallel} x ${setting.context_parallel}`,
    ms.toFixed(2),
    ((1000 * ms) / sequences).toFixed(2),
    (ms / sequences / (first.ms / first.sequences)).toFixed(2),
  ]);
  const head = ["sequences", "ranks", "ms", "us per sequence", "relative to 256"];
  return { text: table(head, rows), points };
}
