import { didYouMean } from "../foundation/suggest.js";
import type { Dimension } from "./types.js";
import { UNITS } from "./units.js";

/** Shorter ones are units of another kind as likely. */
const SHORTEST_MISSPELT = 4;

type Spellings = Readonly<Record<string, readonly string[]>>;

/** `gb: ["GB"]`, once for each scale of bytes. */
const perScale = (spellings: (small: string, large: string) => Spellings): Spellings =>
  Object.assign({}, ...["k", "m", "g", "t"].map((scale) => spellings(scale, scale.toUpperCase())));

/** In small letters: of memory and time, as of tokens, case tells nothing. */
const WORDS: Readonly<Record<Exclude<Dimension, "bandwidth">, Spellings>> = {
  tokens: {
    ...{ k: ["K"], kb: ["K"], ki: ["K"], kib: ["K"], m: ["M"], mi: ["M"], mb: ["M"], mib: ["M"] },
    ...{ "k tokens": ["K"], "k token": ["K"], "m tokens": ["M"], "m token": ["M"] },
    ...{ tok: ["tokens"], toks: ["tokens"], token: ["tokens"], tokens: ["tokens"] },
  },
  bytes: {
    ...{ b: ["B"], byte: ["B"], bytes: ["B"] },
    ...perScale((scale, large) => ({
      // Whoever leaves the rest out may mean either.
      [scale]: [`${large}B`, `${large}iB`],
      [`${scale}b`]: [`${large}B`],
      [`${scale}bs`]: [`${large}B`],
      [`${scale}byte`]: [`${large}B`],
      [`${scale}bytes`]: [`${large}B`],
      [`${scale}i`]: [`${large}iB`],
      [`${scale}ib`]: [`${large}iB`],
      [`${scale}ibs`]: [`${large}iB`],
    })),
    ...{ kilobytes: ["KB"], megabytes: ["MB"], gigabytes: ["GB"], terabytes: ["TB"] },
    ...{ kibibytes: ["KiB"], mebibytes: ["MiB"], gibibytes: ["GiB"], tebibytes: ["TiB"] },
  },
  compute: Object.assign(
    {},
    ...["g", "t", "p"].map((scale) => {
      const unit = [`${scale.toUpperCase()}FLOP/s`];
      const words = ["flop", "flops", "flop/s", "flops/s"];
      return Object.fromEntries(words.map((word) => [scale + word, unit]));
    }),
  ),
  time: {
    ...{ msec: ["ms"], msecs: ["ms"], millis: ["ms"], ms: ["ms"] },
    ...{ millisecond: ["ms"], milliseconds: ["ms"] },
    ...{ s: ["s"], sec: ["s"], secs: ["s"], second: ["s"], seconds: ["s"] },
    ...{ m: ["min"], min: ["min"], mins: ["min"], minute: ["min"], minutes: ["min"] },
    ...{ h: ["h"], hr: ["h"], hrs: ["h"], hour: ["h"], hours: ["h"] },
  },
};

/** A scale, `B` for bytes or `b` for bits, and the second: `Gbps`, `GB/s`, `Mbit`. */
const BANDWIDTH = /^([kmgt]?)(b|bits?|bytes?)(ps|\/?s|\/)?$/i;

function bandwidths(spelling: string): readonly string[] {
  const [, scale = "", unit = "", per = ""] = BANDWIDTH.exec(spelling) ?? [];
  if (unit === "") return [];
  const bits = `${scale.toUpperCase()}bit/s`;
  const bytes = `${scale.toUpperCase()}B/s`;
  // `gb/s` and `GBPS` are written for both; `gbps` is bits.
  if (unit === "b" && spelling === spelling.toLowerCase() && per !== "ps") return [bits, bytes];
  if (unit === "B" && per === "PS") return [bits, bytes];
  return [/^(?:B|byte)/.test(unit) ? bytes : bits];
}

/** Among the units of its scale; a letter too few or too many in a bandwidth may tell bits from bytes. */
function misspelt(spelling: string, dimension: Dimension): readonly string[] {
  const scale = spelling.charAt(0).toLowerCase();
  const alike = Object.keys(UNITS[dimension]).filter((unit) =>
    unit.toLowerCase().startsWith(scale),
  );
  const near = spelling.length < SHORTEST_MISSPELT ? undefined : didYouMean(spelling, alike);
  return near === undefined ? [] : [near];
}

/**
 * The units of a dimension that a spelling of others may mean. Never one of another magnitude: a value that is eight
 * or a thousand times too large would pass unnoticed.
 */
export function unitsMeant(spelling: string, dimension: Dimension): readonly string[] {
  const words = dimension === "bandwidth" ? undefined : WORDS[dimension];
  const small = spelling.toLowerCase().replace(/\s+/g, " ");
  const found = words && Object.hasOwn(words, small) ? words[small] : undefined;
  const meant = words ? (found ?? misspelt(spelling, dimension)) : bandwidths(spelling);
  return meant.filter((unit) => Object.hasOwn(UNITS[dimension], unit));
}
