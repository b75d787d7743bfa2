import { join } from "pathe";
import { readText, sha256Of, sha256OfFile } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import { COUNTING_VERSION, readCache } from "./cache.js";
import type { FileMeasurement } from "./measurement.js";

/** What a file was when it was last measured. */
interface Mark {
  readonly bytes: number;
  readonly modified: number;
  readonly sha256: string;
}

/** Kept beside the counts: what they were made from, so that they are found again without reading the data. */
interface Sighting {
  /** By absolute path: the data, and whatever else decides its counts. */
  readonly marks: Readonly<Record<string, Mark>>;
  /** Of the counts. */
  readonly cache: string;
  readonly dataSha256: string;
}

/** Who asks for counts, in the words of a spec, and the absolute paths of files besides the data that decide them. */
export interface CountRequest {
  readonly key: string;
  readonly files: readonly string[];
}

export type Known =
  | { readonly state: "known"; readonly measurement: FileMeasurement }
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
  const { marks, cache, dataSha256 } = sighting;
  try {
    const files = [path, ...request.files];
    const same = await Promise.all(files.map((file) => isUnchanged(host, file, marks[file])));
    if (!same.every(Boolean)) return { state: "changed" };
  } catch (error) {
    if (error instanceof HostError) return UNKNOWN;
    throw error;
  }
  const measurement = readCache(host, cache, dataSha256);
  return measurement ? { state: "known", measurement } : UNKNOWN;
}

/** Writes down what counts were made from. */
export class Sightings {
  readonly #marks = new Map<string, Mark | undefined>();

  constructor(
    private readonly host: Host,
    private readonly request: CountRequest,
  ) {}

  /** @param cache where the counts are kept */
  note(path: string, dataSha256: string, cache: string): void {
    const place = sightingPath(this.host, path, this.request);
    const data = place && markOf(this.host, path, dataSha256);
    if (!data) return;
    const marks = { [path]: data, ...this.#deciding() };
    const content = JSON.stringify({ marks, cache, dataSha256 } satisfies Sighting);
    try {
      if (textAt(this.host, place) !== content) this.host.writeFile(place, content);
    } catch {
      // Lint then knows nothing of this file.
    }
  }

  #deciding(): Readonly<Record<string, Mark>> {
    for (const file of this.request.files) {
      if (this.#marks.has(file)) continue;
      const sha256 = sha256Of(this.host, this.host.readBytes(file));
      this.#marks.set(file, markOf(this.host, file, sha256));
    }
    return Object.fromEntries(
      [...this.#marks].flatMap(([file, mark]) => (mark ? [[file, mark]] : [])),
    );
  }
}

function markOf(host: Host, path: string, sha256: string): Mark | undefined {
  const status = host.status(path);
  return status && { bytes: status.bytes, modified: status.modified, sha256 };
}

async function isUnchanged(host: Host, path: string, mark: Mark | undefined): Promise<boolean> {
  const status = host.status(path);
  if (!mark || status?.kind !== "file" || status.bytes !== mark.bytes) return false;
  return status.modified === mark.modified || (await sha256OfFile(host, path)) === mark.sha256;
}

function sightingPath(host: Host, path: string, { key, files }: CountRequest): string | undefined {
  if (host.cacheFolder === undefined) return undefined;
  const name = sha256Of(host, JSON.stringify([COUNTING_VERSION, path, key, files]));
  return join(host.cacheFolder, "sightings", `${name}.json`);
}

function textAt(host: Host, path: string): string | undefined {
  return host.status(path)?.kind === "file" ? readText(host, path) : undefined;
}

function readSighting(host: Host, path: string): Sighting | undefined {
  try {
    const { marks, cache, dataSha256 } = JSON.parse(readText(host, path)) as Sighting;
    const sound = Object.values(marks).every((mark) => typeof mark.sha256 === "string");
    return sound && typeof cache === "string" ? { marks, cache, dataSha256 } : undefined;
  } catch {
    return undefined;
  }
}
