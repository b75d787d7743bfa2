import { hasErrors } from "../diagnostics/diagnostic.js";
import { EngineError } from "../engine/engine.js";
import { formatCount } from "../foundation/format.js";
import { type Host, HostError } from "../host/host.js";
import type { Spec } from "../language/language.js";
import { measureFiles, type Progress } from "../lengths/measure.js";
import type { FileMeasurement, RenderingFacts } from "../lengths/measurement.js";
import {
  hasConversations,
  lostSamples,
  type PreparedData,
  prepareData,
} from "../lengths/prepare-data.js";
import type { Rendering } from "../lengths/rendering.js";
import type { TokenizerFacts } from "../lengths/tokenizer.js";
import type { Origins, SpecReport } from "../semantics/report.js";
import { dataAdvice } from "./advice.js";
import { countRequest } from "./count-request.js";
import { type FoundFile, findDataFiles } from "./data-files.js";
import { reportDifference, reportMarkers, reportUnread } from "./data-findings.js";
import { hubFiles } from "./hub.js";
import { reportSplitEnds } from "./rendering.js";
import { selectionOf } from "./selection.js";

/** A spec, and where it lies. */
export interface SpecPlace {
  readonly host: Host;
  readonly folder: string;
  readonly spec: Spec;
  readonly origins: Origins;
  /** Path to SHA-256, of every file that was read: filled here. */
  readonly sources: Record<string, string>;
}

/** What counting the tokens of data takes. */
export interface CountingTools {
  readonly tokenizer: TokenizerFacts;
  readonly rendering: Rendering;
  readonly progress: Progress | undefined;
}

export interface LoadedData {
  readonly renderingFacts: RenderingFacts;
  readonly data: PreparedData;
  /** Held-out samples, if the spec names any. */
  readonly evaluation: PreparedData | undefined;
}

/** Measures the data of a spec; what is wrong with it is reported. `undefined` where there is nothing to train on. */
export async function loadData(
  place: SpecPlace,
  tools: CountingTools,
  report: SpecReport,
): Promise<LoadedData | undefined> {
  const loader = new DataLoader(place, tools, report);
  const { data, evaluate } = place.spec;
  const train = await loader.measure("data.train", data.train);
  const held = await loader.measure("evaluate.data", evaluate.data);
  if (!train) return undefined;
  const share = evaluate.share > 0;
  const evaluation = held
    ? loader.prepare("evaluate.data", held, false)
    : share
      ? loader.prepare("data.train", train, true)
      : undefined;
  return {
    renderingFacts: train.facts,
    data: loader.prepare("data.train", train, false),
    evaluation,
  };
}

/** Keys of the spec that name data files, and what each is for. */
const PURPOSE = {
  "data.train": "There would be nothing to train on.",
  "evaluate.data": "There would be nothing to evaluate on.",
} as const;
type DataKey = keyof typeof PURPOSE;
const USE: Readonly<Record<DataKey, string>> = {
  "data.train": "train on",
  "evaluate.data": "evaluate on",
};

/** Malformed lines that a message quotes. */
const LINES_SHOWN = 5;

/** Of a file's lines: who leaves out more than this trains on something else than the file. */
const FEW_MALFORMED = 0.01;

const REPAIR = "Repair the lines, or leave them out of the file.";

/** Whether no file has more than a few lines that cannot be read. */
const fewMalformed = (measured: readonly FileMeasurement[]): boolean =>
  measured.every(({ malformedLines: bad, length }) => bad <= FEW_MALFORMED * (bad + length.length));

interface MeasuredKey {
  readonly files: readonly FoundFile[];
  readonly measured: readonly FileMeasurement[];
  readonly facts: RenderingFacts;
}

/** The first line of each reason, and how many of those that are known have it. */
function malformedLines(files: readonly FoundFile[], measured: readonly FileMeasurement[]) {
  const reasons = new Map<string, { readonly place: string; times: number }>();
  for (const [n, { malformed }] of measured.entries()) {
    for (const { line, reason } of malformed) {
      const found = reasons.get(reason);
      if (found) found.times += 1;
      else reasons.set(reason, { place: `${files[n]?.name}:${line}`, times: 1 });
    }
  }
  return [...reasons].map(([reason, { place, times }]) => ({
    text: `${place} ${reason}${times > 1 ? ` (${times} times)` : ""}`,
    times,
  }));
}

/** Why no sample is left. */
function whyNone({ rows, left_out: left }: PreparedData["summary"]): string {
  if (rows > 0) return "Every sample is over max_length.";
  if (left.few_turns > 0) return "Every sample has fewer answers than min_turns.";
  if (left.elsewhere > 0) return "All samples are on the other side of evaluate.share.";
  return "The data has no well-formed row.";
}

class DataLoader {
  constructor(
    private readonly place: SpecPlace,
    private readonly tools: CountingTools,
    private readonly report: SpecReport,
  ) {}

  /** Counts of the files that a key of the spec names; `undefined` where there are none. */
  async measure(key: DataKey, patterns: readonly string[]): Promise<MeasuredKey | undefined> {
    try {
      const files = await this.#files(key, patterns);
      if (files.length === 0) return undefined;
      const { files: measured, facts } = await this.#count(files);
      for (const [n, { sha256 }] of measured.entries())
        this.place.sources[files[n]?.name ?? ""] = sha256;
      const found = { files, measured, facts };
      this.#reportFindings(key, found);
      return found;
    } catch (error) {
      return this.#unreadable(error, key, "the data");
    }
  }

  #count(files: readonly FoundFile[]) {
    const { host, folder, spec } = this.place;
    const { tokenizer, rendering, progress } = this.tools;
    const { supervise, overlong, max_length: limit } = spec.data;
    const truncateTo = overlong === "truncate" ? limit : null;
    return measureFiles(host, files, {
      tokenizer: tokenizer.path,
      settings: { rendering, supervision: supervise, truncateTo },
      request: countRequest(host, folder, spec.data),
      folder,
      progress,
    });
  }

  /** @param heldOut whether these are the samples of the training data that are held out */
  prepare(key: DataKey, { files, measured }: MeasuredKey, heldOut: boolean): PreparedData {
    const withPaths = measured.map((measurement, n) => ({
      path: files[n]?.name ?? "",
      pattern: files[n]?.pattern ?? 0,
      measurement,
    }));
    const selection = selectionOf(this.place.spec, key, heldOut);
    const prepared = prepareData(withPaths, selection);
    if (!heldOut) this.#reportUndrawn(prepared);
    this.#reportLosses(heldOut ? "evaluate.data" : key, prepared);
    return prepared;
  }

  async #files(key: DataKey, patterns: readonly string[]): Promise<readonly FoundFile[]> {
    const { host, folder, spec } = this.place;
    const ordered = key === "data.train" && spec.data.weights.length > 0;
    const onMissing = (n: number, error: HostError | undefined) => {
      const pattern = patterns[n] ?? "";
      const at = `${key}.${n}`;
      const help = dataAdvice(host, folder, pattern);
      if (error) return void this.#unreadable(error, at, error.path, PURPOSE[key], help);
      const values = { pattern: `'${pattern}'`, reason: PURPOSE[key] };
      this.report.at("no-data-files", at, values, help === undefined ? {} : { help });
    };
    const hub = await hubFiles(host, folder, patterns);
    return findDataFiles(host, folder, patterns, ordered, onMissing, hub);
  }

  #reportFindings(key: DataKey, found: MeasuredKey): void {
    this.#reportMalformed(key, found);
    reportUnread(found, key, this.report);
    if (this.tools.rendering.markers === "text") reportMarkers(found, key, this.report);
    if (key !== "data.train") return;
    reportDifference(found, this.report);
    this.#reportDefaults(found);
    const { end } = this.tools.rendering;
    const texts = found.measured.some(({ methods }) => (methods["text"] ?? 0) > 0);
    if (texts && end === null && found.facts.end === "")
      this.report.at("no-end-token", "data.train", {});
    if (found.measured.some(({ methods }) => hasConversations(methods)))
      reportSplitEnds(found.facts, this.tools.tokenizer, this.report);
  }

  /** Defaults that train otherwise than before, where the data shows that they do. */
  #reportDefaults({ facts, measured }: MeasuredKey): void {
    const { origins } = this.place;
    const masks = measured.flatMap(({ methods }) => Object.keys(methods));
    if (facts.template === "own" && !origins.has("data.template")) {
      this.report.at("changed-default", "data", {
        key: "template",
        value: "auto",
        before: "chatml",
        change: "conversations are rendered by the tokenizer's own chat template",
      });
    }
    if (facts.begin !== "" && masks.includes("text") && !origins.has("data.begin_token")) {
      this.report.at("changed-default", "data", {
        key: "begin_token",
        value: JSON.stringify(facts.begin),
        before: '""',
        change: "texts begin with what the tokenizer itself puts in front of them",
      });
    }
  }

  #reportUndrawn({ mixture }: PreparedData): void {
    const { weights, train } = this.place.spec.data;
    for (const [n, { samples, draws }] of mixture.entries()) {
      const values = { weight: weights[n] ?? 1, samples, pattern: `'${train[n]}'` };
      if (draws === 0 && samples > 0)
        this.report.at("weight-draws-nothing", `data.weights.${n}`, values);
    }
  }

  #reportMalformed(key: DataKey, { files, measured }: MeasuredKey): void {
    const count = measured.reduce((sum, m) => sum + m.malformedLines, 0);
    if (count === 0) return;
    const lines = malformedLines(files, measured);
    const help =
      this.#otherLayout(files, measured) ?? (fewMalformed(measured) ? undefined : REPAIR);
    const shown = lines.slice(0, LINES_SHOWN);
    const told = shown.reduce((sum, { times }) => sum + times, 0);
    const first = `${shown.map(({ text }) => text).join("; ")}${count > told ? "; …" : ""}`;
    const extra = help === undefined ? {} : { help };
    const tolerated = this.place.spec.data.malformed;
    const place = this.place.origins.has("data.malformed") ? "data.malformed" : key;
    if (count > tolerated)
      this.report.at("malformed-data", place, { count, tolerated, first }, extra);
    else this.report.at("malformed-data-tolerated", place, { count, first }, extra);
  }

  /** What to do about a file of which no row can be read. */
  #otherLayout(
    files: readonly FoundFile[],
    measured: readonly FileMeasurement[],
  ): string | undefined {
    const file = files.find((_, n) => measured[n]?.length.length === 0);
    if (!file) return undefined;
    const { type } = this.place.spec.data.format;
    // Else the reasons of the rows say what is missing.
    return type === "auto"
      ? undefined
      : `No row of '${file.name}' can be read as ${type}: leave format out to infer it from each row's columns.`;
  }

  #reportLosses(key: DataKey, { summary, longestRow }: PreparedData): void {
    const { overlong, rows, samples } = summary;
    const limit = this.place.spec.data.max_length;
    if (overlong.rows > 0 && overlong.policy === "error") {
      const place = `${longestRow?.path}:${longestRow?.line}`;
      const longest = formatCount(longestRow?.tokens ?? 0);
      const at = key === "data.train" ? "data.max_length" : key;
      this.report.at("overlong-samples", at, { count: overlong.rows, limit, longest, place });
    } else if (overlong.rows > 0) {
      const place = key === "data.train" ? "data.overlong" : key;
      this.report.at("overlong-samples-lost", place, lostSamples(summary));
    }
    if (samples === 0) {
      const told = rows === 0 ? hasErrors(this.report.diagnostics) : overlong.policy === "error";
      const reason = whyNone(summary);
      if (!told) this.report.at("no-samples", key, { use: USE[key], reason });
    } else if (summary.supervised_tokens === 0) {
      this.report.at("nothing-supervised", "data.supervise", {});
    }
  }

  #unreadable(
    error: unknown,
    place: string,
    file: string,
    reason = "Every row decides what is trained.",
    help?: string,
  ): undefined {
    const extra = help === undefined ? {} : { help };
    if (error instanceof EngineError && error.kind === "python")
      this.report.at(
        "no-engine",
        place,
        { problem: error.message },
        error.help === undefined ? {} : { help: error.help },
      );
    else if (error instanceof EngineError)
      this.report.at("unreadable-data", place, { problem: this.#named(error.message), reason });
    else if (error instanceof HostError)
      this.report.at("unreadable-file", place, { file, problem: error.reason, reason }, extra);
    else throw error;
  }

  /** The engine knows absolute paths; users know those of their spec. */
  #named(message: string): string {
    return message.replaceAll(`${this.place.folder}/`, "");
  }
}
