import { RENDERING_DEFAULTS } from "../../foundation/records.generated.js";
import { copiedPath } from "../kinds.js";
import type { Properties, Property } from "../types.js";

const date = {
  type: { kind: "string" },
  doc: "The date, as `YYYY-MM-DD`, that a template gets when it writes today's date: the same every day.",
  since: 1,
  default: RENDERING_DEFAULTS.date,
} as const satisfies Property;

const argument = {
  type: { kind: "scalar" },
  doc: "An argument of the template, such as `enable_thinking = false`; its author documents which exist.",
  since: 1,
  optional: "the template's default",
} as const satisfies Property;

/** The tokenizer's own template, one in Jinja, the catalogue's, and a declared one. */
export const templates = {
  auto: { date },
  jinja: {
    path: {
      type: copiedPath,
      doc: "A Jinja chat template, as in Hugging Face tokenizers.",
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
      doc: "A template in JSON or YAML, as described by `schemas/template.schema.json`; those in `catalogue/templates` are examples.",
      since: 1,
      required: "It says how messages become text.",
    },
  },
} as const satisfies Readonly<Record<string, Properties>>;

/** Templates that are programs take arguments. */
export const templateArguments = { auto: argument, jinja: argument } as const;
