import { engineOf } from "../engine/engine.js";
import { type Host, HostError } from "../host/host.js";
import { type FoundFile, findDataFiles } from "./data-files.js";

/** What a data set of the Hugging Face hub begins with: `hub:OWNER/NAME:SPLIT@REVISION`. */
const PREFIX = "hub:";

/**
 * Files with the rows of those data sets of the hub that are among `patterns`; each is loaded once and kept in the cache.
 *
 * @throws EngineError where one cannot be had
 */
export async function hubFiles(
  host: Host,
  folder: string,
  patterns: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const reference of patterns.filter((pattern) => pattern.startsWith(PREFIX))) {
    const fields = { reference, cache: host.cacheFolder ?? null };
    const answer = await engineOf(host, folder).request("materialise", fields);
    files.set(reference, (answer as { readonly path: string }).path);
  }
  return files;
}

/**
 * Data files that patterns name, those of the hub too.
 *
 * @throws HostError where one names none
 */
export async function namedFiles(
  host: Host,
  folder: string,
  patterns: readonly string[],
  ordered: boolean,
): Promise<readonly FoundFile[]> {
  const onMissing = (n: number, error: HostError | undefined) => {
    throw error ?? new HostError(patterns[n] ?? "", "no data file there");
  };
  const hub = await hubFiles(host, folder, patterns);
  return findDataFiles(host, folder, patterns, ordered, onMissing, hub);
}
