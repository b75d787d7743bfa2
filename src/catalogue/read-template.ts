import { Ajv } from "ajv";
import { parse } from "yaml";
import { type ChatTemplate, type RoleTemplate, roleOf } from "./template.js";

export type ReadTemplate =
  | { readonly ok: true; readonly template: ChatTemplate }
  | { readonly ok: false; readonly problems: readonly string[] };

const pieces = {
  type: "array",
  maxItems: 16,
  items: { type: "string", minLength: 1, maxLength: 4096 },
} as const;
const text = { type: "string", maxLength: 4096 } as const;

/** Of a template's file; `schemas/template.schema.json`. */
export const TEMPLATE_SCHEMA = {
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "A chat template of skrull",
  type: "object",
  additionalProperties: false,
  required: ["roles"],
  properties: {
    name: { ...text, description: "For people." },
    source: { ...text, description: "Where it comes from." },
    begin: { ...pieces, description: "Before the first message, each tokenised by itself." },
    roles: {
      type: "object",
      minProperties: 1,
      maxProperties: 64,
      propertyNames: { minLength: 1, maxLength: 64 },
      description: "How the messages of each role become text; * is every other role.",
      additionalProperties: {
        type: "object",
        additionalProperties: false,
        properties: {
          before: { ...pieces, description: "Before the message, each tokenised by itself." },
          header: { ...text, description: "Tokenised together with the content after it." },
          trim: { type: "boolean", description: "Leaves out white space around the content." },
          end: { ...pieces, description: "Ends the message; trained after an answer." },
          after: { ...pieces, description: "After the message, never trained." },
          into: { ...text, description: "The content joins the next message, of this role." },
          separator: { ...text, description: "Between the two." },
        },
      },
    },
  },
} as const;

const validate = new Ajv({ allErrors: true, strictTypes: false }).compile<ChatTemplate>(
  TEMPLATE_SCHEMA,
);

/** Checks a parsed template; says every problem. Never throws. */
export function readTemplate(json: unknown): ReadTemplate {
  if (!validate(json)) {
    const problems = (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const key = "additionalProperty" in params ? ` ('${params["additionalProperty"]}')` : "";
      return `${instancePath || "the document"} ${message}${key}`;
    });
    return { ok: false, problems };
  }
  if (!isWellFormed(json)) return { ok: false, problems: ["holds half a character: a surrogate"] };
  const { begin = [], roles } = json;
  const problems = Object.entries(roles).flatMap(([role, own]) => roleProblems(role, own, roles));
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, template: { begin, roles: roles } };
}

/** Whether UTF-8 can carry every string of a document. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, item]) => key.isWellFormed() && isWellFormed(item));
}

function roleProblems(
  role: string,
  { into, separator, ...rest }: RoleTemplate,
  roles: ChatTemplate["roles"],
): readonly string[] {
  const place = `/roles/${role}`;
  if (into === undefined)
    return separator === undefined ? [] : [`${place}/separator has no meaning without 'into'`];
  const other = roleOf(roles, into);
  if (!other || other.into !== undefined)
    return [`${place}/into must name a role that is written out`];
  return Object.keys(rest).length > 0 ? [`${place} cannot have pieces of its own and 'into'`] : [];
}

/** A user's template, JSON or YAML. */
export function readTemplateText(file: string): ReadTemplate {
  try {
    return readTemplate(parse(file));
  } catch {
    return { ok: false, problems: ["is neither JSON nor YAML"] };
  }
}
