import { editDistance } from "../foundation/suggest.js";
import { GPUS, MODELS, TEMPLATES } from "./data.generated.js";
import type { Gpu } from "./gpu.js";
import type { CatalogueModel } from "./model.js";
import type { ChatTemplate } from "./template.js";

/** Names of the GPUs in the catalogue, sorted. */
export const GPU_NAMES: readonly string[] = Object.keys(GPUS);

/** Names of the models in the catalogue, sorted. */
export const MODEL_NAMES: readonly string[] = Object.keys(MODELS);

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
  return Object.hasOwn(MODELS, name) ? MODELS[name] : undefined;
}

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
