import { relative, resolve } from "pathe";
import { once } from "../foundation/once.js";
import { readText } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import type { Loader } from "../semantics/imports.js";
import { projectFolder } from "./project-folder.js";

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
  const project = once(() => projectFolder(host, folder));
  return (path) => {
    const { folder: root, because } = project();
    const absolute = resolve(host.workingFolder, path);
    const shown = relative(host.workingFolder, root) || ".";
    const outside = { problem: `it lies outside the project's folder '${shown}', ${because}` };
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
