import { relative, resolve } from "pathe";
import { walk } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";

const SPEC_ENDING = ".skrull";
/** Folders whose specs are copies or someone else's. */
const SKIPPED = /(^|\/)(node_modules|\.[^/]+)\//;

/** Files that the paths name, each once, relative to the working folder; of a folder all specs in it. @throws HostError */
export function specFiles(host: Host, paths: readonly string[]): readonly string[] {
  const files = paths.flatMap((path) => filesAt(host, path));
  return [
    ...new Set(
      files.map((file) => relative(host.workingFolder, resolve(host.workingFolder, file))),
    ),
  ];
}

function filesAt(host: Host, path: string): readonly string[] {
  const absolute = resolve(host.workingFolder, path);
  const kind = host.status(absolute)?.kind;
  if (kind === undefined) throw new HostError(path, "no such file or folder");
  if (kind !== "folder") return [path];
  const prefix = path.replace(/\/+$/, "");
  const found = [...walk(host, absolute)].filter(
    (file) => file.endsWith(SPEC_ENDING) && !SKIPPED.test(`/${file}`),
  );
  if (found.length === 0) throw new HostError(path, `no ${SPEC_ENDING} file in this folder`);
  return found.map((file) => (prefix === "" ? file : `${prefix}/${file}`));
}
