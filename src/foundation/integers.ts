/** Whether a whole number of at least 1 is 1, 2, 4 and so on. */
export function isPowerOfTwo(value: number): boolean {
  let power = 1;
  while (power < value) power *= 2;
  return power === value;
}

/** Divisors of a whole number of at least 1, ascending. */
export function divisors(count: number): readonly number[] {
  const found: number[] = [];
  for (let d = 1; d <= count; d += 1) if (count % d === 0) found.push(d);
  return found;
}
