import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";

/** Turns text into token ids, without adding special tokens of its own. */
export interface Tokenizer {
  encode(text: string): readonly number[];
  /** The text of what ends a sequence, where the tokenizer says. */
  readonly end: string | undefined;
  /** Ids the model's embedding must have: largest id + 1. */
  readonly vocabularySize: number;
}

export { BYTES_TOKENIZER } from "./tokenizer-files.js";

const CHATML_START = "<|im_start|>";
const CHATML_END = "<|im_end|>";

/** Ids 0 to 255 are the UTF-8 bytes; the two ChatML markers, alone, are 256 and 257. For trials without any file. */
export function bytesTokenizer(): Tokenizer {
  const encoder = new TextEncoder();
  const markers = new Map([
    [CHATML_START, [256]],
    [CHATML_END, [257]],
  ]);
  return {
    encode: (text) => markers.get(text) ?? Array.from(encoder.encode(text)),
    end: CHATML_END,
    vocabularySize: 258,
  };
}

interface TokenizerJson {
  readonly model?: { readonly vocab?: Readonly<Record<string, number>> | readonly unknown[] };
  readonly added_tokens?: readonly { readonly id: number }[];
}

/**
 * A Hugging Face tokenizer from the parsed content of `tokenizer.json` and, if there is one,
 * `tokenizer_config.json`.
 *
 * @throws Error where the library cannot read them
 */
export function huggingFaceTokenizer(json: unknown, config: unknown = {}): Tokenizer {
  const library = new HuggingFaceTokenizer(json as object, (config ?? {}) as object);
  const fixed = new Map<string, readonly number[]>();
  const encode = (text: string) => library.encode(text, { add_special_tokens: false }).ids;
  return {
    encode(text) {
      // Markers and role headers recur in every message.
      if (text.length > 16) return encode(text);
      const known = fixed.get(text) ?? encode(text);
      fixed.set(text, known);
      return known;
    },
    end: endOf(config),
    vocabularySize: vocabularySize(json as TokenizerJson),
  };
}

/** `eos_token` is a string, or an object that holds one. */
function endOf(config: unknown): string | undefined {
  const { eos_token: end } = (config ?? {}) as { eos_token?: unknown };
  const text =
    typeof end === "object" && end !== null ? (end as { content?: unknown }).content : end;
  return typeof text === "string" && text !== "" ? text : undefined;
}

function vocabularySize({ model, added_tokens: added = [] }: TokenizerJson): number {
  const vocabulary = model?.vocab ?? {};
  let largest = isList(vocabulary) ? vocabulary.length - 1 : -1;
  if (!isList(vocabulary))
    for (const id of Object.values(vocabulary)) largest = Math.max(largest, id);
  for (const { id } of added) largest = Math.max(largest, id);
  return largest + 1;
}

const isList = (value: object): value is readonly unknown[] => Array.isArray(value);
