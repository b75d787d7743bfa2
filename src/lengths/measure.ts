import { sha256OfFile } from "../host/files.js";
import type { Host } from "../host/host.js";
import { cachePath, readCache, writeCache } from "./cache.js";
import type { Sightings } from "./known.js";
import type { LoadedTokenizer } from "./load-tokenizer.js";
import { measureFile } from "./measure-file.js";
import type { CountSettings, FileMeasurement } from "./measurement.js";

export interface DataFile {
  /** As users know it: relative to the spec, or as given on the command line. */
  readonly name: string;
  readonly path: string;
}

export type Progress = (file: DataFile, bytes: number, total: number) => void;

/**
 * Token counts of data files, from the cache where these very bytes were counted before.
 *
 * @param sightings told what the counts were made from
 * @throws HostError where a file cannot be read
 */
export async function measureFiles(
  host: Host,
  files: readonly DataFile[],
  loaded: LoadedTokenizer,
  settings: CountSettings,
  progress?: Progress,
  sightings?: Sightings,
): Promise<readonly FileMeasurement[]> {
  const measurements: FileMeasurement[] = [];
  for (const file of files) {
    const measurement = await measureOne(host, file, loaded, settings, progress);
    const cache = cachePath(host, measurement.sha256, loaded.sha256, settings);
    if (cache) sightings?.note(file.path, measurement.sha256, cache);
    measurements.push(measurement);
  }
  return measurements;
}

async function measureOne(
  host: Host,
  file: DataFile,
  loaded: LoadedTokenizer,
  settings: CountSettings,
  progress?: Progress,
): Promise<FileMeasurement> {
  const sha256 = await sha256OfFile(host, file.path);
  const cache = cachePath(host, sha256, loaded.sha256, settings);
  const known = cache && readCache(host, cache, sha256);
  if (known) return known;
  const total = host.status(file.path)?.bytes ?? 0;
  const measurement = await measureFile(host.stream(file.path), {
    tokenizer: loaded.tokenizer,
    settings,
    digest: host.sha256(),
    progress: (bytes) => progress?.(file, bytes, total),
  });
  if (cache) writeCache(host, cache, measurement);
  return measurement;
}
