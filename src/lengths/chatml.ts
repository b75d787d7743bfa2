import type { Message } from "./sample.js";
import type { Tokenizer } from "./tokenizer.js";

/** Which tokens the loss counts: the assistant's contents and end tokens, or every token. */
export type Supervision = "assistant" | "all";

export interface TokenCount {
  /** Tokens of the rendered sample, after truncation. */
  readonly length: number;
  /** Next-token targets that the loss counts; the first token of a sample is never a target. */
  readonly supervised: number;
}

export const CHATML_START = "<|im_start|>";
export const CHATML_END = "<|im_end|>";

/**
 * Counts the tokens of a conversation in ChatML: `<|im_start|>ROLE\nCONTENT<|im_end|>\n` a message,
 * no default system message. Tokenised piece by piece (start marker, role and content, end marker, newline),
 * so that a marker inside a content can never move a message's boundary; the runtime
 * (`skrull_runtime.tokenization`) cuts at the same places.
 *
 * @param limit tokens kept of a longer sample; `undefined` keeps all
 */
export function countChatml(
  messages: readonly Message[],
  tokenizer: Tokenizer,
  supervision: Supervision,
  limit: number | undefined,
): TokenCount {
  const kept = limit ?? Number.POSITIVE_INFINITY;
  const start = tokenizer.encode(CHATML_START).length;
  const end = tokenizer.encode(CHATML_END).length;
  const newline = tokenizer.encode("\n").length;
  let length = 0;
  let supervised = 0;
  for (const { role, content } of messages) {
    const body = tokenizer.encode(`${role}\n${content}`);
    const from = length + start + commonPrefix(body, tokenizer.encode(`${role}\n`));
    const to = length + start + body.length + end;
    length = to + newline;
    if (role === "assistant") supervised += Math.max(0, Math.min(to, kept) - Math.max(from, 1));
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
