/** Whether two predictions are so near each other that either may turn out the larger. */
export function withinBand(one: number, other: number, relativeBand: number): boolean {
  return Math.max(one, other) <= (1 + relativeBand) * Math.min(one, other);
}
