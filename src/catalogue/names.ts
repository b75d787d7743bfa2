import { GPU_FILES, MODEL_FILES } from "./data.generated.js";
import { type Gpu, parseGpu } from "./gpu.js";
import { type CatalogueModel, parseModel } from "./model.js";

/** Names of the GPUs in the catalogue, sorted. */
export const GPU_NAMES: readonly string[] = Object.keys(GPU_FILES);

/** Names of the models in the catalogue, sorted. */
export const MODEL_NAMES: readonly string[] = Object.keys(MODEL_FILES);

/** A GPU by name. */
export function gpuByName(name: string): Gpu | undefined {
  const text = Object.hasOwn(GPU_FILES, name) ? GPU_FILES[name] : undefined;
  return text === undefined ? undefined : parseGpu(text);
}

/** A model by its name on the hub. */
export function modelByName(name: string): CatalogueModel | undefined {
  const text = Object.hasOwn(MODEL_FILES, name) ? MODEL_FILES[name] : undefined;
  return text === undefined ? undefined : parseModel(text);
}
