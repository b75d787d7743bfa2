// node bench/truth/fit.mjs [--rounds N] [--leave-one-out]
//
// Fits the constants that are marked "fitted" to the published step times, and prints what to write into
// src/cost/machine-constants.ts; changes nothing. With --leave-one-out, fits them without each source of five points or
// more, and says how well that source is predicted by constants that do not know it.
import { parseArgs } from "node:util";
import { CONSTANT_VALUES } from "../../dist/cost/machine-constants.js";
import { FITTED, fitTo } from "./fitting.mjs";
import { measuredSeconds, predict } from "./plan.mjs";
import { published } from "./points.mjs";

const FEWEST = 5;
const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "2" },
    "leave-one-out": { type: "boolean", default: false },
  },
});

const { points, models } = published();
const timed = points.filter((point) => measuredSeconds(point) !== undefined);
if (options["leave-one-out"]) leaveOneOut();
else {
  fitTo(timed, models, Number(options.rounds), console.log);
  for (const name of FITTED)
    console.log(`${name}: ${Number(CONSTANT_VALUES[name].toPrecision(3))}`);
}

/** Prints the share within 25%, of each source by all constants and by those that were fitted without it. */
function leaveOneOut() {
  const start = { ...CONSTANT_VALUES };
  let [before, after] = [0, 0];
  for (const source of new Set(timed.map((point) => point.source))) {
    const own = timed.filter((point) => point.source === source);
    Object.assign(CONSTANT_VALUES, start);
    const known = within(own);
    if (own.length >= FEWEST)
      fitTo(
        timed.filter((point) => point.source !== source),
        models,
        Number(options.rounds),
      );
    const unknown = within(own);
    before += known;
    after += unknown;
    console.log(`${source.padEnd(20)} ${known} of ${own.length}, without it ${unknown}`);
  }
  const share = (count) => `${((100 * count) / timed.length).toFixed(1)}%`;
  console.log(`all: ${share(before)} within 25%, each source without itself ${share(after)}`);
}

function within(own) {
  const ratio = (point) => predict(point, models[point.model]).seconds / measuredSeconds(point);
  return own.filter((point) => Math.abs(Math.log(ratio(point))) <= Math.log(1.25)).length;
}
