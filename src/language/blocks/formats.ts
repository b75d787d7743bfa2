import type { Properties } from "../types.js";

const column = <const Name extends string>(name: Name, doc: string) =>
  ({ type: { kind: "string" }, doc, since: 1, default: name }) as const;

/** Layouts of a line of data; the keys of each are its columns, the values the names these have in the file. */
export const formats = {
  auto: {},
  messages: {
    messages: column("messages", "Column with the list of messages."),
    role: column("role", "Key of a message's role."),
    content: column("content", "Key of a message's text."),
  },
  sharegpt: {
    conversations: column("conversations", "Column with the list of messages."),
    from: column("from", "Key of the speaker: `human` is the user, `gpt` the assistant."),
    value: column("value", "Key of a message's text."),
  },
  alpaca: {
    instruction: column("instruction", "Column with the instruction."),
    input: column(
      "input",
      "Column with the input to the instruction, on a line of its own; may be empty.",
    ),
    output: column("output", "Column with the answer."),
    system: column("system", "Column with a system message; may be empty or missing."),
  },
  "prompt-completion": {
    prompt: column("prompt", "Column with the given text."),
    completion: column("completion", "Column with the text to learn."),
  },
  text: { text: column("text", "Column with the text; all of it is supervised.") },
  tokens: {
    input_ids: column("input_ids", "Column with the tokens."),
    labels: column("labels", "Column with the targets, -100 where there is none; may be missing."),
  },
} as const satisfies Readonly<Record<string, Properties>>;
