import { editDistance } from "../foundation/suggest.js";
import { GPUS, TEMPLATES } from "./data.generated.js";
import type { Gpu } from "./gpu.js";
import { MODELS } from "./known-models.generated.js";
import type { CatalogueModel } from "./model.js";
import type { ChatTemplate } from "./template.js";

/** Names of the GPUs in the catalogue, sorted. */
export const GPU_NAMES: readonly string[] = Object.keys(GPUS);

/** Names of the models in the catalogue, sorted. */
export const MODEL_NAMES: readonly string[] = Object.keys(MODELS);

/** The model of examples: it fits on any machine. */
export const SMALL_MODEL = "Qwen/Qwen2.5-0.5B";

/** Names of the chat templates in the catalogue, sorted. */
export const TEMPLATE_NAMES: readonly string[] = Object.keys(TEMPLATES);

/** A chat template by name. */
export function templateByName(name: string): ChatTemplate | undefined {
  return Object.hasOwn(TEMPLATES, name) ? TEMPLATES[name] : undefined;
}

/** A GPU by name. */
export function gpuByName(name: string): Gpu | undefined {
  return Object.hasOwn(GPUS, name) ? GPUS[name] : undefined;
}

/** A model by its name on the hub. */
export function modelByName(name: string): CatalogueModel | undefined {
  const text = Object.hasOwn(MODELS, name) ? MODELS[name] : undefined;
  return text === undefined ? undefined : (JSON.parse(text) as CatalogueModel);
}

/** Words around a GPU's name that tell none from another. */
const MAKERS: ReadonlySet<string> = new Set([
  ...["nvidia", "tesla", "geforce", "gpu", "tensor", "core", "generation", "superchip"],
  ...["hbm2", "hbm2e", "hbm3", "hbm3e", "gddr6", "gddr6x", "gddr7"],
]);

/** `nvidia-h100-80G` and `H100 80 GB HBM3` as `h100`, `80gb`; `rtx4090` as `rtx`, `4090`. */
const wordsOfGpu = (name: string): readonly string[] =>
  name
    .toLowerCase()
    .replace(/(\d)[\s_-]*g(?:i?b)?(?![a-z])/g, "$1gb ")
    .replace(/(?<![a-z\d])rtx(?=a?\d)/g, "rtx ")
    .replace(/(?<![a-z\d])sxm\d(?![a-z\d])/g, "sxm")
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "" && !MAKERS.has(word));

/**
 * The GPUs of the catalogue that another spelling of a name may mean: all of its words are theirs, so that none has
 * other memory than what is written.
 */
export function gpusMeant(written: string): readonly string[] {
  const words = written.length > 96 ? [] : wordsOfGpu(written);
  if (words.length === 0) return [];
  return GPU_NAMES.filter((name) => {
    const known = name.split("_");
    return words.every((word) => known.some((one) => sameWord(word, one)));
  });
}

/** The unit of the memory may lack; in a word without a number one letter may be wrong, or two be swapped. */
const sameWord = (word: string, known: string): boolean =>
  word === known ||
  `${word}gb` === known ||
  (word.length >= 3 && !/\d/.test(word + known) && editDistance(word, known) === 1);

/** Of a name on the hub, what follows the owner. */
const withoutOwner = (name: string): string => name.slice(name.lastIndexOf("/") + 1);

/** Words of a name that say nothing of the model. */
const NEUTRAL: ReadonlySet<string> = new Set(["hf", "meta"]);

/** The words and the numbers of a model's name, in their order: `qwen`, `2`, `5`, `7`, `b`, `instruct`. */
const partsOf = (name: string): readonly string[] =>
  (
    withoutOwner(name)
      .toLowerCase()
      .match(/[a-z]+|\d+/g) ?? []
  ).filter((part) => !NEUTRAL.has(part));

/**
 * The model that an unknown name most likely meant: without its owner or under another one, or misspelt. A model of
 * another size, version or kind is never meant: its name has other numbers, or a word more or less.
 */
export function nearestModel(name: string): string | undefined {
  if (name.length > 96) return undefined;
  const parts = partsOf(name);
  const [near] = MODEL_NAMES.map((known) => ({ known, apart: apart(parts, partsOf(known)) }))
    .filter(({ apart }) => Number.isFinite(apart))
    .sort((a, b) => a.apart - b.apart);
  return near?.known;
}

/** Letters by which two names differ; infinite where they are names of different models. */
function apart(parts: readonly string[], known: readonly string[]): number {
  if (parts.length !== known.length) return Number.POSITIVE_INFINITY;
  return parts.reduce((sum, part, n) => sum + lettersApart(part, known[n] ?? ""), 0);
}

/** Numbers and short words tell sizes and versions; in a longer word, a letter in four may be wrong. */
function lettersApart(part: string, known: string): number {
  if (part === known) return 0;
  const distance = editDistance(part, known);
  const allowed = /\d/.test(part + known) ? 0 : Math.floor(known.length / 4);
  return distance <= allowed ? distance : Number.POSITIVE_INFINITY;
}

/** How many models a message names. */
const RELATED = 5;

/** Models of the catalogue whose names have words of another one's, its family's first of all; those with most of them first. */
export function relatedModels(name: string): readonly string[] {
  const written = new Set(name.length > 96 ? [] : partsOf(name));
  const [family] = written;
  return MODEL_NAMES.map((known) => ({ known, parts: partsOf(known) }))
    .filter(({ parts }) => parts[0] === family)
    .map(({ known, parts }) => ({
      known,
      shared: inCommon(written, parts),
    }))
    .sort((a, b) => b.shared - a.shared)
    .slice(0, RELATED)
    .map(({ known }) => known);
}

/** Letters and digits of the words that are in both. */
const inCommon = (written: ReadonlySet<string>, parts: readonly string[]): number =>
  [...written].filter((part) => parts.includes(part)).join("").length;
