import { resolve } from "pathe";
import { walk } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";

const SPEC_ENDING = /\.skrull(\.ya?ml|\.json)?$/;
/** Folders whose specs are copies or someone else's. */
const SKIPPED = /^(node_modules|\..+)$/;

export interface SpecPaths {
  /** In the order given; a folder's sorted. */
  readonly files: readonly string[];
  /** Folders that could not be looked into. */
  readonly problems: readonly HostError[];
}

/** The specs that paths on the command line name: files as they are, of folders all specs. @throws HostError */
export function findSpecs(host: Host, paths: readonly string[]): SpecPaths {
  const problems: HostError[] = [];
  const files = paths.flatMap((path) => specsAt(host, path, problems));
  const byPlace = new Map<string, string>();
  for (const file of files) {
    const place = resolve(host.workingFolder, file);
    if (!byPlace.has(place)) byPlace.set(place, file);
  }
  return { files: [...byPlace.values()], problems };
}

function specsAt(host: Host, path: string, problems: HostError[]): readonly string[] {
  const absolute = resolve(host.workingFolder, path);
  // What cannot be looked at is reported with its reason when it is read.
  if (host.status(absolute)?.kind !== "folder") return [path];
  const base = path === "" ? "" : path.replace(/\/*$/, "/");
  const before = problems.length;
  const found = walk(host, absolute, {
    prefix: base,
    enters: (name) => !SKIPPED.test(name),
    deadLinks: true,
    onProblem: (folder, { reason }) => problems.push(new HostError(folder, reason)),
  });
  const specs = [...found].filter((file) => SPEC_ENDING.test(file));
  if (specs.length === 0 && problems.length === before)
    throw new HostError(path, "no .skrull file in this folder");
  return specs;
}
