import { join, resolve } from "pathe";
import { expandGlob, isGlob, walk } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import type { DataFile } from "../lengths/measure.js";

export interface FoundFile extends DataFile {
  /** Number of the pattern that found it. */
  readonly pattern: number;
}

/** Endings of files that rows are read from; the engine looks at the content. */
const DATA_FILE =
  /\.(jsonl|ndjson|json|parquet|arrow|csv|tsv)$|\.(jsonl|ndjson|json|csv|tsv)\.(gz|zst)$/i;

/** What lies beside data and is none. */
const BESIDE = ["dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"];

/** What says that a folder was written by `save_to_disk` of `datasets`: it is one data set. */
const SAVED = ["state.json", "dataset_dict.json"];

/**
 * Data files by name that patterns find in a folder; the first pattern that finds a file has it.
 *
 * @param ordered whether files stay pattern by pattern
 * @param onMissing told of a pattern that finds nothing, and of a file that is not there
 * @param elsewhere patterns that stand for one file, and where it is
 * @throws HostError where a folder cannot be read
 */
export function findDataFiles(
  host: Host,
  folder: string,
  patterns: readonly string[],
  ordered: boolean,
  onMissing: (pattern: number, error: HostError | undefined) => void,
  elsewhere: ReadonlyMap<string, string> = new Map(),
): readonly FoundFile[] {
  const names = new Map<string, number>();
  for (const [n, pattern] of patterns.entries()) {
    try {
      const found = elsewhere.has(pattern) ? [pattern] : namesOf(host, folder, pattern);
      if (found.length === 0) onMissing(n, undefined);
      for (const name of found) if (!names.has(name)) names.set(name, n);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      onMissing(n, error);
    }
  }
  return [...names]
    .map(([name, pattern]) => ({
      name,
      path: elsewhere.get(name) ?? resolve(folder, name),
      pattern,
    }))
    .sort((a, b) => (ordered ? a.pattern - b.pattern : 0) || (a.name < b.name ? -1 : 1));
}

function namesOf(host: Host, folder: string, pattern: string): readonly string[] {
  return expandGlob(host, folder, pattern).flatMap((name) => {
    const kind = host.status(resolve(folder, name))?.kind;
    if (kind === "folder") return inFolder(host, folder, name);
    if (kind === "file") return [name];
    if (isGlob(pattern)) return [];
    throw new HostError(name, "no such file");
  });
}

/** A folder stands for the data files in it, or is one data set. */
function inFolder(host: Host, folder: string, name: string): readonly string[] {
  const inside = host.list(resolve(folder, name));
  if (SAVED.some((file) => inside.includes(file))) return [name];
  const below = walk(host, resolve(folder, name), { enters: (part) => !part.startsWith(".") });
  return [...below]
    .filter((file) => DATA_FILE.test(file) && !BESIDE.includes(file.split("/").at(-1) ?? ""))
    .map((file) => join(name, file));
}
