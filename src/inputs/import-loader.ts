import { dirname, join, resolve } from "pathe";
import { readText } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import type { Loader } from "../semantics/imports.js";

/** What marks the top folder of a project: imports stay inside it. */
const ROOT_MARKS: readonly string[] = ["skrull.config.yaml", ".git"];

/** Nearest folder above a spec, or its own, with a mark of a project's top; its own where there is none. */
export function projectRoot(host: Host, folder: string): string {
  for (let above = folder; ; above = dirname(above)) {
    if (ROOT_MARKS.some((mark) => host.status(join(above, mark)))) return above;
    if (dirname(above) === above) return folder;
  }
}

/**
 * Reads what the specs in `folder` import: files inside the project, also after links are followed.
 *
 * @param openText text of a file that is open in an editor; it comes before what is saved, if anything is
 */
export function importLoader(
  host: Host,
  folder: string,
  openText: (path: string) => string | undefined = () => undefined,
): Loader {
  let root: string | undefined;
  return (path) => {
    root ??= projectRoot(host, folder);
    const absolute = resolve(host.workingFolder, path);
    const outside = { problem: "it lies outside the project's folder" };
    if (!isWithin(root, absolute)) return outside;
    const open = openText(absolute);
    try {
      const real = host.realPath(absolute);
      if (!isWithin(host.realPath(root), real)) return outside;
      return { text: open ?? readText(host, real) };
    } catch (error) {
      if (error instanceof HostError)
        return open === undefined ? { problem: error.reason } : { text: open };
      throw error;
    }
  };
}

const isWithin = (folder: string, path: string): boolean =>
  path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
