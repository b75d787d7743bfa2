import { dirname, join } from "pathe";
import { readText } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";

/** The name of a folder's configuration. */
export const CONFIGURATION_NAME = "skrull.config.yaml";

/** The folder that imports stay inside, and whose configurations hold. */
export interface ProjectFolder {
  /** Absolute. */
  readonly folder: string;
  /** Why it is this one, to go on from its name. */
  readonly because: string;
  /** Folders from it down to the one that was asked for, absolute. */
  readonly below: readonly string[];
}

/**
 * The project that a folder belongs to. Going up, it ends at a configuration that says `root: true`, or at the top of
 * a repository; without either, it is the folder of the outermost configuration, or else the folder itself.
 */
export function projectFolder(host: Host, own: string): ProjectFolder {
  const above: string[] = [];
  let outermost: string | undefined;
  for (let folder = own; ; folder = dirname(folder)) {
    above.unshift(folder);
    const configured = hasConfiguration(host, folder);
    if (configured) outermost = folder;
    if (configured && isMarkedRoot(host, folder))
      return { folder, because: `whose ${CONFIGURATION_NAME} says root: true`, below: above };
    if (host.status(join(folder, ".git")))
      return { folder, because: "which has the repository's .git", below: above };
    if (dirname(folder) === folder) break;
  }
  return outermost === undefined
    ? {
        folder: own,
        because: `the spec's own, as no folder above it has a ${CONFIGURATION_NAME} or .git`,
        below: [own],
      }
    : {
        folder: outermost,
        because: `the outermost with a ${CONFIGURATION_NAME}`,
        below: above.slice(above.indexOf(outermost)),
      };
}

const hasConfiguration = (host: Host, folder: string): boolean =>
  host.status(join(folder, CONFIGURATION_NAME))?.kind === "file";

function isMarkedRoot(host: Host, folder: string): boolean {
  try {
    return marksRoot(readText(host, join(folder, CONFIGURATION_NAME)));
  } catch (error) {
    // Whoever reads it for its settings says so.
    if (error instanceof HostError) return false;
    throw error;
  }
}

/**
 * Whether a configuration's text has the line `root: true`. Imports are found without a reader of YAML, so it has one
 * spelling, and the reader of configurations refuses others.
 */
export const marksRoot = (text: string): boolean =>
  /^\uFEFF?root:[ \t]+true[ \t]*(?:#.*)?\r?$/m.test(text);
