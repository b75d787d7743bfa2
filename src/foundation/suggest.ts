/** Pairs of characters that are compared for one name: a file may declare thousands of long names, and misspell each. */
const MOST_COMPARED = 100_000;

const SHORTEST_BEGINNING = 3;

/** The known name that a misspelt one most likely meant, if any is near enough. */
export function didYouMean(name: string, known: readonly string[]): string | undefined {
  if (name.length > 64) return undefined;
  const limit = Math.max(1, Math.floor(name.length / 3));
  let best: { name: string; distance: number } | undefined;
  let compared = 0;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) > limit) continue;
    compared += candidate.length * name.length;
    if (compared > MOST_COMPARED) break;
    if (!sameNumbers(name, candidate)) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance <= limit && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) {
      best = { name: candidate, distance };
    }
  }
  return best?.name ?? onlyOneThatBegins(name, known);
}

/** Numbers tell sizes and versions apart: neither `len32` nor `len` is a slip of the finger for `len64`. */
function sameNumbers(name: string, candidate: string): boolean {
  const [written, known] = [name, candidate].map((one) => one.match(/\d+/g)?.join(" "));
  return known === undefined || written === known;
}

/** What a name was shortened from: `h100` of `h100_sxm_80gb`, or `plan` of `planned`. */
function onlyOneThatBegins(name: string, known: readonly string[]): string | undefined {
  if (name.length < SHORTEST_BEGINNING) return undefined;
  const longer = known.filter((one) => goesOn(name, one));
  const whole = longer.filter((one) => /^[_-]/.test(one.slice(name.length)));
  const [only, ...others] = whole.length > 0 ? whole : longer;
  return others.length === 0 ? only : undefined;
}

/** Whether a name is the beginning of a longer one, and no number is cut off or left out: that tells versions apart. */
function goesOn(name: string, longer: string): boolean {
  if (!withoutSigns(longer).startsWith(withoutSigns(name))) return false;
  const letters = withoutSigns(name).length;
  let end = 0;
  for (let seen = 0; seen < letters; end += 1) if (!/[_-]/.test(longer.charAt(end))) seen += 1;
  return !/^\d/.test(longer.slice(end));
}

/** `rtx_4090` and `RTX4090` alike. */
const withoutSigns = (name: string): string => name.toLowerCase().replace(/[_-]/g, "");

/** Insertions, deletions, substitutions and swaps of neighbours: optimal string alignment. */
export function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitute = (last[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (beforeLast[j - 2] as number) + 1 : substitute;
      row.push(Math.min(substitute, swap, (last[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] as number;
}
