import { GPUS, MODELS } from "./data.generated.js";
import type { Gpu } from "./gpu.js";
import type { CatalogueModel } from "./model.js";

/** Names of the GPUs in the catalogue, sorted. */
export const GPU_NAMES: readonly string[] = Object.keys(GPUS);

/** Names of the models in the catalogue, sorted. */
export const MODEL_NAMES: readonly string[] = Object.keys(MODELS);

/** A GPU by name. */
export function gpuByName(name: string): Gpu | undefined {
  return Object.hasOwn(GPUS, name) ? GPUS[name] : undefined;
}

/** A model by its name on the hub. */
export function modelByName(name: string): CatalogueModel | undefined {
  return Object.hasOwn(MODELS, name) ? MODELS[name] : undefined;
}
