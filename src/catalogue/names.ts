import { GPU_FILES, MODEL_FILES } from "./data.generated.js";
import { parseGpu } from "./gpu.js";
import { parseModel } from "./model.js";

/** Names of the GPUs in the catalogue, sorted. */
export const GPU_NAMES: readonly string[] = Object.keys(GPU_FILES);

/** Names of the models in the catalogue, sorted. */
export const MODEL_NAMES: readonly string[] = Object.keys(MODEL_FILES);

/** A GPU by name. */
export const gpuByName = reader(GPU_FILES, parseGpu);

/** A model by its name on the hub. */
export const modelByName = reader(MODEL_FILES, parseModel);

/** Each file is parsed once, when it is first asked for. */
function reader<Entry>(files: Readonly<Record<string, string>>, parse: (text: string) => Entry) {
  const known = new Map<string, Entry>();
  return (name: string): Entry | undefined => {
    const text = Object.hasOwn(files, name) ? files[name] : undefined;
    if (text === undefined) return undefined;
    const entry = known.get(name) ?? parse(text);
    known.set(name, entry);
    return entry;
  };
}
