// Writes the vectors that both test suites run (problems with their answers, and shuffles), and the schema of a
// problem. --check only compares.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { fail, ROOT } from "./lib.mjs";

const built = (path) => import(pathToFileURL(join(ROOT, "dist", path)).href);
const { answerProblem } = await built("schedule/answer.js");
const { POLICY_NAMES } = await built("schedule/problem.js");
const { globalBatches } = await built("foundation/global-batches.js");

const small = {
  a1: 5.944,
  a2: 0.00129,
  fixed: 1000,
  comm: { 2: [3836.9, 4320, 0.1326], 4: [3836.9, 4320, 0.1989] },
};
const base = {
  format_version: 1,
  data_parallel: 1,
  context_parallel: 2,
  bucket: 8192,
  cost: small,
};
const tail = [120, 340, 95, 7800, 610, 205, 15000, 88, 431, 2900, 77, 512, 1033, 64, 9000, 333];

const problems = {
  "one sequence, sharded": { ...base, lengths: [5026, 1220], policy: "packed" },
  "empty batch": { ...base, lengths: [] },
  "fewer sequences than ranks": { ...base, data_parallel: 4, lengths: [100, 200] },
  "exactly full": { ...base, lengths: [16384], policy: "skrull-paper" },
  "one token too long": { ...base, lengths: [64, 16385] },
  "zigzag padding makes it too long": {
    ...base,
    lengths: [16383],
    bucket: 8191,
    padding: "zigzag",
  },
  "all equal": { ...base, data_parallel: 2, lengths: Array(12).fill(1000) },
  "no cost for the degree": { ...base, lengths: [9000], cost: { ...small, comm: {} } },
  "nothing needs the missing degree": { ...base, lengths: [900, 80], cost: { ...small, comm: {} } },
  "context parallel of one": {
    ...base,
    context_parallel: 1,
    lengths: [8192, 1, 700],
    cost: { ...small, comm: {} },
  },
  "group of three": {
    ...base,
    context_parallel: 3,
    lengths: [10000, 500, 24576],
    cost: { ...small, comm: { 3: [1, 2, 0.5] } },
  },
  "micro-batches that take a least time": {
    ...base,
    data_parallel: 2,
    lengths: tail,
    cost: { ...small, least: 60000 },
  },
  pool: { ...base, data_parallel: 2, degrees: "pool", lengths: tail },
  "longer than a data rank of the pool": {
    ...base,
    data_parallel: 2,
    degrees: "pool",
    lengths: [700, 20000, 900],
  },
  "far too long": { ...base, lengths: [5, 1e12] },
  "endless memory": { ...base, bucket: 1e15, lengths: [5, 70000] },
  "too many tokens": { ...base, bucket: 2 ** 53 - 1, lengths: [2 ** 53 - 1] },
  "time that overflows": { ...base, lengths: [5], cost: { ...small, a1: 1e308 } },
  "not a power of two": { ...base, context_parallel: 3, degrees: "powers-of-two", lengths: [1] },
  "negative length": { ...base, lengths: [5, -1] },
  fraction: { ...base, lengths: [5.5] },
  "unknown key": { ...base, lengths: [5], colour: "red" },
  "unknown key in the cost": { ...base, lengths: [5], cost: { ...small, b1: 3 } },
  "missing key": { format_version: 1, lengths: [] },
  "not an object": [1, 2],
  "row of two": { ...base, lengths: [5], cost: { ...small, comm: { 2: [1, 2] } } },
  "degree that is no number": {
    ...base,
    lengths: [5],
    cost: { ...small, comm: { "a/b": [1, 2, 3] } },
  },
};
for (const policy of POLICY_NAMES) {
  for (const objective of ["free", "lockstep"]) {
    for (const padding of ["exact", "zigzag"]) {
      const shape = { data_parallel: 2, context_parallel: 4, bucket: 6144 };
      problems[`long tail: ${policy}, ${objective}, ${padding}`] = {
        ...base,
        ...shape,
        policy,
        objective,
        padding,
        lengths: tail,
      };
    }
  }
}

const schedule = Object.entries(problems).map(([name, problem]) => ({
  name,
  problem,
  answer: answerProblem(problem),
}));
/** Shares of samples and draws: more than all, some of them in turns, none, and an empty one. */
const MIXTURES = [0, 1, 2, 999_999].flatMap((epoch) => [
  [10, 4, 17, epoch, [[10, 5]]],
  [
    13,
    5,
    2 ** 40 + 3,
    epoch,
    [
      [4, 10],
      [0, 0],
      [6, 4],
      [3, 3],
    ],
  ],
]);
const shuffle = [
  [0, 4, 1, 0],
  [1, 4, 1, 0],
  [10, 4, 0, 0],
  [10, 4, 17, 0],
  [10, 4, 17, 1],
  [1000, 300, 2 ** 53 - 1, 12345],
  ...MIXTURES,
].map(([count, size, seed, epoch, mixture]) => ({
  count,
  size,
  seed,
  epoch,
  ...(mixture ? { mixture } : {}),
  batches: globalBatches(
    count,
    size,
    seed,
    epoch,
    mixture?.map(([samples, draws]) => ({ samples, draws })),
  ),
}));

const lines = (entries) => `[\n${entries.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`;
const files = {
  "test/vectors/schedule.json": lines(schedule),
  "test/vectors/shuffle.json": lines(shuffle),
};
for (const [name, text] of Object.entries(files)) {
  const path = join(ROOT, name);
  if (existsSync(path) && readFileSync(path, "utf8") === text) continue;
  if (process.argv.includes("--check")) fail(`${name} is not current`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
