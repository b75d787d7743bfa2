import { didYouMean } from "../foundation/suggest.js";
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

/** The model that an unknown name most likely meant: without its owner or under another one, with a suffix, misspelt. */
export function nearestModel(name: string): string | undefined {
  const own = withoutOwner(name).toLowerCase();
  const begins = MODEL_NAMES.filter((known) =>
    `${own}-`.startsWith(`${withoutOwner(known).toLowerCase()}-`),
  ).sort((a, b) => b.length - a.length);
  if (begins[0] !== undefined) return begins[0];
  const near = didYouMean(own, MODEL_NAMES.map(withoutOwner));
  return didYouMean(name, MODEL_NAMES) ?? MODEL_NAMES.find((known) => withoutOwner(known) === near);
}
