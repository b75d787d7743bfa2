import { RETIRED_CODES, type RetiredCode } from "../diagnostics/catalogue/retired.js";
import { summaryOf } from "../diagnostics/page.js";
import { fateOf } from "../diagnostics/retired.js";
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
          properties: {
            ...Object.fromEntries(RULES.map((rule) => [rule.code, settingSchema(rule)])),
            ...Object.fromEntries(
              Object.entries(RETIRED_CODES).map(([name, code]) => [name, retiredSchema(code)]),
            ),
          },
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

/** What was valid stays so: of a dropped rule anything. */
function retiredSchema(retired: RetiredCode) {
  const about = { description: `It ${fateOf(retired)}.`, deprecated: true };
  const successor = RULES.find(({ code }) => code === retired.successor);
  if (!successor) return about;
  const renamed = Object.entries(retired.options ?? {}).flatMap(([before, now]) => {
    const option = successor.options[now];
    return option ? [[before, option] as const] : [];
  });
  const schema = settingSchema({ ...successor, options: Object.fromEntries(renamed) });
  return { ...schema, ...about };
}

function settingSchema({ code, options }: Pick<Rule, "code" | "options">) {
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
