/** Smallest integer >= a / b, exact for safe integers, where a division of floats could round. */
export function ceilDivide(a: number, b: number): number {
  const remainder = a % b;
  return (a - remainder) / b + (remainder > 0 ? 1 : 0);
}
