import { join } from "pathe";
import { readText, sha256Of } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import {
  BYTES_TOKENIZER,
  bytesTokenizer,
  huggingFaceTokenizer,
  type Tokenizer,
} from "./tokenizer.js";

/** Files of a tokenizer that a run needs; the first is read, the others are copied where they exist. */
export const TOKENIZER_FILES = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
] as const;

export interface LoadedTokenizer {
  readonly tokenizer: Tokenizer;
  /** Of the bytes that decide the ids. */
  readonly sha256: string;
  /** Name in {@link TOKENIZER_FILES} to absolute path; empty for the built-in tokenizer. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Loads a tokenizer: `bytes`, a folder, or a `tokenizer.json`.
 *
 * @throws HostError where it is missing or cannot be read
 */
export function loadTokenizer(host: Host, path: string): LoadedTokenizer {
  if (path === BYTES_TOKENIZER) {
    return { tokenizer: bytesTokenizer(), sha256: sha256Of(host, BYTES_TOKENIZER), files: {} };
  }
  const files = tokenizerFiles(host, path);
  const main = files["tokenizer.json"] ?? path;
  const json = readText(host, main);
  const settings = files["tokenizer_config.json"];
  const config = settings === undefined ? "{}" : readText(host, settings);
  return {
    tokenizer: construct(main, json, config),
    sha256: sha256Of(host, `${sha256Of(host, json)}\n${sha256Of(host, config)}`),
    files,
  };
}

function tokenizerFiles(host: Host, path: string): Record<string, string> {
  const isFolder = host.status(path)?.kind === "folder";
  const folder = isFolder ? path : join(path, "..");
  const files: Record<string, string> = {
    "tokenizer.json": isFolder ? join(path, "tokenizer.json") : path,
  };
  for (const name of TOKENIZER_FILES.slice(1)) {
    const beside = join(folder, name);
    if (host.status(beside)?.kind === "file") files[name] = beside;
  }
  return files;
}

function construct(path: string, json: string, config: string): Tokenizer {
  try {
    return huggingFaceTokenizer(JSON.parse(json), JSON.parse(config));
  } catch (error) {
    throw new HostError(path, `is not a tokenizer that can be read (${(error as Error).message})`);
  }
}
