import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type CatalogueEntry, catalogueModels } from "../../scripts/catalogue-models.mjs";
import { catalogueDimensions } from "../../src/catalogue/described.js";
import { dimensionsIn } from "../../src/catalogue/description.js";
import { type ModelDimensions, readDimensions } from "../../src/catalogue/dimensions.js";
import { DESCRIPTIONS } from "../../src/catalogue/known-models.generated.js";
import { MODEL_NAMES, modelByName } from "../../src/catalogue/names.js";
import { MODEL_TYPES, refusalsOf } from "../../src/catalogue/refusals.js";
import { withRopeScaling } from "../../src/catalogue/rope.js";
import { isTested } from "../../src/catalogue/tested.js";
import { trainingWork } from "../../src/cost/work.js";
import { PYTHON, ROOT } from "../cli/run.js";

type Fields = Readonly<Record<string, unknown>>;

const MODELS = catalogueModels();
const NAMED = MODELS.map((model) => [model.name, model] as const);

/** Sizes in names that are rounder than half a unit of their last digit, where no page says more. */
const ROUND = new Set([
  ...["EleutherAI/pythia-160m", "EleutherAI/pythia-410m", "microsoft/phi-4"],
  ...["HuggingFaceTB/SmolLM2-360M", "HuggingFaceTB/SmolLM2-360M-Instruct"],
  ...["meta-llama/Llama-2-70b-hf", "meta-llama/Llama-2-70b-chat-hf"],
  ...["allenai/OLMo-2-1124-13B", "allenai/OLMo-2-1124-13B-Instruct"],
  "ibm-granite/granite-3.3-2b-instruct",
]);

/** Without Python. */
function dimensionsOf(config: Fields): ModelDimensions {
  const read = readDimensions(config);
  const found = read.ok ? read.dimensions : catalogueDimensions(config);
  if (!found) throw new Error(JSON.stringify(read));
  return found;
}

/** `7.61B`, `135M` or a whole number: the figure, and half a unit of its last digit. */
function published(stated: number | string): { readonly figure: number; readonly half: number } {
  const [, digits = "", unit = ""] = /^([\d.]+)([BM]?)$/.exec(String(stated)) ?? [];
  const scale = { B: 1e9, M: 1e6 }[unit] ?? 1;
  const decimals = digits.split(".")[1]?.length ?? 0;
  return { figure: Number(digits) * scale, half: (scale * 10 ** -decimals) / 2 };
}

/** What a model's name says of its size: `Qwen/Qwen2.5-0.5B-Instruct`. */
const named = (name: string): number =>
  published((/(?<![\w.])\d+(\.\d+)?[bm](?![a-z\d])/i.exec(name)?.[0] ?? "").toUpperCase()).figure;

describe("models of the catalogue", () => {
  it("are at least 60, of which the compiler knows what their files say", () => {
    expect(MODELS.length).toBeGreaterThanOrEqual(60);
    expect(MODELS.map(({ name }) => name)).toEqual(MODEL_NAMES);
    for (const { name, config, parameters, source } of MODELS)
      expect(modelByName(name)).toMatchObject({ config, parameters, source });
  });

  it.each(NAMED)("%s trains, by what has been tested of its family", (_, { config }) => {
    expect(refusalsOf(config)).toEqual([]);
    expect(isTested(config)).toBe(true);
  });

  it.each(NAMED)("%s has dimensions without Python", (_, { config, parameters }) => {
    const { shape, max_positions, rope_type } = dimensionsOf(config);
    expect(shape.parameters).toBe(parameters);
    expect(max_positions).toBe(config["max_position_embeddings"]);
    expect(rope_type).not.toBe("");
    expect(shape.heads % shape.kv_heads).toBe(0);
  });

  it.each(NAMED)("%s names pages at a fixed commit, and its end tokens", (_, model) => {
    const { source, checked = [], end_tokens: ends, config } = model;
    for (const page of [source, ...checked, ...(ends ? [ends] : [])]) {
      expect(page).toMatch(/^https:\/\//);
      if (page.startsWith("https://github.com/")) expect(page).toMatch(/\/blob\/[0-9a-f]{40}\/\S/);
    }
    const tokens = [config["eos_token_id"]].flat();
    expect(tokens.length).toBeGreaterThan(0);
    for (const token of tokens) expect(Number.isSafeInteger(token)).toBe(true);
  });

  it.each(NAMED)("%s has the published number of parameters", (name, model) => {
    expect(model.published === undefined).toBe(ROUND.has(name));
    const { figure, half } = published(model.published?.parameters ?? model.parameters);
    expect(Math.abs(model.parameters - figure)).toBeLessThanOrEqual(half);
    if (/\d[bm]\b/i.test(name) && !/\d+x\d/.test(name))
      expect(model.parameters / named(name)).toBeGreaterThan(0.9);
  });

  it("keep their dimensions under other rotary embeddings, and reach other positions", () => {
    const config = modelByName("google/gemma-7b")?.config;
    const scaled = withRopeScaling(config, { type: "linear", factor: 4 });
    const own = catalogueDimensions(scaled.ok ? scaled.config : undefined);
    expect(own).toMatchObject({ rope_type: "linear", max_positions: 32768 });
    expect(own?.shape.parameters).toBe(8537680896);
    expect(catalogueDimensions({ ...config, hidden_size: 2048 })).toBeUndefined();
    expect(catalogueDimensions({ ...config, hidden_act: "relu" })).toBeUndefined();
  });
});

describe("what models of the catalogue tell of themselves", () => {
  /** Each configuration once: its end tokens, positions and rotary base change no dimension. */
  const layers = ({ config }: CatalogueEntry): string => {
    const { eos_token_id, bos_token_id, pad_token_id, rope_theta, ...rest } = config;
    return JSON.stringify({ ...rest, max_position_embeddings: 0 });
  };
  const distinct = [...new Map(MODELS.map((model) => [layers(model), model])).values()];

  it("is what the compiler knows: parameters, every dimension, and FLOPs of a token", () => {
    const told = describedAll(distinct.map(({ config }) => config));
    expect(told).toHaveLength(distinct.length);
    distinct.forEach(({ name, config }, at) => {
      const dimensions = dimensionsOf(config);
      const own = dimensionsIn(told[at]);
      expect([name, own?.shape]).toEqual([name, dimensions.shape]);
      expect(flops(own as ModelDimensions)).toEqual(flops(dimensions));
      if (MODEL_TYPES.some((type) => type === config["model_type"])) return;
      // A module of another version of transformers may have another name.
      const kept = dimensionsIn(JSON.parse(DESCRIPTIONS[name] ?? "null"));
      if (versionOf(told[at]) === versionOf(JSON.parse(DESCRIPTIONS[name] ?? "null")))
        expect([name, own]).toEqual([name, kept]);
    });
  }, 240_000);

  it("is kept for every family that the reader does not know, and for no other", () => {
    const others = MODELS.filter(
      ({ config }) => !MODEL_TYPES.some((type) => type === config["model_type"]),
    );
    expect(Object.keys(DESCRIPTIONS)).toEqual(others.map(({ name }) => name));
  });
});

const versionOf = (description: unknown): unknown =>
  (description as { readonly transformers?: string }).transformers;

const flops = ({ shape }: ModelDimensions) =>
  trainingWork({ shape, checkpointing: "none", targetShare: 1, lora: null, lengths: [1000, 9000] });

/** By one process of the runtime's Python. */
function describedAll(configs: readonly Fields[]): readonly unknown[] {
  const made = spawnSync(PYTHON, [`${ROOT}python/tools/describe_models.py`], {
    input: configs.map((config) => `${JSON.stringify(config)}\n`).join(""),
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    env: { ...process.env, PYTHONPATH: `${ROOT}python`, PYTHONWARNINGS: "ignore" },
  });
  if (made.status !== 0) throw new Error(made.stderr);
  return made.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

interface Tokenizer {
  readonly package: string;
  readonly version: string;
  readonly template: string | null;
  readonly models: readonly string[];
}

describe("a package with a tokenizer", () => {
  const packages: readonly Tokenizer[] = parse(
    readFileSync(`${ROOT}catalogue/tokenizers.yaml`, "utf8"),
  );
  const folder = (name: string) => `${ROOT}node_modules/${name}`;
  const installed = packages.filter((one) => existsSync(folder(one.package)));

  it("is of models that there are, each once", () => {
    const models = packages.flatMap(({ models }) => models);
    expect(new Set(models).size).toBe(models.length);
    expect(models.filter((name) => !MODEL_NAMES.includes(name))).toEqual([]);
    expect(installed.length).toBeGreaterThanOrEqual(4);
  });

  it.each(
    installed.map((one) => [one.package, one] as const),
  )("%s has the chat template that is stated", (name, { version, template }) => {
    const read = (file: string) => JSON.parse(readFileSync(`${folder(name)}/${file}`, "utf8"));
    expect(read("package.json").version).toBe(version);
    const own: string | undefined = read("models/tokenizer_config.json").chat_template;
    expect(own === undefined ? null : createHash("sha256").update(own).digest("hex")).toBe(
      template,
    );
  });
});
