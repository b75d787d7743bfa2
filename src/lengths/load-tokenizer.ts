import { readText, sha256Of } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import {
  BYTES_TOKENIZER,
  bytesTokenizer,
  huggingFaceTokenizer,
  type Tokenizer,
} from "./tokenizer.js";
import { tokenizerFiles } from "./tokenizer-files.js";

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

function construct(path: string, json: string, config: string): Tokenizer {
  try {
    return huggingFaceTokenizer(JSON.parse(json), JSON.parse(config));
  } catch (error) {
    throw new HostError(path, `is not a tokenizer that can be read (${(error as Error).message})`);
  }
}
