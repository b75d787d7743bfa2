// Errors of predictions as a Markdown table.
import { mean, table } from "../scheduling/measure.mjs";

/** Errors where a step takes its tokens times the constant that fits these steps best: what a user could do by hand. */
export function errorsOf(steps) {
  const constant = quantile(
    steps.map(({ seconds, tokens }) => seconds / tokens),
    0.5,
  );
  const predicted = steps.map(({ tokens }) => constant * tokens);
  const off = steps.map(({ seconds }, n) => predicted[n] / seconds - 1);
  const sizes = off.map(Math.abs);
  return {
    steps: steps.length,
    median: quantile(sizes, 0.5),
    p90: quantile(sizes, 0.9),
    bias: quantile(off, 0.5),
    rank_correlation: correlation(ranks(predicted), ranks(steps.map(({ seconds }) => seconds))),
  };
}

/** Rows of a name and errors. */
export function tableOf(rows) {
  const head = ["prediction", "steps", "median error", "p90", "bias", "rank correlation"];
  return table(
    head,
    rows.map(([name, errors]) => [
      name,
      `${errors.steps}`,
      percent(errors.median),
      percent(errors.p90),
      `${errors.bias < 0 ? "-" : "+"}${percent(Math.abs(errors.bias))}`,
      errors.rank_correlation.toFixed(3),
    ]),
  );
}

const percent = (share) => `${(100 * share).toFixed(1)}%`;

/** Linear between neighbours, as numpy's. */
function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const above = sorted[Math.min(low + 1, sorted.length - 1)];
  return sorted[low] + (place - low) * (above - sorted[low]);
}

/** Ties at their mean rank. */
function ranks(values) {
  return values.map(
    (value) =>
      values.filter((other) => other < value).length +
      values.filter((other) => other === value).length / 2,
  );
}

function correlation(first, second) {
  const [a, b] = [first, second].map((values) => values.map((value) => value - mean(values)));
  const dot = (x, y) => x.reduce((sum, value, n) => sum + value * y[n], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
