import { copiedPath } from "../kinds.js";
import type { Properties, Property } from "../types.js";

const date = {
  type: { kind: "string" },
  doc: "What a template that writes the date of today takes for it, as `YYYY-MM-DD`: the same on every day.",
  since: 1,
  default: "2024-07-26",
} as const satisfies Property;

const argument = {
  type: { kind: "scalar" },
  doc: "An argument of the template, such as `enable_thinking = false`; which there are, its author says.",
  since: 1,
  optional: "as the template has it",
} as const satisfies Property;

/** The tokenizer's own template, one in Jinja, the catalogue's, and a declared one. */
export const templates = {
  auto: { date },
  jinja: {
    path: {
      type: copiedPath,
      doc: "A chat template as Hugging Face tokenizers have them.",
      since: 1,
      required: "It says how messages become text.",
    },
    date,
  },
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

/** Templates that are programs take arguments. */
export const templateArguments = { auto: argument, jinja: argument } as const;
