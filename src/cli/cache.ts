import { join } from "pathe";
import { countOf, formatBytes } from "../foundation/format.js";
import { jsonText } from "../foundation/json.js";
import { printable } from "../foundation/printable.js";
import { walk } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { tableLines } from "./table.js";
import type { Terminal } from "./terminal.js";

export interface CacheOptions {
  readonly clear: boolean;
  readonly format: "pretty" | "json";
}

/** Folders of the cache, and what is in them. Nothing else in the folder is ever removed. */
const PARTS = {
  tokens: "tokens of samples",
  measurements: "samples of data files",
  files: "facts about data files",
  sightings: "what counts were made of",
  hub: "data sets from the hub",
  lengths: "counts of an earlier version",
} as const;

/** `skrull cache`: how much is kept, or nothing more of it. @throws HostError */
export function cacheCommand(host: Host, terminal: Terminal, options: CacheOptions): ExitCode {
  const folder = host.cacheFolder;
  if (folder === undefined) throw new HostError("SKRULL_CACHE", "is empty, so nothing is cached");
  const parts = Object.entries(PARTS).map(([name, holds]) => {
    const files = filesIn(host, join(folder, name));
    if (options.clear) for (const { path } of files) host.remove(path);
    return { name, holds, files: files.length, bytes: files.reduce((sum, f) => sum + f.bytes, 0) };
  });
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (options.format === "json") {
    terminal.out(jsonText({ format_version: 1, folder, bytes, cleared: options.clear, parts }));
    return EXIT.clean;
  }
  const rows = parts
    .filter(({ files }) => files > 0)
    .map(({ holds, files, bytes }) => [holds, countOf(files, "file"), formatBytes(bytes)]);
  const done = options.clear ? "removed from" : "in";
  const total = `${formatBytes(bytes)} ${done} ${printable(folder)}`;
  terminal.out(`${[...tableLines(rows, ""), total].join("\n")}\n`);
  return EXIT.clean;
}

function filesIn(host: Host, folder: string) {
  if (host.status(folder)?.kind !== "folder") return [];
  return [...walk(host, folder)].map((name) => {
    const path = join(folder, name);
    return { path, bytes: host.status(path)?.bytes ?? 0 };
  });
}
