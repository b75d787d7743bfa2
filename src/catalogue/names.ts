import { GPU_FILES, MODEL_FILES, TEMPLATE_FILES } from "./data.generated.js";
import { type Gpu, parseGpu } from "./gpu.js";
import { type CatalogueModel, parseModel } from "./model.js";
import { type ChatTemplate, parseTemplate } from "./template.js";

/** Names of the GPUs in the catalogue, sorted. */
export const GPU_NAMES: readonly string[] = Object.keys(GPU_FILES);

/** Names of the models in the catalogue, sorted. */
export const MODEL_NAMES: readonly string[] = Object.keys(MODEL_FILES);

/** Names of the chat templates in the catalogue, sorted. */
export const TEMPLATE_NAMES: readonly string[] = Object.keys(TEMPLATE_FILES);

/** A chat template by name. */
export function templateByName(name: string): ChatTemplate | undefined {
  const text = Object.hasOwn(TEMPLATE_FILES, name) ? TEMPLATE_FILES[name] : undefined;
  return text === undefined ? undefined : parseTemplate(text);
}

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
