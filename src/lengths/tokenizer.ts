import { readText, sha256Of } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import { BYTES_TOKENIZER, tokenizerFiles } from "./tokenizer-files.js";

/** What the compiler itself knows of a tokenizer; it makes no tokens. */
export interface TokenizerFacts {
  /** `bytes`, or an absolute path. */
  readonly path: string;
  /** Of the bytes that decide the ids. */
  readonly sha256: string;
  /** Name in `TOKENIZER_FILES` to absolute path; empty for the built-in tokenizer. */
  readonly files: Readonly<Record<string, string>>;
  /** The text of what ends a sequence, where the tokenizer says. */
  readonly end: string | undefined;
  /** Ids the model's embedding must have: largest id + 1. */
  readonly vocabularySize: number;
}

/**
 * Looks at a tokenizer: `bytes`, a folder, or a `tokenizer.json`.
 *
 * @throws HostError where it is missing or is none
 */
export function readTokenizer(host: Host, path: string): TokenizerFacts {
  if (path === BYTES_TOKENIZER) {
    const sha256 = sha256Of(host, BYTES_TOKENIZER);
    return { path, sha256, files: {}, end: "<|im_end|>", vocabularySize: 258 };
  }
  const files = tokenizerFiles(host, path);
  const main = files["tokenizer.json"] ?? path;
  const json = readText(host, main);
  const settings = files["tokenizer_config.json"];
  const config = settings === undefined ? "{}" : readText(host, settings);
  return {
    path,
    sha256: sha256Of(host, `${sha256Of(host, json)}\n${sha256Of(host, config)}`),
    files,
    end: endOf(parsed(settings ?? main, config)),
    vocabularySize: vocabularySize(main, parsed(main, json)),
  };
}

function parsed(path: string, text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch (error) {
    throw new HostError(path, `is not a tokenizer that can be read (${(error as Error).message})`);
  }
  throw new HostError(path, "is not a tokenizer that can be read (it is no JSON object)");
}

/** `eos_token` is a string, or an object that holds one. */
function endOf(config: { readonly eos_token?: unknown }): string | undefined {
  const { eos_token: end } = config;
  const text =
    typeof end === "object" && end !== null ? (end as { content?: unknown }).content : end;
  return typeof text === "string" && text !== "" ? text : undefined;
}

interface TokenizerJson {
  readonly model?: { readonly vocab?: Readonly<Record<string, number>> | readonly unknown[] };
  readonly added_tokens?: readonly { readonly id: number }[];
}

function vocabularySize(path: string, json: TokenizerJson): number {
  const { model, added_tokens: added = [] } = json;
  if (typeof model !== "object" || model === null)
    throw new HostError(path, "is not a tokenizer that can be read (it has no model)");
  const vocabulary = model.vocab ?? {};
  let largest = isList(vocabulary) ? vocabulary.length - 1 : -1;
  if (!isList(vocabulary))
    for (const id of Object.values(vocabulary)) largest = Math.max(largest, id);
  for (const { id } of added) largest = Math.max(largest, id);
  return largest + 1;
}

const isList = (value: object): value is readonly unknown[] => Array.isArray(value);
