/** How a line of data is laid out, and under which names: each entry besides `type` names a column. */
export type SampleFormat =
  | {
      readonly type: "messages";
      readonly messages: string;
      readonly role: string;
      readonly content: string;
    }
  | {
      readonly type: "sharegpt";
      readonly conversations: string;
      readonly from: string;
      readonly value: string;
    }
  | {
      readonly type: "alpaca";
      readonly instruction: string;
      readonly input: string;
      readonly output: string;
      readonly system: string;
    }
  | { readonly type: "prompt-completion"; readonly prompt: string; readonly completion: string }
  | { readonly type: "text"; readonly text: string };

export interface Message {
  readonly role: string;
  readonly content: string;
}

/** What a line holds: a conversation, or a text of which the first part is given. */
export type Sample =
  | { readonly kind: "conversation"; readonly messages: readonly Message[] }
  | { readonly kind: "text"; readonly prompt: string; readonly completion: string };

export type ParsedSample =
  | { readonly ok: true; readonly sample: Sample }
  | { readonly ok: false; readonly reason: string };

/** Whether samples are conversations, which a template turns into text. */
export function isConversation({ type }: SampleFormat): boolean {
  return type !== "prompt-completion" && type !== "text";
}

/**
 * Reads one line of JSONL; says in words what is wrong with a malformed one. The runtime
 * (`skrull_runtime.rendering`) reads the well-formed ones the same way.
 */
export function parseSample(line: string, format: SampleFormat): ParsedSample {
  const row = parseJson(line);
  if (row === undefined) return fail("is not JSON");
  if (!isObject(row)) return fail("is not a JSON object");
  switch (format.type) {
    case "messages":
      return conversation(row, format.messages, format.role, format.content);
    case "sharegpt":
      return conversation(row, format.conversations, format.from, format.value, SHAREGPT_ROLES);
    case "alpaca":
      return alpaca(row, format);
    case "prompt-completion":
      return promptCompletion(row, format);
    case "text":
      return isText(row[format.text]) && row[format.text] !== ""
        ? { ok: true, sample: { kind: "text", prompt: "", completion: String(row[format.text]) } }
        : fail(`has no text "${format.text}"`);
  }
}

type Row = Readonly<Record<string, unknown>>;

const fail = (reason: string): ParsedSample => ({ ok: false, reason });

const isObject = (value: unknown): value is Row =>
  typeof value === "object" && value !== null && !Array.isArray(value);

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

const SHAREGPT_ROLES: ReadonlyMap<string, string> = new Map([
  ["human", "user"],
  ["gpt", "assistant"],
]);

function conversation(
  row: Row,
  list: string,
  role: string,
  content: string,
  roles: ReadonlyMap<string, string> = new Map(),
): ParsedSample {
  const entries: unknown = row[list];
  if (!Array.isArray(entries)) return fail(`has no list "${list}"`);
  if (entries.length === 0) return fail(`has an empty list "${list}"`);
  const messages: Message[] = [];
  for (const [index, entry] of entries.entries()) {
    const place = `message ${index + 1}`;
    if (!isObject(entry)) return fail(`${place} is not an object`);
    const [who, what] = [entry[role], entry[content]];
    if (!isText(who) || who === "") return fail(`${place} has no text "${role}"`);
    if (!isText(what)) return fail(`${place} has no text "${content}"`);
    messages.push({ role: roles.get(who) ?? who, content: what });
  }
  return { ok: true, sample: { kind: "conversation", messages } };
}

/** Between an instruction and its input. */
const ALPACA_SEPARATOR = "\n";

function alpaca(row: Row, names: Extract<SampleFormat, { type: "alpaca" }>): ParsedSample {
  const { [names.instruction]: instruction, [names.output]: output } = row;
  const input = row[names.input] ?? "";
  const system = row[names.system] ?? "";
  if (!isText(instruction)) return fail(`has no text "${names.instruction}"`);
  if (!isText(output)) return fail(`has no text "${names.output}"`);
  if (!isText(input)) return fail(`"${names.input}" is not text`);
  if (!isText(system)) return fail(`"${names.system}" is not text`);
  const asked = input === "" ? instruction : `${instruction}${ALPACA_SEPARATOR}${input}`;
  const messages = [
    ...(system === "" ? [] : [{ role: "system", content: system }]),
    { role: "user", content: asked },
    { role: "assistant", content: output },
  ];
  return { ok: true, sample: { kind: "conversation", messages } };
}

function promptCompletion(
  row: Row,
  names: Extract<SampleFormat, { type: "prompt-completion" }>,
): ParsedSample {
  const { [names.prompt]: prompt, [names.completion]: completion } = row;
  if (!isText(prompt)) return fail(`has no text "${names.prompt}"`);
  if (!isText(completion)) return fail(`has no text "${names.completion}"`);
  if (prompt === "" && completion === "") return fail("has neither a prompt nor a completion");
  return { ok: true, sample: { kind: "text", prompt, completion } };
}
