// node bench/truth/fit.mjs [--rounds N] [--leave-one-out]
//
// Fits the constants that are marked "fitted" to the published step times, and prints what to write into
// src/cost/machine-constants.ts; changes nothing. With --leave-one-out, fits them to all and then without each source, every
// time from values that nobody fitted, and says how well each source is predicted by constants that do not know it.
import { parseArgs } from "node:util";
import { FITTED, Fit, UNFITTED } from "./fitting.mjs";
import { measuredSeconds } from "./plan.mjs";
import { published } from "./points.mjs";

const FACTORS = [1.15, 1.25];
const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "6" },
    "leave-one-out": { type: "boolean", default: false },
  },
});

const { points, models } = published();
const timed = points.filter((point) => measuredSeconds(point) !== undefined);
const rounds = Number(options.rounds);
const fit = new Fit(models);
const committed = fit.values;
if (options["leave-one-out"]) leaveOneOut();
else {
  fit.to(timed, rounds, console.log);
  console.log(constantsText());
}

/** Prints shares within 15% and 25%: by the compiler's constants, by ones fitted to all, and of each source by ones fitted without it. */
function leaveOneOut() {
  console.log(`${FITTED.length} fitted constants: ${FITTED.join(", ")}\n`);
  const ofCompiler = within(timed);
  fitAgain(timed);
  const ofAll = within(timed);
  console.log(`fitted to all:\n${constantsText()}\n`);
  const whole = fit.values;
  const without = FACTORS.map(() => 0);
  console.log(
    `${"source left out".padEnd(20)} ${"n".padStart(3)}   within 15%, 25%: fitted to all; without it`,
  );
  for (const source of [...new Set(timed.map((point) => point.source))].sort()) {
    const own = timed.filter((point) => point.source === source);
    fit.values = whole;
    const known = within(own);
    fitAgain(timed.filter((point) => point.source !== source));
    const unknown = within(own);
    for (const [n, count] of unknown.entries()) without[n] += count;
    console.log(
      `${source.padEnd(20)} ${String(own.length).padStart(3)}   ${known.join(", ")}; ${unknown.join(", ")}`,
    );
  }
  console.log("");
  for (const [name, counts] of Object.entries({
    "the compiler's constants": ofCompiler,
    "fitted to all": ofAll,
    "each source without itself": without,
  }))
    console.log(
      `${name.padEnd(28)} ${counts.map((count) => share(count)).join(" within 15%, ")} within 25%`,
    );
}

function fitAgain(own) {
  fit.values = { ...committed, ...UNFITTED };
  fit.to(own, rounds);
}

function constantsText() {
  const { values } = fit;
  return FITTED.map((name) => `  ${name}: ${Number(values[name].toPrecision(3))}`).join("\n");
}

/** Points within each factor. */
function within(own) {
  return FACTORS.map(
    (factor) =>
      own.filter((point) => Math.abs(Math.log(fit.ratio(point))) <= Math.log(factor)).length,
  );
}

function share(count) {
  return `${((100 * count) / timed.length).toFixed(1)}%`;
}
