// Pictures of every policy's schedule of one small batch, for docs/policies.md. --check only says which are not current.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fail, ROOT } from "./lib.mjs";
import { policyFigure } from "./policy-figure.mjs";

const built = (path) => import(pathToFileURL(join(ROOT, "dist/schedule", path)).href);
const { solve } = await built("solve.js");
const { PEER_NAMES, solveByPeer } = await built("peers/index.js");
const { DEGREE_CLASSES, POLICY_NAMES } = await built("problem.js");
const { communicationOf, microBatchTime, workOf } = await built("time-and-memory.js");

const FOLDER = "docs/figures/policies";

/** Twelve sequences on two data-parallel ranks of four; a 0.5B model by the paper's FLOPs at 200 TFLOP/s. */
const PROBLEM = {
  format_version: 1,
  lengths: [1500, 9000, 600, 2500, 14000, 1000, 4000, 800, 6000, 1200, 2000, 3000],
  data_parallel: 2,
  context_parallel: 4,
  bucket: 4096,
  padding: "zigzag",
  cost: {
    a1: 5.944,
    a2: 0.00129,
    fixed: 2000,
    least: 0,
    small_shard_tokens: 0,
    comm: {
      2: [3836.9, 4320, 0.1326],
      4: [3836.9, 4320, 0.1989],
      8: [3836.9, 4320, 0.232],
    },
  },
  policy: "auto",
  degrees: "local-or-all",
  objective: "lockstep",
  iterations: 2000,
  time_budget_ms: 0,
  seed: 0,
};

/** Name of a picture to its title and the schedule. */
const shown = [
  ...POLICY_NAMES.filter((policy) => policy !== "auto").map((policy) => [
    policy,
    policy,
    solve({ ...PROBLEM, policy }),
  ]),
  ...DEGREE_CLASSES.map((degrees) => [
    `auto-${degrees}`,
    `auto, degrees = ${degrees}`,
    solve({ ...PROBLEM, degrees }),
  ]),
  ...PEER_NAMES.map((peer) => [
    peer,
    peer,
    // Its own rule chooses among groups over the whole machine.
    solveByPeer(peer, { ...PROBLEM, degrees: "pool" }),
  ]),
].map(([name, title, solution]) => {
  if (!solution.ok) fail(`${name} has no schedule of the batch that is drawn`);
  return [name, drawing(title, solution.schedule)];
});

const span = Math.max(...shown.map(([, { time }]) => time));
const files = Object.fromEntries(
  shown.map(([name, one]) => [`${name}.svg`, policyFigure(one, PROBLEM.lengths, span)]),
);

/** A schedule in lockstep: what every rank does when. */
function drawing(title, { micro_batches: microBatches, iteration_time: time }) {
  const ranks = PROBLEM.data_parallel * PROBLEM.context_parallel;
  let start = 0;
  const steps = microBatches.map(({ placements }) => {
    const rows = Array.from({ length: ranks }, (_, rank) => rowOf(rank, placements, start));
    const slowest = Math.max(...rows.map(({ end }) => end)) - start;
    const end = start + microBatchTime(slowest, PROBLEM);
    const step = { start, end, fixed: PROBLEM.cost.fixed, rows };
    start = end;
    return step;
  });
  if (Math.abs(start - time) > 1e-9 * time)
    fail(`${title}: the picture takes ${start} us, the schedule ${time} us`);
  return { title, time, ranks, group: PROBLEM.context_parallel, steps };
}

/** Local sequences beside communication, then what the rank shares with others. */
function rowOf(rank, placements, start) {
  const here = placements
    .filter(({ first_rank: first, degree }) => first <= rank && rank < first + degree)
    .sort((a, b) => PROBLEM.lengths[b.sequence] - PROBLEM.lengths[a.sequence]);
  const shared = here.filter(({ degree }) => degree > 1);
  let wait = 0;
  for (const degree of new Set(shared.map((placement) => placement.degree))) {
    let tokens = 0;
    for (const placement of shared)
      if (placement.degree === degree) tokens += PROBLEM.lengths[placement.sequence];
    wait += communicationOf(tokens, degree, PROBLEM);
  }
  const blocks = [];
  const add = (some, from) => {
    let at = from;
    for (const { sequence, degree } of some) {
      const end = at + workOf(PROBLEM.lengths[sequence], degree, PROBLEM);
      blocks.push({ sequence, start: at, end, shared: degree > 1 });
      at = end;
    }
    return at;
  };
  const local = add(
    here.filter(({ degree }) => degree === 1),
    start,
  );
  const end = add(shared, Math.max(local, start + wait));
  return { wait, blocks, end };
}

const stale = Object.entries(files).flatMap(([name, content]) => {
  const path = join(ROOT, FOLDER, name);
  return existsSync(path) && readFileSync(path, "utf8") === content ? [] : [name];
});
const folder = join(ROOT, FOLDER);
const gone = existsSync(folder)
  ? readdirSync(folder).filter((name) => !Object.hasOwn(files, name))
  : [];
if (process.argv.includes("--check")) {
  if (stale.length + gone.length > 0)
    fail(`not current in ${FOLDER}: ${[...stale, ...gone].join(", ")}; run 'npm run generate'`);
} else {
  mkdirSync(folder, { recursive: true });
  for (const name of stale) writeFileSync(join(folder, name), files[name]);
  for (const name of gone) rmSync(join(folder, name));
}
