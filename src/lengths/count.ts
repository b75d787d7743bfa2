import type { Segment } from "./render.js";
import type { Tokenizer } from "./tokenizer.js";

/** Which tokens the loss counts: the assistant's contents and end tokens, or every token. */
export type Supervision = "assistant" | "all";

export interface TokenCount {
  /** Tokens of the rendered sample, after truncation. */
  readonly length: number;
  /** Next-token targets that the loss counts; the first token of a sample is never a target. */
  readonly supervised: number;
}

/**
 * Counts the tokens of a sample piece by piece; the runtime (`skrull_runtime.tokenization`) cuts at the same places.
 *
 * @param limit tokens kept of a longer sample; `undefined` keeps all
 */
export function countTokens(
  segments: readonly Segment[],
  tokenizer: Tokenizer,
  supervision: Supervision,
  limit: number | undefined,
): TokenCount {
  const kept = limit ?? Number.POSITIVE_INFINITY;
  let length = 0;
  let supervised = 0;
  for (const { text, header, trained } of segments) {
    const ids = tokenizer.encode(text);
    const to = length + ids.length;
    if (trained) {
      const from = length + (header === "" ? 0 : commonPrefix(ids, tokenizer.encode(header)));
      supervised += Math.max(0, Math.min(to, kept) - Math.max(from, 1));
    }
    length = to;
  }
  const total = Math.min(length, kept);
  return { length: total, supervised: supervision === "all" ? Math.max(0, total - 1) : supervised };
}

/** Tokens of the header are those that the content did not merge with (a content may begin with a newline). */
function commonPrefix(body: readonly number[], header: readonly number[]): number {
  let count = 0;
  while (count < header.length && body[count] === header[count]) count += 1;
  return count;
}
