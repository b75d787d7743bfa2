import { engineOf } from "../engine/engine.js";
import type { Host } from "../host/host.js";
import { type CountRequest, knownMeasurement, Sightings } from "./known.js";
import type { CountSettings, FileMeasurement, RenderingFacts } from "./measurement.js";
import { readMeasurement } from "./table.js";

export interface DataFile {
  /** As users know it: relative to the spec, or as given on the command line. */
  readonly name: string;
  readonly path: string;
}

export type Progress = (file: DataFile, bytes: number, total: number) => void;

/** What to count with. */
export interface Counting {
  /** `bytes`, or the absolute path of a tokenizer. */
  readonly tokenizer: string;
  readonly settings: CountSettings;
  /** Who asks, so that the answer is found again. */
  readonly request: CountRequest;
  /** Folder that Python is looked for from. */
  readonly folder: string;
  readonly progress?: Progress | undefined;
}

export interface Measured {
  /** In the order of the files. */
  readonly files: readonly FileMeasurement[];
  readonly facts: RenderingFacts;
}

/**
 * Token counts of data files: from the cache where these very files were counted before, else by the engine.
 *
 * @throws EngineError where the data cannot be read, or there is no engine
 * @throws HostError where a file is missing
 */
export async function measureFiles(
  host: Host,
  files: readonly DataFile[],
  counting: Counting,
): Promise<Measured> {
  const known = await Promise.all(
    files.map(({ path }) => knownMeasurement(host, path, counting.request)),
  );
  const missing = files.filter((_, n) => known[n]?.state !== "known");
  const fresh = missing.length > 0 ? await ask(host, missing, counting) : undefined;
  const found = files.map((file, n) => {
    const one = known[n];
    return one?.state === "known" ? one.measurement : fresh?.of(file);
  });
  const [first] = known.flatMap((one) => (one.state === "known" ? [one.facts] : []));
  const facts = fresh?.facts ?? first;
  if (!facts) throw new Error("no files to measure");
  return { files: found.filter((one) => one !== undefined), facts };
}

/**
 * Makes one machine's part of the tables of data files: number `index` of `count`, from 0, which all share one store.
 *
 * @throws EngineError
 */
export async function fillStore(
  host: Host,
  files: readonly DataFile[],
  counting: Counting,
  part: readonly [number, number],
): Promise<void> {
  await askEngine(host, files, counting, { part });
}

function askEngine(
  host: Host,
  files: readonly DataFile[],
  counting: Counting,
  more: object = {},
): Promise<unknown> {
  const paths = files.map(({ path }) => path);
  const fields = { ...requestFields(host, counting), files: paths, ...more };
  return engineOf(host, counting.folder).request("measure", fields, (told) => {
    const file = files[told.file];
    if (file) counting.progress?.(file, told.done, told.total);
  });
}

/** What an engine's request is told of tokenizer and samples. */
export function requestFields(host: Host, { tokenizer, settings }: Counting) {
  const { rendering, supervision, truncateTo } = settings;
  return {
    cache: host.cacheFolder ?? null,
    tokenizer,
    rendering,
    view: { supervise: supervision, limit: truncateTo },
    processes: host.processors,
  };
}

interface Answer {
  readonly measurements: readonly string[];
  readonly facts: RenderingFacts;
}

async function ask(host: Host, files: readonly DataFile[], counting: Counting) {
  const { request } = counting;
  const sightings = new Sightings(
    host,
    request,
    files.map(({ path }) => path),
  );
  const answer = (await askEngine(host, files, counting)) as Answer;
  const { measurements: tables, facts } = answer;
  const made = new Map<DataFile, FileMeasurement>();
  for (const [n, file] of files.entries()) {
    const table = tables[n] ?? "";
    const measurement = readMeasurement(host, table);
    made.set(file, measurement);
    if (host.cacheFolder !== undefined) sightings.note(file.path, measurement.sha256, table, facts);
  }
  return { facts, of: (file: DataFile) => made.get(file) };
}
