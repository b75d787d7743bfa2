import { join, normalize } from "pathe";
import type { EmittedFile } from "../emit/emitted-file.js";
import { jsonText } from "../foundation/json.js";
import { readText, sha256Of } from "../host/files.js";
import type { Host } from "../host/host.js";
import { MANIFEST_NAME, type Manifest, parseManifest } from "./manifest.js";

export interface RunFolder {
  readonly folder: string;
  readonly files: readonly EmittedFile[];
  readonly skrullVersion: string;
  /** Path relative to the spec's folder to SHA-256. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** How a file on disk differs from what would be emitted. */
export interface Difference {
  readonly path: string;
  readonly kind: "missing" | "changed" | "left over";
}

/** The manifest that goes with emitted files. */
export function manifestFor(host: Host, run: RunFolder): Manifest {
  const outputs = run.files.map((file) => [file.path, sha256Of(host, file.content)] as const);
  return {
    format_version: 1,
    skrull_version: run.skrullVersion,
    inputs: run.inputs,
    outputs: Object.fromEntries(outputs),
  };
}

/**
 * Files on disk that are not what an earlier compilation wrote, and that writing would change:
 * someone's own work.
 */
export function editedFiles(host: Host, run: RunFolder): readonly string[] {
  const written = readManifest(host, run.folder)?.outputs ?? {};
  return run.files
    .filter((file) => {
      const now = hashOnDisk(host, join(run.folder, file.path));
      if (now === undefined || now === sha256Of(host, file.content)) return false;
      return now !== ownEntry(written, file.path);
    })
    .map((file) => file.path);
}

/** What differs between the folder and what would be emitted; empty when it is current. */
export function differences(host: Host, run: RunFolder): readonly Difference[] {
  const manifest = { path: MANIFEST_NAME, content: jsonText(manifestFor(host, run)) };
  const found: Difference[] = [];
  for (const file of [...run.files, manifest]) {
    const now = hashOnDisk(host, join(run.folder, file.path));
    if (now === undefined) found.push({ path: file.path, kind: "missing" });
    else if (now !== sha256Of(host, file.content)) found.push({ path: file.path, kind: "changed" });
  }
  return [...found, ...leftOver(host, run).map((path) => ({ path, kind: "left over" as const }))];
}

/**
 * Writes a run's folder and, last, its manifest; removes what an earlier compilation wrote and this one does
 * not, unless it was edited since. Every file is written whole or not at all.
 *
 * @throws HostError
 */
export function writeRun(host: Host, run: RunFolder): void {
  const stale = leftOver(host, run);
  for (const { path, content, executable = false } of run.files) {
    host.writeFile(join(run.folder, path), content, { executable });
  }
  for (const path of stale) host.remove(join(run.folder, path));
  host.writeFile(join(run.folder, MANIFEST_NAME), jsonText(manifestFor(host, run)));
}

function leftOver(host: Host, run: RunFolder): readonly string[] {
  const written = readManifest(host, run.folder)?.outputs ?? {};
  const current = new Set(run.files.map((file) => file.path));
  return Object.entries(written)
    .filter(([path, hash]) => {
      if (current.has(path) || !staysInside(path)) return false;
      return hashOnDisk(host, join(run.folder, path)) === hash;
    })
    .map(([path]) => path);
}

/** A manifest is a file anyone may have written: it must not make us remove files elsewhere. */
function staysInside(path: string): boolean {
  const plain = normalize(path);
  return (
    plain === path && !plain.startsWith("/") && !plain.startsWith("..") && !/^[A-Za-z]:/.test(plain)
  );
}

function readManifest(host: Host, folder: string): Manifest | undefined {
  const path = join(folder, MANIFEST_NAME);
  if (host.status(path)?.kind !== "file") return undefined;
  try {
    return parseManifest(readText(host, path));
  } catch {
    return undefined;
  }
}

function hashOnDisk(host: Host, path: string): string | undefined {
  return host.status(path)?.kind === "file" ? sha256Of(host, host.readBytes(path)) : undefined;
}

function ownEntry(map: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
