import { summaryOf } from "../diagnostics/page.js";
import type { Rule } from "./rule.js";
import { RULES } from "./rules/index.generated.js";

const LEVEL = { enum: ["off", "info", "warning", "error"] };

/** Of which all lines may be commented out. */
const SECTION = ["object", "null"];

/** JSON Schema of `skrull.config.yaml`; schemas/config.schema.json is written from it. */
export const CONFIGURATION_SCHEMA = {
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "skrull.config.yaml",
  type: "object",
  additionalProperties: false,
  properties: {
    root: {
      type: "boolean",
      description:
        "The project ends here: configurations of folders above do not hold, and imports stay inside this folder. Write it as a line of its own.",
    },
    lint: {
      type: SECTION,
      additionalProperties: false,
      properties: {
        rules: {
          type: SECTION,
          description: "Level of a rule, or its level and options.",
          additionalProperties: false,
          properties: Object.fromEntries(RULES.map((rule) => [rule.code, settingSchema(rule)])),
        },
        exclude: {
          type: ["array", "null"],
          description:
            "Glob patterns, relative to this file, of specs that a folder's lint leaves out.",
          items: { type: "string", minLength: 1, maxLength: 4096 },
        },
      },
    },
  },
};

function settingSchema({ code, options }: Rule) {
  const numbers = Object.entries(options).map(([name, { doc, min, max, default: value }]) => [
    name,
    { type: "number", minimum: min, maximum: max, default: value, description: doc },
  ]);
  return {
    description: summaryOf(code),
    anyOf: [
      LEVEL,
      {
        type: "object",
        additionalProperties: false,
        properties: { level: LEVEL, ...Object.fromEntries(numbers) },
      },
    ],
  };
}
