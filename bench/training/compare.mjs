// Speed and memory of every method, trained in turns on the same global batches.
import { table } from "../scheduling/measure.mjs";
import { startRanks } from "./ranks.mjs";
import { RANKS } from "./setting.mjs";

const BASELINE = "deepspeed ulysses";

/** Trains all methods; a table, and the losses of every step by method. */
export async function compareMethods(runs, rounds, steps, say) {
  const methods = [[BASELINE, "ulysses", runs.auto]];
  for (const [policy, run] of Object.entries(runs)) methods.push([policy, "scheduled", run]);
  const started = [];
  for (const [name, method, run] of methods)
    started.push({ name, ranks: await startRanks(name.replace(" ", "-"), method, run, RANKS) });
  const results = Object.fromEntries(methods.map(([name]) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    say(round < 0 ? "A step to warm up" : `Run ${round + 1} of ${rounds}`);
    // Another order every time: whoever is first is not always the same.
    const turn = (round + started.length) % started.length;
    for (const { name, ranks } of [...started.slice(turn), ...started.slice(0, turn)])
      results[name].push(await ranks.train(round < 0 ? 1 : steps));
  }
  await Promise.all(started.map(({ ranks }) => ranks.stop()));
  return { text: comparison(results), losses: lossesOf(results) };
}

function lossesOf(results) {
  const all = (rounds) => rounds.flatMap(([first]) => first.steps.map(({ loss }) => loss));
  return Object.fromEntries(Object.entries(results).map(([name, rounds]) => [name, all(rounds)]));
}

function comparison(results) {
  const measured = Object.fromEntries(
    Object.entries(results).map(([name, rounds]) => [name, rounds.slice(1).map(figuresOf)]),
  );
  const rows = Object.entries(measured).map(([name, rounds]) => {
    const over = (other) =>
      medianAndRange(rounds.map((own, n) => measured[other][n].seconds / own.seconds));
    const of = (figure) => median(rounds.map(figure));
    const peak = Math.max(...results[name].at(-1).map(({ peak_bytes }) => peak_bytes));
    return [
      name,
      of(({ microBatches }) => microBatches).toFixed(1),
      of(({ step }) => step).toFixed(3),
      of(({ tokens, seconds }) => tokens / seconds).toFixed(0),
      over(BASELINE),
      over("auto"),
      (peak / 2 ** 20).toFixed(0),
      name === BASELINE ? "-" : of(({ predicted }) => predicted).toFixed(2),
    ];
  });
  const head = ["method", "micro-batches", "step s", "tokens/s", "speed over ulysses"];
  return table([...head, "speed over auto", "peak MiB", "predicted / measured"], rows);
}

/** Of ratios run by run, which are of the same global batches. */
function medianAndRange(ratios) {
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  return `${median(ratios).toFixed(2)} (${least.toFixed(2)} - ${most.toFixed(2)})`;
}

/** One run of a few steps; a step takes as long as its slowest rank. */
function figuresOf(ranks) {
  const steps = ranks[0].steps.map((step, n) => ({
    ...step,
    seconds: Math.max(...ranks.map((rank) => rank.steps[n].seconds)),
  }));
  const sum = (name) => steps.reduce((total, step) => total + step[name], 0);
  return {
    seconds: sum("seconds"),
    step: sum("seconds") / steps.length,
    tokens: sum("tokens"),
    microBatches: sum("micro_batches") / steps.length,
    predicted: sum("predicted") / sum("seconds"),
  };
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
