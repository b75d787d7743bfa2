import { dirname, extname, join } from "pathe";
import { didYouMean } from "../foundation/suggest.js";
import { expandGlob } from "../host/files.js";
import type { Host } from "../host/host.js";

/** What to do about a tokenizer that is not there. */
export function tokenizerAdvice(host: Host, folder: string, path: string): string | undefined {
  if (host.status(join(folder, path))?.kind === "file") return undefined;
  if (/^[A-Za-z0-9][\w.-]*\/[\w.-]+$/.test(path) && !path.endsWith(".json"))
    return `Nothing is fetched from the hub. If this is a name on the hub, download the tokenizer and name its folder: hf download ${path} tokenizer.json tokenizer_config.json --local-dir tokenizer`;
  return 'Name a tokenizer.json, or a folder with one, relative to the spec; or "bytes".';
}

/** The file beside it that a path of data was most likely meant as. */
export function dataAdvice(host: Host, folder: string, path: string): string | undefined {
  if (/[*?[{]/.test(path)) return undefined;
  const beside = expandGlob(host, folder, join(dirname(path), `*${extname(path) || ".jsonl"}`));
  const near = didYouMean(path, beside);
  return near === undefined ? undefined : `Did you mean ${JSON.stringify(near)}?`;
}
