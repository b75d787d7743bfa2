import { join } from "pathe";
import { readText, sha256Of, sha256OfFile } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import { cachePath, readCache } from "./cache.js";
import type { DataFile } from "./measure.js";
import type { CountSettings, FileMeasurement } from "./measurement.js";
import { BYTES_TOKENIZER, decisiveFiles, tokenizerFiles } from "./tokenizer-files.js";

/** What a file was when it was last measured. */
interface Mark {
  readonly bytes: number;
  readonly modified: number;
  readonly sha256: string;
}

/** Kept beside the counts: what they were made from, so that they are found again without reading the data. */
interface Sighting {
  readonly data: Mark;
  /** By path: the tokenizer's files. */
  readonly tokenizer: Readonly<Record<string, Mark>>;
  readonly tokenizerSha256: string;
}

export type Known =
  | { readonly state: "known"; readonly measurement: FileMeasurement }
  /** The data or the tokenizer is no longer what was measured. */
  | { readonly state: "changed" }
  | { readonly state: "unknown" };

const UNKNOWN: Known = { state: "unknown" };

/** The cached counts of a file if they are still of its content; reads nothing large unless times have changed. */
export async function knownMeasurement(
  host: Host,
  file: DataFile,
  tokenizer: string,
  settings: CountSettings,
): Promise<Known> {
  const names = namesOf(host, tokenizer);
  const path = sightingPath(host, file, names, settings);
  const sighting = path && readSighting(host, path);
  if (!sighting) return UNKNOWN;
  const { data, tokenizerSha256 } = sighting;
  try {
    const unchanged = (path: string, mark: Mark | undefined) => isUnchanged(host, path, mark);
    const same = await Promise.all([
      unchanged(file.path, data),
      ...names.map((name) => unchanged(name, sighting.tokenizer[name])),
    ]);
    if (!same.every(Boolean)) return { state: "changed" };
  } catch (error) {
    if (error instanceof HostError) return UNKNOWN;
    throw error;
  }
  const cache = cachePath(host, data.sha256, tokenizerSha256, settings);
  const measurement = cache && readCache(host, cache, data.sha256);
  return measurement ? { state: "known", measurement } : UNKNOWN;
}

/** Writes down what counts were made from. */
export class Sightings {
  #tokenizer: Readonly<Record<string, Mark>> | undefined;
  readonly #names: readonly string[];

  constructor(
    private readonly host: Host,
    files: Readonly<Record<string, string>>,
    private readonly tokenizerSha256: string,
    private readonly settings: CountSettings,
  ) {
    this.#names = decisiveFiles(files);
  }

  note(file: DataFile, sha256: string): void {
    const path = sightingPath(this.host, file, this.#names, this.settings);
    const data = path && this.#mark(file.path, sha256);
    if (!data) return;
    const known = readSighting(this.host, path);
    const { tokenizerSha256 } = this;
    if (known?.tokenizerSha256 === tokenizerSha256 && sameMark(known.data, data)) return;
    const content: Sighting = { data, tokenizer: this.#tokenizerMarks(), tokenizerSha256 };
    try {
      this.host.writeFile(path, JSON.stringify(content));
    } catch {
      // Lint then knows nothing of this file.
    }
  }

  #tokenizerMarks(): Readonly<Record<string, Mark>> {
    this.#tokenizer ??= Object.fromEntries(
      this.#names.flatMap((name) => {
        const mark = this.#mark(name, sha256Of(this.host, this.host.readBytes(name)));
        return mark ? [[name, mark]] : [];
      }),
    );
    return this.#tokenizer;
  }

  #mark(path: string, sha256: string): Mark | undefined {
    const status = this.host.status(path);
    return status && { bytes: status.bytes, modified: status.modified, sha256 };
  }
}

const sameMark = (a: Mark, b: Mark) =>
  a.bytes === b.bytes && a.modified === b.modified && a.sha256 === b.sha256;

async function isUnchanged(host: Host, path: string, mark: Mark | undefined): Promise<boolean> {
  const status = host.status(path);
  if (!mark || status?.kind !== "file" || status.bytes !== mark.bytes) return false;
  return status.modified === mark.modified || (await sha256OfFile(host, path)) === mark.sha256;
}

/** Absolute paths of the files that decide a tokenizer's ids; none for the built-in one. */
function namesOf(host: Host, tokenizer: string): readonly string[] {
  return tokenizer === BYTES_TOKENIZER ? [] : decisiveFiles(tokenizerFiles(host, tokenizer));
}

function sightingPath(
  host: Host,
  file: DataFile,
  tokenizer: readonly string[],
  { supervision, truncateTo }: CountSettings,
): string | undefined {
  if (host.cacheFolder === undefined) return undefined;
  const key = JSON.stringify([file.path, tokenizer, supervision, truncateTo]);
  return join(host.cacheFolder, "sightings", `${sha256Of(host, key)}.json`);
}

function readSighting(host: Host, path: string): Sighting | undefined {
  try {
    const { data, tokenizer, tokenizerSha256 } = JSON.parse(readText(host, path)) as Sighting;
    return isMark(data) && Object.values(tokenizer).every(isMark)
      ? { data, tokenizer, tokenizerSha256 }
      : undefined;
  } catch {
    return undefined;
  }
}

const isMark = (mark: Mark): boolean => typeof mark.sha256 === "string";
