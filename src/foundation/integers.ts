/** Whether a whole number of at least 1 is 1, 2, 4 and so on. */
export function isPowerOfTwo(value: number): boolean {
  let power = 1;
  while (power < value) power *= 2;
  return power === value;
}

/** Divisors of a whole number of at least 1, ascending. */
export function divisors(count: number): readonly number[] {
  const small: number[] = [];
  for (let d = 1; d * d <= count; d += 1) if (count % d === 0) small.push(d);
  const large = small.map((d) => count / d).reverse();
  return small.at(-1) === large[0] ? [...small, ...large.slice(1)] : [...small, ...large];
}

/** Integers in ascending order. */
export function ascending(values: readonly number[]): number[] {
  for (let n = 1; n < values.length; n += 1) {
    if ((values[n] as number) < (values[n - 1] as number))
      return [...Float64Array.from(values).sort()];
  }
  return [...values];
}

/** Positions of non-negative integers by value, ascending or descending, ties by position. */
export function positionsInOrder(values: readonly number[], descending: boolean): number[] {
  const count = values.length;
  let largest = 0;
  for (const value of values) largest = Math.max(largest, value);
  if ((largest + 1) * count > Number.MAX_SAFE_INTEGER) return comparedPositions(values, descending);
  // Value and position in one number: sorting numbers is several times as fast as sorting by a function.
  const keys = new Float64Array(count);
  for (let n = 0; n < count; n += 1) {
    const value = values[n] as number;
    keys[n] = (descending ? largest - value : value) * count + n;
  }
  keys.sort();
  const positions = new Array<number>(count);
  for (let n = 0; n < count; n += 1) positions[n] = (keys[n] as number) % count;
  return positions;
}

function comparedPositions(values: readonly number[], descending: boolean): number[] {
  const sign = descending ? -1 : 1;
  return [...values.keys()].sort(
    (a, b) => sign * ((values[a] as number) - (values[b] as number)) || a - b,
  );
}
