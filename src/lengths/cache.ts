import { join } from "pathe";
import { readText, sha256Of } from "../host/files.js";
import type { Host } from "../host/host.js";
import type { CountSettings, FileMeasurement } from "./measurement.js";

/** Counts made by another version of the counting code are not reused. */
export const COUNTING_VERSION = 3;

/** Where the counts of these bytes under this tokenizer are kept; `undefined` with caching off. */
export function cachePath(
  host: Host,
  dataSha256: string,
  tokenizerSha256: string,
  settings: CountSettings,
): string | undefined {
  if (host.cacheFolder === undefined) return undefined;
  const { rendering, supervision, truncateTo } = settings;
  const key = JSON.stringify([
    COUNTING_VERSION,
    dataSha256,
    tokenizerSha256,
    rendering,
    supervision,
    truncateTo,
  ]);
  return join(host.cacheFolder, "lengths", `${sha256Of(host, key)}.json`);
}

/** A cached measurement of exactly this data; anything unreadable counts as absent. */
export function readCache(
  host: Host,
  path: string,
  dataSha256: string,
): FileMeasurement | undefined {
  try {
    const { check, measurement } = JSON.parse(readText(host, path)) as CacheEntry;
    if (check !== sha256Of(host, JSON.stringify(measurement))) return undefined;
    return measurement.sha256 === dataSha256 ? measurement : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a measurement; a cache that cannot be written is not worth stopping for. */
export function writeCache(host: Host, path: string, measurement: FileMeasurement): void {
  const check = sha256Of(host, JSON.stringify(measurement));
  try {
    host.writeFile(path, JSON.stringify({ check, measurement } satisfies CacheEntry));
  } catch {
    // The next run measures again.
  }
}

interface CacheEntry {
  readonly check: string;
  readonly measurement: FileMeasurement;
}
