import { join } from "pathe";
import type { ModelDimensions } from "../catalogue/dimensions.js";
import type { Gpu } from "../catalogue/gpu.js";
import { modelByName } from "../catalogue/names.js";
import { gpuOf } from "../catalogue/own-gpu.js";
import { type Profile, readProfile } from "../catalogue/profile.js";
import type { ConfigProblem } from "../catalogue/refusals.js";
import { withRopeScaling } from "../catalogue/rope.js";
import { type Diagnostic, hasErrors } from "../diagnostics/diagnostic.js";
import { readText, sha256Of } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import type { Spec } from "../language/language.js";
import type { Progress } from "../lengths/measure.js";
import type { RenderingFacts } from "../lengths/measurement.js";
import type { PreparedData } from "../lengths/prepare-data.js";
import type { Rendering } from "../lengths/rendering.js";
import { readTokenizer, type TokenizerFacts } from "../lengths/tokenizer.js";
import { BYTES_TOKENIZER } from "../lengths/tokenizer-files.js";
import { type Origins, SpecReport } from "../semantics/report.js";
import { tokenizerAdvice } from "./advice.js";
import { loadData } from "./load-data.js";
import { checkedModel, type KnownCheck, knownCheck, type ModelCheck } from "./model-check.js";
import { dimensionsOf } from "./model-dimensions.js";
import { renderingOf } from "./rendering.js";

/** All that a spec names, read and measured. */
export interface Inputs {
  readonly modelName: string;
  /** Hugging Face configuration, to be written into the run. */
  readonly modelConfig: unknown;
  readonly dimensions: ModelDimensions;
  readonly modelCheck: ModelCheck;
  readonly gpu: Gpu;
  readonly profile: Profile | undefined;
  readonly tokenizer: TokenizerFacts;
  readonly rendering: Rendering;
  readonly renderingFacts: RenderingFacts;
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

export interface LoadOptions {
  /** Told of files whose tokens are being counted. */
  readonly progress?: Progress | undefined;
  /** Has a model checked that nobody has tested, and is told before: it takes some seconds. */
  readonly beforeCheck?: ((modelType: string) => void) | undefined;
}

/** Reads and measures what a spec names; what is missing or malformed becomes diagnostics at the spec's values. */
export async function loadInputs(
  host: Host,
  folder: string,
  spec: Spec,
  origins: Origins,
  { progress, beforeCheck }: LoadOptions = {},
): Promise<LoadedInputs> {
  const loader = new Loader(host, folder, spec, origins);
  const published = await loader.model(beforeCheck);
  const tokenizer = loader.tokenizer(published?.dimensions);
  const model = published && tokenizer ? await loader.resized(published, tokenizer) : published;
  const rendering = tokenizer && loader.rendering(tokenizer);
  const { sources } = loader;
  const counting = rendering && { tokenizer, rendering, progress };
  const found =
    counting && (await loadData({ host, folder, spec, origins, sources }, counting, loader.report));
  const gpu = gpuOf(spec);
  const profile = loader.profile();
  const { diagnostics } = loader.report;
  if (!model || !counting || !found || !gpu || hasErrors(diagnostics)) return { diagnostics };
  const read = { ...model, gpu, profile, tokenizer, rendering, ...found, sources };
  return { inputs: read, diagnostics };
}

/** Tokenizer and rendering of a spec, without looking at its data. */
export function loadRendering(
  host: Host,
  folder: string,
  spec: Spec,
  origins: Origins,
): {
  readonly tokenizer: TokenizerFacts | undefined;
  readonly rendering: Rendering | undefined;
  readonly diagnostics: readonly Diagnostic[];
} {
  const loader = new Loader(host, folder, spec, origins);
  const tokenizer = loader.tokenizer(undefined);
  const rendering = tokenizer && loader.rendering(tokenizer);
  return { tokenizer, rendering, diagnostics: loader.report.diagnostics };
}

/** A configuration, or that of its text decoder, with another size of the vocabulary. */
function withVocabulary(config: unknown, size: number): unknown {
  const { text_config: text, ...rest } = config as Readonly<Record<string, unknown>>;
  if (typeof text === "object" && text !== null)
    return { ...rest, text_config: { ...text, vocab_size: size } };
  return { ...rest, vocab_size: size };
}

type ModelInputs = Pick<Inputs, "modelName" | "modelConfig" | "dimensions" | "modelCheck">;

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

  async model(beforeCheck: LoadOptions["beforeCheck"]): Promise<ModelInputs | undefined> {
    const { label, config: path } = this.spec.model;
    const found =
      path === undefined
        ? modelByName(label ?? "")?.config
        : this.#json(path, "model.config", "The model's dimensions decide memory and cost.");
    const modelConfig = this.#scaled(found);
    if (modelConfig === undefined) return undefined;
    const read = await dimensionsOf(this.host, this.folder, modelConfig);
    if (!read.ok) return this.#refuse(read.problems);
    const { check, problem } = await this.#check(modelConfig, beforeCheck);
    if (problem) return this.#refuse([problem]);
    const modelName = label ?? path ?? "";
    return { modelName, modelConfig, dimensions: read.dimensions, modelCheck: check };
  }

  #check(config: unknown, beforeCheck: LoadOptions["beforeCheck"]): Promise<KnownCheck> {
    const known = knownCheck(this.host, config);
    if (!beforeCheck || known.check !== "unchecked") return Promise.resolve(known);
    beforeCheck(String((config as { readonly model_type?: unknown }).model_type));
    return checkedModel(this.host, this.folder, config);
  }

  #refuse(problems: readonly ConfigProblem[]): undefined {
    for (const { problem, help } of problems) {
      const values = { file: this.spec.model.config ?? "", problem };
      this.report.at("invalid-model-config", "model.config", values, help ? { help } : {});
    }
    return undefined;
  }

  /** The model with rows for all tokens, where the spec asks for them. */
  async resized(model: ModelInputs, { vocabularySize: tokens }: TokenizerFacts) {
    const { vocabulary, vocabulary_multiple: multiple } = this.spec.model;
    const { vocab_size: stored } = model.dimensions.shape;
    if (vocabulary === "model" || tokens <= stored) return model;
    const modelConfig = withVocabulary(model.modelConfig, multiple * Math.ceil(tokens / multiple));
    const read = await dimensionsOf(this.host, this.folder, modelConfig);
    if (!read.ok) return model;
    return {
      ...model,
      modelConfig,
      dimensions: { ...read.dimensions, resized: { stored, tokens } },
    };
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
    const json = this.#json(path, place, "It says how fast these machines are.");
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

  tokenizer(dimensions: ModelDimensions | undefined): TokenizerFacts | undefined {
    const path = this.spec.data.tokenizer;
    try {
      const absolute = path === BYTES_TOKENIZER ? path : join(this.folder, path);
      const facts = readTokenizer(this.host, absolute);
      for (const [name, file] of Object.entries(facts.files))
        this.sources[`tokenizer/${name}`] = sha256Of(this.host, this.host.readBytes(file));
      const size = facts.vocabularySize;
      const grows = this.spec.model.vocabulary === "tokenizer";
      if (!grows && dimensions && size > dimensions.shape.vocab_size) {
        const values = { largest: size - 1, vocabulary: dimensions.shape.vocab_size };
        this.report.at("vocabulary-too-small", "data.tokenizer", values);
      }
      return facts;
    } catch (error) {
      const reason = "Lengths are counted in its tokens.";
      const help = tokenizerAdvice(this.host, this.folder, path);
      return this.#unreadable(error, "data.tokenizer", path, reason, help);
    }
  }

  /** How samples become text; what is wrong with it is reported. */
  rendering(tokenizer: TokenizerFacts): Rendering | undefined {
    const { template } = this.spec.data;
    const own = "path" in template ? this.#text(template.path) : undefined;
    if ("path" in template && own === undefined) return undefined;
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
