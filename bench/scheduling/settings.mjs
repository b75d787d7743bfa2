// The study's settings: costs in us by the paper's FLOPs at an assumed 200 TFLOP/s (0.5B) and 400 TFLOP/s (7B), latencies
// fitted to the paper's Table 5, beyond 8 ranks doubled (slope tripled). Assumptions about hardware, not measurements.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../../scripts/lib.mjs";

const { random32 } = await import(pathToFileURL(join(ROOT, "dist/foundation/random.js")).href);

const half = {
  bucket: 26624,
  cost: {
    a1: 5.944,
    a2: 0.00129,
    fixed: 1000,
    least: 0,
    small_shard_tokens: 0,
    comm: {
      2: [3836.9, 4320, 0.1326],
      4: [3836.9, 4320, 0.1989],
      8: [3836.9, 4320, 0.232],
      16: [7673.8, 8640, 0.7458],
      32: [7673.8, 8640, 0.7707],
    },
  },
};
const seven = {
  bucket: 13312,
  cost: {
    a1: 55.5,
    a2: 0.003011,
    fixed: 1000,
    least: 0,
    small_shard_tokens: 0,
    comm: {
      2: [4476.4, 5040, 0.6188],
      4: [4476.4, 5040, 0.9281],
      8: [4476.4, 5040, 1.0828],
      16: [8952.7, 10080, 3.4805],
      32: [8952.7, 10080, 3.5964],
    },
  },
};

// Share of sequences below a length: Table 1 of arXiv:2505.19609. Lengths are log-uniform in between.
const K = 1024;
const wikipedia = [
  [64, 0],
  [K, 0.8788],
  [4 * K, 0.9934],
  [8 * K, 0.9992],
  [32 * K, 0.9999],
  [78 * K, 1],
];
const lmsys = [
  [64, 0],
  [K, 0.8712],
  [4 * K, 0.9935],
  [8 * K, 0.9987],
  [32 * K, 0.9998],
  [128 * K, 0.9999],
  [1643 * K, 1],
];
const chatqa2 = [
  [64, 0],
  [K, 0.2192],
  [4 * K, 0.3148],
  [8 * K, 0.4043],
  [32 * K, 0.9986],
  [99 * K, 1],
];

const wide = { data_parallel: 4, context_parallel: 8, sequences: 256 };
const long = { data_parallel: 2, context_parallel: 16, sequences: 80 };

/** Name, model, shape of the machine and distribution of lengths of every setting. */
export const SETTINGS = [
  { name: "0.5B Wikipedia", model: half, ...wide, draw: fromTable(wikipedia) },
  { name: "0.5B LMsys", model: half, ...wide, draw: fromTable(lmsys) },
  { name: "0.5B ChatQA2", model: half, ...wide, draw: fromTable(chatqa2) },
  { name: "7B Wikipedia", model: seven, ...wide, draw: fromTable(wikipedia) },
  { name: "7B LMsys", model: seven, ...wide, draw: fromTable(lmsys) },
  { name: "7B ChatQA2", model: seven, ...long, draw: fromTable(chatqa2) },
];

/** A standard normal draw (Box and Muller). */
const normal = (random) =>
  Math.sqrt(-2 * Math.log((random() + 1) / 2 ** 32)) * Math.cos((2 * Math.PI * random()) / 2 ** 32);

const logNormal = (median, sigma) => (random) => tokens(median * Math.exp(sigma * normal(random)));

const tokens = (value) => Math.max(16, Math.floor(value));

// Mixes like those that FlexSP and others were run on: lengths around one size; many short ones with a tail that thins out
// as one over the length; short ones and, one in seven, long ones.
const longTail = (random) => tokens((128 * 2 ** 32) / (random() + 1));
const [short, far] = [logNormal(1024, 0.6), logNormal(24 * K, 0.5)];
const SHAPES = {
  lognormal: logNormal(4 * K, 1.2),
  "long tail": longTail,
  "two humps": (random) => (random() < 2 ** 32 / 7 ? far(random) : short(random)),
};

/** Six mixes, on the ranks of most settings, under lockstep. */
export const MIXES = Object.entries({ "0.5B": half, "7B": seven }).flatMap(([size, model]) =>
  Object.entries(SHAPES).map(([shape, draw]) => ({
    name: `${size} ${shape}`,
    model,
    ...wide,
    draw,
  })),
);

/** Settings with the lengths of a file of one length a line. */
export function settingsOfFile(name, path) {
  const lengths = readFileSync(path, "utf8").split(/\s+/).filter(Boolean).map(Number);
  const draw = (random) => lengths[Math.floor((random() / 2 ** 32) * lengths.length)];
  return [
    { name: `0.5B ${name}`, model: half, ...wide, draw },
    { name: `7B ${name}`, model: seven, ...wide, draw },
  ];
}

/** The same sequences in batches of neighbours by length: batch n of the result is the n-th run of them. */
export function neighbours(setting, batches, seed) {
  const all = Array.from({ length: batches }, (_, n) => problemOf(setting, seed, n).lengths)
    .flat()
    .sort((a, b) => a - b);
  return {
    ...setting,
    batchOf: (n) => all.slice(n * setting.sequences, (n + 1) * setting.sequences),
  };
}

function fromTable(table) {
  return (random) => {
    const u = random() / 2 ** 32;
    const at = Math.max(
      1,
      table.findIndex(([, share]) => u < share),
    );
    const [low, below] = table[at - 1];
    const [high, share] = table[at];
    const position = (u - below) / (share - below);
    return Math.max(1, Math.floor(low * (high / low) ** position));
  };
}

/** The n-th problem of a setting: its global batch, with sequences beyond C x N drawn again. */
export function problemOf(setting, seed, n, changes = {}) {
  const { bucket, cost } = setting.model;
  const lengths = setting.batchOf ? setting.batchOf(n) : drawn(setting, random32(seed, n));
  return {
    format_version: 1,
    lengths,
    data_parallel: setting.data_parallel,
    context_parallel: setting.context_parallel,
    bucket,
    padding: "exact",
    cost,
    policy: "auto",
    degrees: "local-or-all",
    objective: "free",
    iterations: 0,
    time_budget_ms: 0,
    seed: 0,
    ...changes,
  };
}

function drawn({ model, context_parallel: context, sequences, draw }, random) {
  const lengths = [];
  while (lengths.length < sequences) {
    const length = draw(random);
    if (length <= model.bucket * context) lengths.push(length);
  }
  return lengths;
}
