/** Pairs of a query and a key it sees: `perToken * S + perTokenSquared * S^2` for a sequence of S tokens. */
export interface Pairs {
  readonly perToken: number;
  readonly perTokenSquared: number;
}

/** Causal attention to the whole sequence. */
export const CAUSAL: Pairs = { perToken: 0, perTokenSquared: 0.5 };

/** Exact pairs of a causal window: half of the square up to its width, a band beyond. */
export function pairsInWindow(window: number, tokens: number): number {
  return tokens <= window ? (tokens * tokens) / 2 : window * tokens - (window * window) / 2;
}

/** Below this, lengths are too much alike to tell two terms apart. */
const ALIKE = 1e-9;

/**
 * The work of a scheduling problem is quadratic in a sequence's tokens, that of a window is not: the quadratic without
 * negative terms that is nearest to it over the data's own lengths, by least squares of relative errors.
 */
export function windowPairs(window: number, lengths: readonly number[]): Pairs {
  if (lengths.every((tokens) => tokens <= window)) return CAUSAL;
  let [xx, xz, zz, xy, zy] = [0, 0, 0, 0, 0];
  for (const tokens of lengths) {
    const exact = pairsInWindow(window, tokens);
    const x = tokens / exact;
    const z = (tokens * tokens) / exact;
    xx += x * x;
    xz += x * z;
    zz += z * z;
    xy += x;
    zy += z;
  }
  const determinant = xx * zz - xz * xz;
  const linear = (xy * zz - zy * xz) / determinant;
  const square = (zy * xx - xy * xz) / determinant;
  if (determinant > ALIKE * xx * zz && square >= 0 && linear >= 0)
    return { perToken: linear, perTokenSquared: square };
  // The better single term.
  return zz * xy * xy > xx * zy * zy
    ? { perToken: xy / xx, perTokenSquared: 0 }
    : { perToken: 0, perTokenSquared: zy / zz };
}
