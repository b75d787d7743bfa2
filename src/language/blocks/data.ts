import { OVERLONG_WORDS, SUPERVISE_WORDS } from "../../foundation/vocabularies.generated.js";
import { aboveZero, copiedPath, integer, number, oneOf, path, tokens, upTo } from "../kinds.js";
import type { Block, Property } from "../types.js";
import { formats } from "./formats.js";
import { templateArguments, templates } from "./templates.js";

const name = {
  type: { kind: "string" },
  doc: "The name that the data has for it.",
  since: 1,
  optional: "the usual names",
} as const satisfies Property;

export const data = {
  doc: "What to train on.",
  since: 1,
  required: "Lengths are measured before anything is scheduled.",
  properties: {
    train: {
      type: { kind: "list", item: path, nonEmpty: true },
      doc: "Files, folders or glob patterns, in the spec's folder or below it: JSONL (also `.gz`, `.zst`), a JSON array, Parquet, Arrow, CSV, or a folder of `save_to_disk`. `hub:OWNER/NAME:SPLIT@REVISION` is a data set of the Hugging Face hub, read once by the package `datasets`.",
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
      doc: 'How a row is laid out. `auto` tells it from the columns of each row; columns of other names: `format = messages { messages = "dialog" }`.',
      since: 1,
      default: { type: "auto" },
    },
    columns: {
      type: { kind: "tagged", variants: { names: {} }, open: { names: name } },
      doc: 'Columns beside those of `format` that have unusual names: `columns = names { tools = "functions" }`.',
      since: 1,
      default: { type: "names", others: {} as Readonly<Record<string, string>> },
    },
    roles: {
      type: {
        kind: "tagged",
        variants: { names: {} },
        open: {
          names: { ...name, doc: "The role that it is: `user`, `assistant`, `system`, `tool`." },
        },
      },
      doc: 'What unusual names of who speaks stand for: `roles = names { bot = "assistant" }`.',
      since: 1,
      default: { type: "names", others: {} as Readonly<Record<string, string>> },
    },
    ignore: {
      type: { kind: "list", item: { kind: "string" } },
      doc: "Columns and keys of messages that nothing is to be said of: they are not read.",
      since: 1,
      default: [] as readonly string[],
    },
    template: {
      type: { kind: "tagged", variants: templates, open: templateArguments },
      doc: "How a conversation becomes text: by the tokenizer's own chat template (`auto`; `chatml` where it has none), by one in Jinja, one of the catalogue's, or your own.",
      since: 1,
      default: { type: "auto", date: "2024-07-26", others: {} },
    },
    markers: {
      type: oneOf("text", "tokens"),
      doc: "What the text of a special token, such as `<|im_end|>`, is where somebody wrote it into a content: plain text, or that token, as Hugging Face's tokenizers have it.",
      since: 1,
      default: "text",
    },
    train_newline: {
      type: { kind: "boolean" },
      doc: "Whether the newline after an answer's end token is trained. Nobody generates it.",
      since: 1,
      default: false,
    },
    rewritten: {
      type: oneOf("split", "refuse"),
      doc: "What happens to conversations whose earlier answers the template writes otherwise than it did when they were given: a sample for each answer, as it is served, or a malformed line.",
      since: 1,
      default: "split",
    },
    begin_token: {
      type: { kind: "string" },
      doc: 'Text of the token before every sample of `prompt-completion` and `text`, such as `<s>`; `""` is none.',
      since: 1,
      optional: "what the tokenizer itself puts there",
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
      type: oneOf(...OVERLONG_WORDS),
      doc: "What happens to longer samples.",
      since: 1,
      default: "error",
    },
    supervise: {
      type: oneOf(...SUPERVISE_WORDS),
      doc: "Tokens that the loss counts: contents and end tokens of the assistant, of its last answer only, or all.",
      since: 1,
      default: "assistant",
    },
    min_turns: {
      type: integer(upTo(2 ** 20)),
      doc: "Answers that a sample has at least; those with fewer are left out.",
      since: 1,
      default: 0,
    },
    unique: {
      type: { kind: "boolean" },
      doc: "Leaves out samples whose tokens are those of an earlier one.",
      since: 1,
      default: false,
    },
    malformed: {
      type: integer(upTo(2 ** 40)),
      doc: "Malformed lines to tolerate.",
      since: 1,
      default: 0,
    },
  },
} as const satisfies Block;
