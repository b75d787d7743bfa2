import { minimatch } from "minimatch";
import { join } from "pathe";
import { decodeUtf8 } from "../foundation/encoding.js";
import { type Host, HostError } from "./host.js";

/** Whole text of a file, decoded strictly. @throws HostError also where it is not UTF-8 */
export function readText(host: Host, path: string): string {
  const { text, problem } = decodeUtf8(host.readBytes(path));
  if (problem) throw new HostError(path, `is not UTF-8 text: ${problem.what}`);
  return text;
}

/** SHA-256 of a file's bytes, read in chunks. @throws HostError */
export async function sha256OfFile(host: Host, path: string): Promise<string> {
  const digest = host.sha256();
  for await (const chunk of host.stream(path)) digest.update(chunk);
  return digest.hex();
}

/** SHA-256 of a text or of bytes. */
export function sha256Of(host: Host, content: string | Uint8Array): string {
  const digest = host.sha256();
  digest.update(content);
  return digest.hex();
}

export interface WalkOptions {
  /** Put before every path. */
  readonly prefix?: string;
  /** Whether to look into a folder of this name; into all, without it. */
  readonly enters?: (name: string) => boolean;
  /** Links that lead nowhere count as files, so that reading them says why; else they are passed over. */
  readonly deadLinks?: boolean;
  /** Told of a folder that cannot be listed; without it, such a folder throws. */
  readonly onProblem?: (path: string, error: HostError) => void;
}

/** Deeper than any data that is meant; links between folders could else be followed for ever. */
const DEEPEST_FOLDER = 12;

/**
 * Files below `folder` as sorted paths relative to it. Links to folders count once per path, links back to a folder
 * they lie in not at all.
 *
 * @throws HostError
 */
export function walk(host: Host, folder: string, options: WalkOptions = {}): Generator<string> {
  return walkBelow(host, { folder, prefix: options.prefix ?? "", above: [] }, options);
}

interface Visit {
  readonly folder: string;
  readonly prefix: string;
  /** Real paths of the folders that this one lies in. */
  readonly above: readonly string[];
}

function* walkBelow(host: Host, visit: Visit, options: WalkOptions): Generator<string> {
  const { folder, prefix, above } = visit;
  const real = host.realPath(folder);
  if (above.includes(real) || above.length > DEEPEST_FOLDER) return;
  for (const name of namesIn(host, visit, options)) {
    const path = join(folder, name);
    const kind = host.status(path)?.kind;
    if (kind === "file" || (kind === undefined && options.deadLinks)) yield prefix + name;
    if (kind !== "folder" || options.enters?.(name) === false) continue;
    const below = { folder: path, prefix: `${prefix}${name}/`, above: [...above, real] };
    yield* walkBelow(host, below, options);
  }
}

function namesIn(
  host: Host,
  { folder, prefix }: Visit,
  { onProblem }: WalkOptions,
): readonly string[] {
  try {
    return host.list(folder);
  } catch (error) {
    if (!onProblem || !(error instanceof HostError)) throw error;
    onProblem(prefix, error);
    return [];
  }
}

/** Whether a path of the spec is a glob pattern. */
export function isGlob(pattern: string): boolean {
  return /[*?[\]{}]/.test(pattern);
}

/**
 * Files that `pattern` names, relative to `root` and sorted. A pattern without wildcards names itself,
 * whether or not it exists.
 */
export function expandGlob(host: Host, root: string, pattern: string): readonly string[] {
  if (!isGlob(pattern)) return [pattern];
  const parts = pattern.split("/");
  const literal = parts.slice(0, parts.findIndex(isGlob));
  const base = join(root, ...literal);
  if (host.status(base)?.kind !== "folder") return [];
  const prefix = literal.length === 0 ? "" : `${literal.join("/")}/`;
  const files = [...walk(host, base, { prefix })];
  return files
    .filter((file) => minimatch(file, pattern, { nocomment: true, nonegate: true }))
    .sort();
}
