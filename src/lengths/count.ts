import type { Segment } from "./render.js";
import type { Tokenizer } from "./tokenizer.js";

/** Which tokens the loss counts: contents and end tokens of the assistant, of its last answer, or every token. */
export const SUPERVISIONS = ["assistant", "last", "all"] as const;
export type Supervision = (typeof SUPERVISIONS)[number];

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
  for (const { text, header, trained } of superviseSegments(segments, supervision)) {
    const ids = tokenizer.encode(text);
    const to = length + ids.length;
    if (trained) {
      const from = length + (header === "" ? 0 : commonPrefix(ids, tokenizer.encode(header)));
      supervised += Math.max(0, Math.min(to, kept) - Math.max(from, 1));
    }
    length = to;
  }
  return { length: Math.min(length, kept), supervised };
}

/** The pieces with what the loss counts of them decided. */
export function superviseSegments(
  segments: readonly Segment[],
  supervision: Supervision,
): readonly Segment[] {
  if (supervision === "assistant") return segments;
  if (supervision === "all")
    return segments.map(({ text }) => ({ text, header: "", trained: true }));
  // The last answer is the last stretch of trained pieces: its content and what ends it.
  const end = segments.findLastIndex(({ trained }) => trained) + 1;
  const start = segments.findLastIndex(({ trained }, n) => n < end && !trained) + 1;
  return segments.map((segment, n) => (n < start ? { ...segment, trained: false } : segment));
}

/** Tokens of the header are those that the content did not merge with (a content may begin with a newline). */
function commonPrefix(body: readonly number[], header: readonly number[]): number {
  let count = 0;
  while (count < header.length && body[count] === header[count]) count += 1;
  return count;
}
