import { RENDERING_DEFAULTS } from "../../foundation/records.generated.js";
import {
  MARKERS_WORDS,
  OVERLONG_WORDS,
  REWRITTEN_WORDS,
  SUPERVISE_WORDS,
} from "../../foundation/vocabularies.generated.js";
import { aboveZero, copiedPath, integer, number, oneOf, path, tokens, upTo } from "../kinds.js";
import type { Block, Property } from "../types.js";
import { formats } from "./formats.js";
import { templateArguments, templates } from "./templates.js";

const name = {
  type: { kind: "string" },
  doc: "Its name in the data.",
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
      doc: "Files, folders or glob patterns, in the spec's folder or below it: JSONL (also `.gz`, `.zst`), a JSON array, Parquet, Arrow, CSV, or a folder of `save_to_disk`. `hub:OWNER/NAME:SPLIT@REVISION` is a data set on the Hugging Face hub, read once with the package `datasets`.",
      since: 1,
      required: "There would be nothing to train on.",
    },
    weights: {
      type: { kind: "list", item: number({ ...aboveZero, max: 1000 }) },
      doc: "How often an epoch draws each sample, one number per entry of `train`: 2 is twice, 0.5 every other one, alternating from epoch to epoch. The number of samples drawn is rounded once per entry and is the same in every epoch. If several entries match the same file, the first counts.",
      since: 1,
      default: [] as readonly number[],
    },
    format: {
      type: { kind: "tagged", variants: formats },
      doc: 'Layout of a row. `auto` infers it from the columns of each row; for columns with other names: `format = messages { messages = "dialog" }`.',
      since: 1,
      default: { type: "auto" },
    },
    columns: {
      type: { kind: "tagged", variants: { names: {} }, open: { names: name } },
      doc: 'Columns other than those of `format` that have unusual names: `columns = names { tools = "functions" }`.',
      since: 1,
      default: { type: "names", others: {} as Readonly<Record<string, string>> },
    },
    roles: {
      type: {
        kind: "tagged",
        variants: { names: {} },
        open: {
          names: {
            ...name,
            doc: "The role that it stands for: `user`, `assistant`, `system`, `tool`.",
          },
        },
      },
      doc: 'What unusual speaker names stand for: `roles = names { bot = "assistant" }`.',
      since: 1,
      default: { type: "names", others: {} as Readonly<Record<string, string>> },
    },
    ignore: {
      type: { kind: "list", item: { kind: "string" } },
      doc: "Columns and message keys to ignore without a message: they are not read.",
      since: 1,
      default: [] as readonly string[],
    },
    template: {
      type: { kind: "tagged", variants: templates, open: templateArguments },
      doc: "How a conversation becomes text: with the tokenizer's own chat template (`auto`; `chatml` if it has none), a Jinja template, one from the catalogue, or your own.",
      since: 1,
      default: { type: "auto", date: RENDERING_DEFAULTS.date, others: {} },
    },
    markers: {
      type: oneOf(...MARKERS_WORDS),
      doc: "How to read the text of a special token, such as `<|im_end|>`, inside a content: as plain text, or as that token, which is what Hugging Face's tokenizers do.",
      since: 1,
      default: "text",
    },
    train_newline: {
      type: { kind: "boolean" },
      doc: "Whether the newline after an answer's end token is trained. It is never generated.",
      since: 1,
      default: false,
    },
    rewritten: {
      type: oneOf(...REWRITTEN_WORDS),
      doc: "What happens to conversations whose earlier answers the template renders differently from when they were given: one sample per answer, as it is served, or a malformed line.",
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
      doc: "Tokens that the loss counts: the assistant's contents and end tokens, those of its last answer only, or all tokens.",
      since: 1,
      default: "assistant",
    },
    min_turns: {
      type: integer(upTo(2 ** 20)),
      doc: "Least number of answers in a sample; samples with fewer are left out.",
      since: 1,
      default: 0,
    },
    unique: {
      type: { kind: "boolean" },
      doc: "Leaves out samples whose tokens equal those of an earlier one.",
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
