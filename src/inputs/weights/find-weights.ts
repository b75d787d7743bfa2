import { join } from "pathe";
import { readText } from "../../host/files.js";
import { type Host, HostError } from "../../host/host.js";
import { shown } from "./cause.js";
import { readHeader, type StoredTensor } from "./safetensors.js";

export type FoundWeights =
  | { readonly state: "stored"; readonly tensors: ReadonlyMap<string, StoredTensor> }
  /** In files whose headers only the run can read. */
  | { readonly state: "unknown" }
  | { readonly state: "missing"; readonly what: string }
  | { readonly state: "unreadable"; readonly file: string; readonly problem: string };

const WHOLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const PICKLED = ["pytorch_model.bin", "pytorch_model.bin.index.json"];

/** The weights of a model's folder, looked for as transformers does. Files are read up to the end of their headers. */
export function findWeights(host: Host, folder: string): FoundWeights {
  if (host.status(folder)?.kind !== "folder") return { state: "missing", what: "no such folder" };
  const has = (name: string) => host.status(join(folder, name))?.kind === "file";
  try {
    if (has(WHOLE)) return stored(host, folder, [WHOLE]);
    if (has(INDEX)) return indexed(host, folder, has);
    return PICKLED.some(has)
      ? { state: "unknown" }
      : { state: "missing", what: `neither ${WHOLE} nor ${INDEX} is in it` };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { state: "unreadable", file: error.path, problem: error.reason };
  }
}

function indexed(host: Host, folder: string, has: (name: string) => boolean): FoundWeights {
  const files = shards(host, join(folder, INDEX));
  const absent = files.filter((name) => !has(name));
  if (absent.length === 0) return stored(host, folder, files);
  const more = absent.length > 1 ? ` and ${absent.length - 1} more` : "";
  const what = `its index lists '${shown(absent[0] ?? "")}'${more}, missing here`;
  return { state: "missing", what };
}

function stored(host: Host, folder: string, files: readonly string[]): FoundWeights {
  const tensors = new Map<string, StoredTensor>();
  for (const file of files)
    for (const [name, tensor] of headerOf(host, join(folder, file))) tensors.set(name, tensor);
  return { state: "stored", tensors };
}

/** Names of the files of an index, sorted. @throws HostError */
function shards(host: Host, path: string): readonly string[] {
  const names = new Set<string>();
  for (const name of Object.values(weightMap(path, readText(host, path)))) {
    if (typeof name !== "string" || name.startsWith("/") || name.split("/").includes(".."))
      throw new HostError(path, "lists a file outside its folder");
    names.add(name);
  }
  return [...names].sort();
}

function weightMap(path: string, text: string): object {
  try {
    const { weight_map: map } = JSON.parse(text) as { weight_map?: unknown };
    if (typeof map === "object" && map !== null) return map;
  } catch {
    // said below
  }
  throw new HostError(path, "is not an index of weights");
}

interface KnownHeader {
  readonly bytes: number;
  readonly modified: number;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** An editor asks at every change of a spec. */
const known = new WeakMap<Host, Map<string, KnownHeader>>();

function headerOf(host: Host, path: string): ReadonlyMap<string, StoredTensor> {
  const headers = known.get(host) ?? new Map<string, KnownHeader>();
  known.set(host, headers);
  const { bytes = 0, modified = 0 } = host.status(path) ?? {};
  const own = headers.get(path);
  if (own && own.bytes === bytes && own.modified === modified) return own.tensors;
  const tensors = readHeader(host, path);
  headers.set(path, { bytes, modified, tensors });
  return tensors;
}
