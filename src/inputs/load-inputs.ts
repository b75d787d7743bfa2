import { join } from "pathe";
import { type ModelDimensions, readDimensions } from "../catalogue/dimensions.js";
import type { Gpu } from "../catalogue/gpu.js";
import { modelByName } from "../catalogue/names.js";
import { gpuOf } from "../catalogue/own-gpu.js";
import { type Profile, readProfile } from "../catalogue/profile.js";
import { withRopeScaling } from "../catalogue/rope.js";
import { type Diagnostic, hasErrors } from "../diagnostics/diagnostic.js";
import { formatCount } from "../foundation/format.js";
import { expandGlob, readText, sha256Of } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import type { Spec } from "../language/language.js";
import { Sightings } from "../lengths/known.js";
import { type LoadedTokenizer, loadTokenizer } from "../lengths/load-tokenizer.js";
import { type DataFile, measureFiles, type Progress } from "../lengths/measure.js";
import type { FileMeasurement } from "../lengths/measurement.js";
import type { Rendering } from "../lengths/render.js";
import { BYTES_TOKENIZER } from "../lengths/tokenizer.js";
import { lostSamples, type PreparedData, prepareData } from "../plan/data.js";
import { type Origins, SpecReport } from "../semantics/report.js";
import { dataAdvice, tokenizerAdvice } from "./advice.js";
import { countRequest } from "./count-request.js";
import { isArrayFile, LINES_OF_ARRAY, recogniseFile, written } from "./recognise.js";
import { renderingOf } from "./rendering.js";

/** All that a spec names, read and measured. */
export interface Inputs {
  readonly modelName: string;
  /** Hugging Face configuration, to be written into the run. */
  readonly modelConfig: unknown;
  readonly dimensions: ModelDimensions;
  readonly gpu: Gpu;
  readonly profile: Profile | undefined;
  readonly tokenizer: LoadedTokenizer;
  readonly rendering: Rendering;
  readonly data: PreparedData;
  /** Held-out samples, if the spec names any. */
  readonly evaluation: PreparedData | undefined;
  /** Path relative to the spec's folder to SHA-256, of every file that was read. */
  readonly sources: Readonly<Record<string, string>>;
}

export interface LoadedInputs {
  /** Present only where no error was found. */
  readonly inputs?: Inputs;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads and measures what a spec names; what is missing or malformed becomes diagnostics at the spec's values. */
export async function loadInputs(
  host: Host,
  folder: string,
  spec: Spec,
  origins: Origins,
  progress?: Progress,
): Promise<LoadedInputs> {
  const loader = new Loader(host, folder, spec, origins);
  const model = loader.model();
  const tokenizer = loader.tokenizer(model?.dimensions);
  const rendering = tokenizer && loader.rendering(tokenizer);
  const counting = rendering && { tokenizer, rendering, progress };
  const data = counting && (await loader.data("data.train", spec.data.train, counting));
  const evaluation = counting && (await loader.data("evaluate.data", spec.evaluate.data, counting));
  const gpu = gpuOf(spec);
  const profile = loader.profile();
  const { sources } = loader;
  const { diagnostics } = loader.report;
  if (!model || !counting || !data || !gpu || hasErrors(diagnostics)) return { diagnostics };
  const read = { ...model, gpu, profile, tokenizer, rendering, data, evaluation, sources };
  return { inputs: read, diagnostics };
}

interface FoundFile extends DataFile {
  /** Number of the pattern that found it. */
  readonly pattern: number;
}

/** What counting the tokens of data takes. */
interface Counting {
  readonly tokenizer: LoadedTokenizer;
  readonly rendering: Rendering;
  readonly progress: Progress | undefined;
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

class Loader {
  readonly report: SpecReport;
  readonly sources: Record<string, string> = {};

  constructor(
    private readonly host: Host,
    private readonly folder: string,
    private readonly spec: Spec,
    private readonly origins: Origins,
  ) {
    this.report = new SpecReport(origins);
  }

  model(): Pick<Inputs, "modelName" | "modelConfig" | "dimensions"> | undefined {
    const { label, config: path } = this.spec.model;
    const found =
      path === undefined
        ? modelByName(label ?? "")?.config
        : this.#json(path, "model.config", "The model's dimensions decide memory and cost.");
    const modelConfig = this.#scaled(found);
    if (modelConfig === undefined) return undefined;
    const read = readDimensions(modelConfig);
    if (read.ok)
      return { modelName: label ?? path ?? "", modelConfig, dimensions: read.dimensions };
    for (const { problem, help } of read.problems) {
      const values = { file: path ?? "", problem };
      this.report.at("invalid-model-config", "model.config", values, help ? { help } : {});
    }
    return undefined;
  }

  /** The configuration with the spec's rotary embeddings. */
  #scaled(config: unknown): unknown {
    const { rope_scaling: scaling } = this.spec.model;
    if (config === undefined || scaling === undefined) return config;
    const result = withRopeScaling(config, scaling);
    if (result.ok) {
      if (result.recipe) this.#tellRecipe(result.recipe);
      return result.config;
    }
    const { problem } = result;
    this.report.at("rope-scaling-impossible", "model.rope_scaling", { problem });
    return undefined;
  }

  #tellRecipe(recipe: { readonly original: number; readonly before: number }): void {
    if (this.origins.has("model.rope_scaling.original")) return;
    this.report.at("changed-default", "model.rope_scaling", {
      key: "original",
      value: String(recipe.original),
      before: String(recipe.before),
      change: "YaRN stretches the positions that the model was published with",
    });
  }

  profile(): Profile | undefined {
    const { profile: path, gpu } = this.spec.cluster;
    if (path === undefined) return undefined;
    const place = "cluster.profile";
    const json = this.#json(path, place, "It would tell how fast these machines are.");
    if (json === undefined) return undefined;
    const read = readProfile(json);
    if (!read.ok) {
      for (const problem of read.problems) {
        this.report.at("invalid-profile", place, { file: path, problem });
      }
      return undefined;
    }
    const { precision } = this.spec.model;
    if (read.profile.gpu !== gpu || read.profile.precision !== precision) {
      const measured = `${read.profile.gpu} in ${read.profile.precision}`;
      this.report.at("profile-mismatch", place, { measured, wanted: `${gpu} in ${precision}` });
    }
    return read.profile;
  }

  tokenizer(dimensions: ModelDimensions | undefined): LoadedTokenizer | undefined {
    const path = this.spec.data.tokenizer;
    try {
      const absolute = path === BYTES_TOKENIZER ? path : join(this.folder, path);
      const loaded = loadTokenizer(this.host, absolute);
      for (const name of Object.keys(loaded.files)) {
        const file = loaded.files[name] ?? "";
        this.sources[`tokenizer/${name}`] = sha256Of(this.host, this.host.readBytes(file));
      }
      const size = loaded.tokenizer.vocabularySize;
      if (dimensions && size > dimensions.shape.vocab_size) {
        const values = { largest: size - 1, vocabulary: dimensions.shape.vocab_size };
        this.report.at("vocabulary-too-small", "data.tokenizer", values);
      }
      return loaded;
    } catch (error) {
      const reason = "Lengths are counted in its tokens.";
      const help = tokenizerAdvice(this.host, this.folder, path);
      return this.#unreadable(error, "data.tokenizer", path, reason, help);
    }
  }

  /** How samples become text; what is wrong with it is reported. */
  rendering(tokenizer: LoadedTokenizer): Rendering | undefined {
    const { template } = this.spec.data;
    const own = template.type === "file" ? this.#text(template.path) : undefined;
    if (template.type === "file" && own === undefined) return undefined;
    return renderingOf(this.spec.data, own, tokenizer, this.report);
  }

  #text(path: string): string | undefined {
    try {
      const text = readText(this.host, join(this.folder, path));
      this.sources[path] = sha256Of(this.host, text);
      return text;
    } catch (error) {
      return this.#unreadable(
        error,
        "data.template.path",
        path,
        "It says how messages become text.",
      );
    }
  }

  /** Files by name; those of weighted patterns pattern by pattern. The first pattern that finds a file has it. */
  #dataFiles(key: DataKey, patterns: readonly string[]): readonly FoundFile[] {
    const names = new Map<string, number>();
    for (const [n, pattern] of patterns.entries()) {
      const path = `${key}.${n}`;
      try {
        const found = expandGlob(this.host, this.folder, pattern);
        if (found.length === 0) this.#noFiles(key, path, pattern);
        for (const name of found) {
          if (this.host.status(join(this.folder, name))?.kind === "file") {
            if (!names.has(name)) names.set(name, n);
          } else {
            const help = dataAdvice(this.host, this.folder, name);
            const missing = new HostError(name, "no such file");
            this.#unreadable(missing, path, name, PURPOSE[key], help);
          }
        }
      } catch (error) {
        this.#unreadable(error, path, pattern, PURPOSE[key]);
      }
    }
    const weighted = this.#weights(key).length > 0;
    return [...names]
      .map(([name, pattern]) => ({ name, path: join(this.folder, name), pattern }))
      .sort((a, b) => (weighted ? a.pattern - b.pattern : 0) || (a.name < b.name ? -1 : 1));
  }

  #noFiles(key: DataKey, path: string, pattern: string): void {
    const values = { pattern: `'${pattern}'`, reason: PURPOSE[key] };
    const help = dataAdvice(this.host, this.folder, pattern);
    this.report.at("no-data-files", path, values, help === undefined ? {} : { help });
  }

  /** Held-out samples are all looked at once. */
  #weights(key: DataKey): readonly number[] {
    return key === "data.train" ? this.spec.data.weights : [];
  }

  /** Samples of the files that a key of the spec names; `undefined` where there are none. */
  async data(
    key: DataKey,
    patterns: readonly string[],
    { tokenizer, rendering, progress }: Counting,
  ): Promise<PreparedData | undefined> {
    const files = this.#dataFiles(key, patterns);
    if (files.length === 0) return undefined;
    const { supervise, overlong, max_length: limit } = this.spec.data;
    const truncateTo = overlong === "truncate" ? limit : null;
    const settings = { rendering, supervision: supervise, truncateTo };
    try {
      const request = countRequest(this.host, this.folder, this.spec.data);
      const sightings = new Sightings(this.host, request);
      const measured = await measureFiles(
        this.host,
        files,
        tokenizer,
        settings,
        progress,
        sightings,
      );
      for (const [n, { sha256 }] of measured.entries()) this.sources[files[n]?.name ?? ""] = sha256;
      await this.#reportMalformed(key, files, measured);
      const withPaths = measured.map((measurement, n) => ({
        path: files[n]?.name ?? "",
        pattern: files[n]?.pattern ?? 0,
        measurement,
      }));
      const prepared = prepareData(withPaths, limit, overlong, this.#weights(key));
      this.#reportUndrawn(prepared);
      this.#reportLosses(key, prepared);
      return prepared;
    } catch (error) {
      return this.#unreadable(error, key, "the data", PURPOSE[key]);
    }
  }

  #reportUndrawn({ mixture }: PreparedData): void {
    for (const [n, { samples, draws }] of mixture.entries()) {
      const weight = this.spec.data.weights[n] ?? 1;
      const pattern = `'${this.spec.data.train[n]}'`;
      if (draws === 0 && samples > 0)
        this.report.at("weight-draws-nothing", `data.weights.${n}`, { weight, samples, pattern });
    }
  }

  async #reportMalformed(
    key: DataKey,
    files: readonly DataFile[],
    measured: readonly FileMeasurement[],
  ): Promise<void> {
    const count = measured.reduce((sum, m) => sum + m.malformedLines, 0);
    if (count === 0) return;
    const lines = measured.flatMap((m, n) =>
      m.malformed.map((l) => `${files[n]?.name}:${l.line} ${l.reason}`),
    );
    const layout = await this.#otherLayout(key, files, measured);
    const help = layout ?? (fewMalformed(measured) ? undefined : REPAIR);
    const shown = layout === undefined ? LINES_SHOWN : 1;
    const first = `${lines.slice(0, shown).join("; ")}${count > shown ? "; …" : ""}`;
    const extra = help === undefined ? {} : { help };
    const tolerated = this.spec.data.malformed;
    const place = this.origins.has("data.malformed") ? "data.malformed" : key;
    if (count > tolerated)
      this.report.at("malformed-data", place, { count, tolerated, first }, extra);
    else this.report.at("malformed-data-tolerated", place, { count, first }, extra);
  }

  /** What to do about a file that is an array, or of which no line can be read. */
  async #otherLayout(
    key: DataKey,
    files: readonly DataFile[],
    measured: readonly FileMeasurement[],
  ): Promise<string | undefined> {
    const array = await this.#firstArray(files, measured);
    if (array) return `Of '${array.name}': ${LINES_OF_ARRAY}.`;
    const unread = files.filter((_, n) => measured[n]?.length.length === 0);
    const [file] = unread;
    if (!file) return undefined;
    const contents = await recogniseFile(this.host, file.path);
    const { type } = this.spec.data.format;
    const name = `'${file.name}'`;
    if (contents === "unknown" || contents === "array")
      return `No line of ${name} can be read as ${type}: correct format, or the names of its columns.`;
    const layout = written(contents);
    return key === "data.train" && unread.length === files.length
      ? `${name} looks like ${contents.format}: write data { format = ${layout} }`
      : `${name} looks like ${layout}; all data of a spec has one format, here ${type}.`;
  }

  /** Of an array with an item a line, the last item is a line that can be read. */
  async #firstArray(
    files: readonly DataFile[],
    measured: readonly FileMeasurement[],
  ): Promise<DataFile | undefined> {
    for (const [n, file] of files.entries()) {
      const { malformedLines: bad = 0, length = [] } = measured[n] ?? {};
      if (bad > 0 && (await isArrayFile(this.host, file.path, length.length))) return file;
    }
    return undefined;
  }

  #reportLosses(key: DataKey, { summary, longestRow }: PreparedData): void {
    const { overlong, rows, samples } = summary;
    const limit = this.spec.data.max_length;
    if (overlong.rows > 0 && overlong.policy === "error") {
      const place = `${longestRow?.path}:${longestRow?.line}`;
      const longest = formatCount(longestRow?.tokens ?? 0);
      const at = key === "data.train" ? "data.max_length" : key;
      this.report.at("overlong-samples", at, {
        count: overlong.rows,
        limit,
        longest,
        place,
      });
    } else if (overlong.rows > 0) {
      const place = key === "data.train" ? "data.overlong" : key;
      this.report.at("overlong-samples-lost", place, lostSamples(summary));
    }
    if (samples === 0) {
      const reason =
        rows === 0 ? "The data has no well-formed line." : "Every sample is over max_length.";
      const told = rows === 0 ? hasErrors(this.report.diagnostics) : overlong.policy === "error";
      if (!told) this.report.at("no-samples", key, { use: USE[key], reason });
    } else if (summary.supervised_tokens === 0) {
      this.report.at("nothing-supervised", "data.supervise", {});
    }
  }

  #json(path: string, place: string, reason: string): unknown {
    try {
      const text = readText(this.host, join(this.folder, path));
      this.sources[path] = sha256Of(this.host, text);
      return JSON.parse(text);
    } catch (error) {
      const problem = error instanceof SyntaxError ? new HostError(path, "is not JSON") : error;
      return this.#unreadable(problem, place, path, reason);
    }
  }

  #unreadable(
    error: unknown,
    place: string,
    file: string,
    reason: string,
    help?: string,
  ): undefined {
    if (!(error instanceof HostError)) throw error;
    const values = { file, problem: error.reason, reason };
    this.report.at("unreadable-file", place, values, help === undefined ? {} : { help });
  }
}
