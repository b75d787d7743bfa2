import { VERSIONS } from "../foundation/versions.generated.js";

/** Versions of DeepSpeed that runs were tried with. */
export const { oldest: OLDEST, newest: NEWEST } = VERSIONS.packages.deepspeed;
/** The first in which adapters, ZeRO 3 and recomputation go together. */
export const ADAPTERS_RECOMPUTED = since("adapters-recomputed");
/** The first that trains with Muon under every stage. */
export const MUON = since("muon");
/** Why no older version will do. */
export const THREADS = "DeepSpeed#7981, #7985, #7965, #7724";

/** The first version with a feature of the contract. */
function since(feature: (typeof VERSIONS.features)[number]["id"]): string {
  return VERSIONS.features.find(({ id }) => id === feature)?.since ?? NEWEST;
}

/** Below 0 where `a` is the older of two versions; what follows their numbers does not count. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  for (let n = 0; n < Math.max(left.length, right.length); n += 1) {
    const difference = (left[n] ?? 0) - (right[n] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const numbersOf = (version: string): readonly number[] =>
  (/^\d+(\.\d+)*/.exec(version)?.[0] ?? "").split(".").map(Number);
