/** Blocks with keys and what they become; `null` where a key goes. */
export type Changes = Readonly<Record<string, Readonly<Record<string, string | number | null>>>>;

/** Changes as a spec has them: `parallel { context = 8 } and memory { offload = optimizer }`. */
export function changesText(changes: Changes): string {
  const blocks = Object.entries(changes).map(([block, keys]) => {
    const entries = Object.entries(keys).map(([key, value]) =>
      value === null ? `without ${key}` : `${key} = ${value}`,
    );
    return `${block} { ${entries.join(" ")} }`;
  });
  return blocks.join(" and ");
}

/** How many keys change. */
export const countOfChanges = (changes: Changes): number =>
  Object.values(changes).reduce((count, keys) => count + Object.keys(keys).length, 0);
