import { join } from "pathe";
import { readText, sha256Of, sha256OfFile, walk } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import type { FileMeasurement, RenderingFacts } from "./measurement.js";
import { readMeasurement } from "./table.js";

/** Counts made by another version of the engine are not reused (`ENGINE_VERSION` of `skrull_runtime/data/tokenised/store.py`). */
export const ENGINE_VERSION = 1;

/** What a file was when it was last measured. */
interface Mark {
  readonly bytes: number;
  readonly modified: number;
  readonly inode: number;
  readonly sha256: string;
}

/** Kept beside the counts: what they were made from, so that they are found again without reading the data. */
interface Sighting {
  /** By absolute path: the data, and whatever else decides its counts. */
  readonly marks: Readonly<Record<string, Mark>>;
  /** Path of the table of samples. */
  readonly table: string;
  readonly facts: RenderingFacts;
}

/** Who asks for counts, in the words of a spec, and the absolute paths of files besides the data that decide them. */
export interface CountRequest {
  readonly key: string;
  readonly files: readonly string[];
}

export type Known =
  | {
      readonly state: "known";
      readonly measurement: FileMeasurement;
      readonly facts: RenderingFacts;
    }
  /** The data, or what it was counted with, is no longer what was measured. */
  | { readonly state: "changed" }
  | { readonly state: "unknown" };

const UNKNOWN: Known = { state: "unknown" };

/** The cached counts of a file if they are still of its content; reads nothing large unless times have changed. */
export async function knownMeasurement(
  host: Host,
  path: string,
  request: CountRequest,
): Promise<Known> {
  const place = sightingPath(host, path, request);
  const sighting = place && readSighting(host, place);
  if (!sighting) return UNKNOWN;
  const { marks, table, facts } = sighting;
  try {
    const files = [path, ...request.files];
    const same = await Promise.all(files.map((file) => isUnchanged(host, file, marks[file])));
    if (!same.every(Boolean)) return { state: "changed" };
    return { state: "known", measurement: readMeasurement(host, table), facts };
  } catch (error) {
    if (error instanceof HostError) return UNKNOWN;
    throw error;
  }
}

/** Writes down what counts were made from. To be made before the files are read: what changes meanwhile is not noted. */
export class Sightings {
  readonly #before: ReadonlyMap<string, Mark | undefined>;

  /** @param files with the data */
  constructor(
    private readonly host: Host,
    private readonly request: CountRequest,
    files: readonly string[],
  ) {
    const all = [...files, ...request.files];
    this.#before = new Map(all.map((file) => [file, markOf(host, file, "")]));
  }

  /** @param table where the counts are kept */
  note(path: string, dataSha256: string, table: string, facts: RenderingFacts): void {
    const place = sightingPath(this.host, path, this.request);
    if (place === undefined) return;
    try {
      const marks = this.#marks(path, dataSha256);
      if (!marks) return;
      const content = JSON.stringify({ marks, table, facts } satisfies Sighting);
      if (textAt(this.host, place) !== content) this.host.writeFile(place, content);
    } catch {
      // Lint then knows nothing of this file.
    }
  }

  /** `undefined` where a file is not what it was before. */
  #marks(path: string, dataSha256: string): Readonly<Record<string, Mark>> | undefined {
    const marks: Record<string, Mark> = {};
    for (const file of [path, ...this.request.files]) {
      const sha256 = file === path ? dataSha256 : sha256Of(this.host, this.host.readBytes(file));
      const now = markOf(this.host, file, sha256);
      const before = this.#before.get(file);
      if (!now || !before || JSON.stringify({ ...now, sha256: "" }) !== JSON.stringify(before))
        return undefined;
      marks[file] = now;
    }
    return marks;
  }
}

/** Of a folder that is one data set: the files in it, put together. */
function markOf(host: Host, path: string, sha256: string): Mark | undefined {
  const status = host.status(path);
  if (status?.kind !== "folder")
    return (
      status && { bytes: status.bytes, modified: status.modified, inode: status.inode, sha256 }
    );
  const parts = [...walk(host, path)].map((name) => host.status(join(path, name)));
  const bytes = parts.reduce((sum, part) => sum + (part?.bytes ?? 0), 0);
  const modified = Math.max(0, ...parts.map((part) => part?.modified ?? 0));
  return { bytes, modified, inode: status.inode, sha256 };
}

async function isUnchanged(host: Host, path: string, mark: Mark | undefined): Promise<boolean> {
  const now = mark && markOf(host, path, mark.sha256);
  if (!now || now.bytes !== mark.bytes) return false;
  if (now.modified === mark.modified && now.inode === mark.inode) return true;
  return host.status(path)?.kind === "file" && (await sha256OfFile(host, path)) === mark.sha256;
}

function sightingPath(host: Host, path: string, { key, files }: CountRequest): string | undefined {
  if (host.cacheFolder === undefined) return undefined;
  const name = sha256Of(host, JSON.stringify([ENGINE_VERSION, path, key, files]));
  return join(host.cacheFolder, "sightings", `${name}.json`);
}

function textAt(host: Host, path: string): string | undefined {
  return host.status(path)?.kind === "file" ? readText(host, path) : undefined;
}

function readSighting(host: Host, path: string): Sighting | undefined {
  try {
    const { marks, table, facts } = JSON.parse(readText(host, path)) as Sighting;
    const sound = Object.values(marks).every((mark) => typeof mark.sha256 === "string");
    return sound && typeof table === "string" && facts ? { marks, table, facts } : undefined;
  } catch {
    return undefined;
  }
}
