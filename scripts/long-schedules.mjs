// A million scheduling problems, tight and mutated, through parsing, solving and verifying, over worker threads:
// `npm run test:long -- schedules [COUNT] [SEED] [--print]`. --print writes the documents, one a line, instead.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { build } from "esbuild";
import { fail, ROOT } from "./lib.mjs";

const BUNDLE = join(ROOT, "build", "long", "fuzz-problem.mjs");
/** Longer than any problem of a few dozen sequences may take, ms. */
const SLOWEST = 60_000;
const PER_REPORT = 1000;
const FAULTS_SHOWN = 10;

if (isMainThread) await main();
else await work(workerData);

async function main() {
  const [count = 1_000_000, seed = 1] = process.argv.slice(2).filter(Number).map(Number);
  await build({
    entryPoints: [join(ROOT, "test", "schedule", "fuzz-problem.ts")],
    outfile: BUNDLE,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "warning",
  });
  if (process.argv.includes("--print")) return print(count, seed);
  const shards = availableParallelism();
  const started = Date.now();
  const totals = { outcomes: {}, slowest: { ms: 0, n: -1 }, done: 0, faults: 0 };
  const finished = Array.from({ length: shards }, (_, shard) =>
    watch({ shard, shards, count, seed }, totals),
  );
  const timer = setInterval(() => process.stderr.write(`${totals.done} of ${count}\n`), 30_000);
  await Promise.all(finished);
  clearInterval(timer);
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  const { outcomes, slowest, faults, done } = totals;
  process.stdout.write(
    `${done} problems, seed ${seed}, ${seconds} s on ${shards} threads\n` +
      `${JSON.stringify(outcomes)}\n` +
      `slowest: problem ${slowest.n}, ${slowest.ms.toFixed(0)} ms\n` +
      `${faults} internal errors or hangs\n`,
  );
  process.exitCode = faults > 0 || done < count ? 1 : 0;
}

async function print(count, seed) {
  const { fuzzDocument } = await import(pathToFileURL(BUNDLE).href);
  for (let n = 0; n < count; n += 1)
    process.stdout.write(`${JSON.stringify(fuzzDocument(seed, n))}\n`);
}

/** Follows one worker; a problem that does not end is a fault, and ends its worker. */
function watch(job, totals) {
  return new Promise((resolve) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: job });
    let last = Date.now();
    const clock = setInterval(() => {
      if (Date.now() - last < SLOWEST) return;
      totals.faults += 1;
      process.stdout.write(`shard ${job.shard} hangs\n`);
      worker.terminate();
    }, 1000);
    worker.on("message", (report) => {
      last = Date.now();
      totals.done += report.done;
      for (const [outcome, n] of Object.entries(report.outcomes))
        totals.outcomes[outcome] = (totals.outcomes[outcome] ?? 0) + n;
      if (report.slowest.ms > totals.slowest.ms) totals.slowest = report.slowest;
      for (const fault of report.faults) {
        totals.faults += 1;
        if (totals.faults <= FAULTS_SHOWN) process.stdout.write(`${fault}\n`);
      }
    });
    worker.on("error", (error) => fail(String(error)));
    worker.on("exit", () => {
      clearInterval(clock);
      resolve();
    });
  });
}

/** Every `shards`-th problem, told in batches. */
async function work({ shard, shards, count, seed }) {
  const { fuzzDocument, outcomeOf } = await import(pathToFileURL(BUNDLE).href);
  const fresh = () => ({ outcomes: {}, slowest: { ms: 0, n: -1 }, done: 0, faults: [] });
  let report = fresh();
  for (let n = shard; n < count; n += shards) {
    const started = performance.now();
    try {
      const outcome = outcomeOf(fuzzDocument(seed, n));
      report.outcomes[outcome] = (report.outcomes[outcome] ?? 0) + 1;
    } catch (error) {
      report.faults.push(`problem ${n} of seed ${seed}: ${error}`);
    }
    const ms = performance.now() - started;
    if (ms > report.slowest.ms) report.slowest = { ms, n };
    report.done += 1;
    if (report.done < PER_REPORT && ms < 1000) continue;
    parentPort.postMessage(report);
    report = fresh();
  }
  parentPort.postMessage(report);
}
