import { minimatch } from "minimatch";
import { join } from "pathe";
import { type Host, HostError } from "./host.js";

/** Whole text of a file, decoded strictly. @throws HostError also where it is not UTF-8 */
export function readText(host: Host, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(host.readBytes(path));
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw new HostError(path, "is not UTF-8 text");
  }
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
  /** Whether to look into a folder of this name. */
  readonly enters?: (name: string) => boolean;
}

/** Files below `folder` as sorted paths relative to it; links to folders count once per path. */
export function* walk(
  host: Host,
  folder: string,
  { prefix = "", enters = () => true }: WalkOptions = {},
  depth = 0,
): Generator<string> {
  if (depth > 12) return; // a loop of symbolic links, or data nested beyond reason
  for (const name of host.list(folder)) {
    const path = join(folder, name);
    const kind = host.status(path)?.kind;
    if (kind === "file") yield prefix + name;
    if (kind === "folder" && enters(name))
      yield* walk(host, path, { prefix: `${prefix}${name}/`, enters }, depth + 1);
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
