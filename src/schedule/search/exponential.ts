// By the four operations alone, so that every engine draws the same: Math.log may differ in its last bit.

const ENTRIES = 1024;

/** -ln of `ENTRIES` evenly spaced numbers between 0 and 1. */
const QUANTILES = Float64Array.from({ length: ENTRIES }, (_, n) => -logarithm((n + 0.5) / ENTRIES));

/** A number of mean 1, distributed exponentially, of a draw of 32 bits. */
export const exponential = (draw: number): number => QUANTILES[draw & (ENTRIES - 1)] as number;

/** Natural logarithm of a number in (0, 1], by the series of the inverse hyperbolic tangent. */
function logarithm(value: number): number {
  let mantissa = value;
  let halvings = 0;
  while (mantissa < 0.5) {
    mantissa *= 2;
    halvings += 1;
  }
  return series(mantissa) - halvings * Math.LN2;
}

function series(value: number): number {
  const ratio = (value - 1) / (value + 1);
  let power = ratio;
  let sum = 0;
  for (let n = 1; n < 60; n += 2) {
    sum += power / n;
    power *= ratio * ratio;
  }
  return 2 * sum;
}
