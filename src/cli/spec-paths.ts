import { relative, resolve } from "pathe";
import { walk } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";

/** Every form of a spec. */
export const SPECS = /\.skrull(\.ya?ml|\.json)?$/;
/** Those in the language itself. */
export const SKRULL_SPECS = /\.skrull$/;
/** Folders whose specs are copies or someone else's; large ones, too. */
const SKIPPED = /^(node_modules$|\.)/;

export interface SpecPaths {
  /** In the order given, each once; a folder's sorted. */
  readonly files: readonly string[];
  /** Folders that could not be looked into. */
  readonly problems: readonly HostError[];
}

/** Files that the paths name, relative to the working folder; of a folder all that are `wanted`. @throws HostError */
export function specFiles(host: Host, paths: readonly string[], wanted = SPECS): readonly string[] {
  const { files, problems } = findSpecs(host, paths, wanted);
  if (problems[0]) throw problems[0];
  return files;
}

/** As {@link specFiles}, for those who go on with what there is. @throws HostError */
export function findSpecs(host: Host, paths: readonly string[], wanted = SPECS): SpecPaths {
  const problems: HostError[] = [];
  const onProblem = (error: HostError) => void problems.push(error);
  const found = paths.flatMap((path) => filesAt(host, path, wanted, onProblem));
  const files = found.map((file) =>
    relative(host.workingFolder, resolve(host.workingFolder, file)),
  );
  return { files: [...new Set(files)], problems };
}

function filesAt(
  host: Host,
  path: string,
  wanted: RegExp,
  onProblem: (error: HostError) => void,
): readonly string[] {
  const absolute = resolve(host.workingFolder, path);
  // What cannot be looked at is reported with its reason when it is read.
  if (host.status(absolute)?.kind !== "folder") return [path];
  let problems = 0;
  const found = walk(host, absolute, {
    prefix: path === "" ? "" : path.replace(/\/*$/, "/"),
    enters: (name) => !SKIPPED.test(name),
    deadLinks: true,
    onProblem: (folder, { reason }) => {
      problems += 1;
      onProblem(new HostError(folder, reason));
    },
  });
  const specs = [...found].filter((file) => wanted.test(file));
  if (specs.length === 0 && problems === 0)
    throw new HostError(path, "no .skrull file in this folder");
  return specs;
}
