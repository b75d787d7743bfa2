export interface Message {
  readonly role: string;
  readonly content: string;
}

export type ParsedSample =
  | { readonly ok: true; readonly messages: readonly Message[] }
  | { readonly ok: false; readonly reason: string };

const fail = (reason: string): ParsedSample => ({ ok: false, reason });

/** A string that UTF-8 can carry: a lone surrogate would reach the two programs' tokenizers differently. */
const isText = (value: unknown): value is string =>
  typeof value === "string" && value.isWellFormed();

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Reads one line of JSONL in the `messages` format; says in words what is wrong with a malformed one. */
export function parseMessagesLine(line: string): ParsedSample {
  const row = parseJson(line);
  if (row === undefined) return fail("is not JSON");
  if (typeof row !== "object" || row === null || Array.isArray(row))
    return fail("is not a JSON object");
  const messages: unknown = (row as Record<string, unknown>)["messages"];
  if (!Array.isArray(messages)) return fail('has no list "messages"');
  if (messages.length === 0) return fail('has an empty list "messages"');
  for (const [index, message] of messages.entries()) {
    const problem = messageProblem(message);
    if (problem) return fail(`message ${index + 1} ${problem}`);
  }
  return { ok: true, messages: messages as readonly Message[] };
}

function messageProblem(message: unknown): string | undefined {
  if (typeof message !== "object" || message === null) return "is not an object";
  const { role, content } = message as Record<string, unknown>;
  if (!isText(role) || role === "") return 'has no text "role"';
  if (!isText(content)) return 'has no text "content"';
  return undefined;
}
