/** The next number of micro-batches to try, an eighth more: few tries, and few micro-batches that nobody needs. */
export const more = (count: number): number => count + Math.ceil(count / 8);
