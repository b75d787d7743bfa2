import { join } from "pathe";
import { type Host, HostError } from "../host/host.js";

const SPEC = /\.skrull(\.ya?ml|\.json)?$/;
/** Folders of other people's files, and of what tools wrote. */
const SKIPPED = /^(\.|node_modules$)/;
/** Of a project; whoever has more gets references in the first ones. */
const MOST_SPECS = 2000;
const DEEPEST = 12;

/** Absolute paths of the specs below a folder, sorted folder by folder. */
export function* specFiles(
  host: Host,
  folder: string,
  depth = 0,
  found = { count: 0 },
): Generator<string> {
  if (depth > DEEPEST) return;
  for (const name of namesIn(host, folder)) {
    if (found.count >= MOST_SPECS) return;
    const path = join(folder, name);
    if (SPEC.test(name) && host.status(path)?.kind === "file") {
      found.count += 1;
      yield path;
    } else if (!SKIPPED.test(name) && host.status(path)?.kind === "folder") {
      yield* specFiles(host, path, depth + 1, found);
    }
  }
}

function namesIn(host: Host, folder: string): readonly string[] {
  try {
    return host.list(folder);
  } catch (error) {
    if (error instanceof HostError) return [];
    throw error;
  }
}
