/** Of the points of a kind, this share is within the band. */
const COVERED = 0.8;
/** Fewer points say nothing about a kind: then all points do. */
const FEWEST = 5;
const WEIGHED = new Set(["good", "fair"]);

/** The error within which four fifths of the published points lie, by kind and of all; points at a limit left out. */
export function bandsOf(rows) {
  const trusted = rows.filter(({ trust }) => WEIGHED.has(trust));
  const kinds = [...new Set(trusted.map(({ kind }) => kind))].sort();
  const all = { time: bandOf(trusted, "time_ratio"), memory: bandOf(trusted, "memory_ratio") };
  const own = Object.fromEntries(
    kinds.map((kind) => {
      const of = trusted.filter((row) => row.kind === kind);
      return [
        kind,
        {
          time: bandOf(of, "time_ratio") ?? all.time,
          memory: bandOf(of, "memory_ratio") ?? all.memory,
        },
      ];
    }),
  );
  return { all, kinds: own };
}

/** Rounded up to whole percents; `undefined` of too few points. */
function bandOf(rows, key) {
  const errors = rows
    .filter((row) => row[key] !== null)
    .map((row) => Math.exp(Math.abs(Math.log(row[key]))) - 1)
    .sort((a, b) => a - b);
  if (errors.length < FEWEST) return undefined;
  const error = errors[Math.ceil(COVERED * errors.length) - 1];
  return { error: Math.ceil(100 * error) / 100, points: errors.length };
}

export const bandsText = (bands) => `// Written by \`npm run bench:truth -- --write\`. Do not edit.

/** The error within which four fifths of the published runs of a kind lie, and how many those are. */
export const BANDS = ${JSON.stringify(bands, undefined, 2).replaceAll(/"(\w+)":/g, "$1:")} as const;
`;
