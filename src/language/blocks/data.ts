import { aboveZero, copiedPath, integer, number, oneOf, path, tokens, upTo } from "../kinds.js";
import type { Block, Properties } from "../types.js";
import { formats } from "./formats.js";

/** The catalogue's chat templates, and a file. */
const templates = {
  chatml: {},
  llama3: {},
  mistral: {},
  zephyr: {},
  alpaca: {},
  file: {
    path: {
      type: copiedPath,
      doc: "A template, JSON or YAML, as `schemas/template.schema.json` describes it and those in `catalogue/templates` are written.",
      since: 1,
      required: "It says how messages become text.",
    },
  },
} as const satisfies Readonly<Record<string, Properties>>;

export const data = {
  doc: "What to train on.",
  since: 1,
  required: "Lengths are measured before anything is scheduled.",
  properties: {
    train: {
      type: { kind: "list", item: path, nonEmpty: true },
      doc: "JSONL files or glob patterns, in the spec's folder or below it.",
      since: 1,
      required: "There would be nothing to train on.",
    },
    weights: {
      type: { kind: "list", item: number({ ...aboveZero, max: 1000 }) },
      doc: "How often an epoch has each sample, one number for each entry of `train`: 2 is twice, 0.5 every other one, in turns from epoch to epoch. The number of samples drawn is rounded once for an entry and the same in every epoch. Of entries that find the same file the first counts.",
      since: 1,
      default: [] as readonly number[],
    },
    format: {
      type: { kind: "tagged", variants: formats },
      doc: 'How a line, one JSON object, is laid out: a conversation (`messages`, `sharegpt`, `alpaca`) or plain text. Columns of other names: `format = messages { messages = "dialog" }`.',
      since: 1,
      default: { type: "messages", messages: "messages", role: "role", content: "content" },
    },
    template: {
      type: { kind: "tagged", variants: templates },
      doc: "How a conversation becomes text: one of the catalogue's templates, or your own.",
      since: 1,
      default: { type: "chatml" },
    },
    begin_token: {
      type: { kind: "string" },
      doc: "Text of the token before every sample of `prompt-completion` and `text`, such as `<s>`.",
      since: 1,
      optional: "none",
    },
    end_token: {
      type: { kind: "string" },
      doc: 'Text of the token that ends every sample of `prompt-completion` and `text`, and an answer in the templates `zephyr` and `alpaca`; `""` is none.',
      since: 1,
      optional: "the tokenizer's `eos_token`",
    },
    tokenizer: {
      type: { ...copiedPath, word: "bytes" },
      doc: 'A `tokenizer.json`, a folder with one, or `"bytes"`, which needs no file.',
      since: 1,
      required: "Lengths are counted in its tokens.",
    },
    max_length: {
      type: tokens,
      doc: "Longest sample to train on.",
      since: 1,
      required: "The longest sample decides what must fit in memory.",
    },
    overlong: {
      type: oneOf("drop", "truncate", "error"),
      doc: "What happens to longer samples.",
      since: 1,
      default: "error",
    },
    supervise: {
      type: oneOf("assistant", "last", "all"),
      doc: "Tokens that the loss counts: contents and end tokens of the assistant, of its last answer only, or all.",
      since: 1,
      default: "assistant",
    },
    malformed: {
      type: integer(upTo(2 ** 40)),
      doc: "Malformed lines to tolerate.",
      since: 1,
      default: 0,
    },
  },
} as const satisfies Block;
