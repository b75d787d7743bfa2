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
