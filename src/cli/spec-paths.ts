import { relative, resolve } from "pathe";
import { walk } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";

/** Every form of a spec. */
export const SPECS = /\.skrull(\.ya?ml|\.json)?$/;
/** Those in the language itself. */
export const SKRULL_SPECS = /\.skrull$/;
/** Folders whose specs are copies or someone else's; large ones, too. */
const SKIPPED = /^(node_modules$|\.)/;

/** Files that the paths name, each once, relative to the working folder; of a folder all that are `wanted`. @throws HostError */
export function specFiles(host: Host, paths: readonly string[], wanted = SPECS): readonly string[] {
  const files = paths.flatMap((path) => filesAt(host, path, wanted));
  return [
    ...new Set(
      files.map((file) => relative(host.workingFolder, resolve(host.workingFolder, file))),
    ),
  ];
}

function filesAt(host: Host, path: string, wanted: RegExp): readonly string[] {
  const absolute = resolve(host.workingFolder, path);
  const kind = host.status(absolute)?.kind;
  if (kind === undefined) throw new HostError(path, "no such file or folder");
  if (kind !== "folder") return [path];
  const prefix = path.replace(/\/+$/, "");
  const enters = (name: string) => !SKIPPED.test(name);
  const found = [...walk(host, absolute, { enters })].filter((file) => wanted.test(file));
  if (found.length === 0) throw new HostError(path, "no .skrull file in this folder");
  return found.map((file) => (prefix === "" ? file : `${prefix}/${file}`));
}
