import { Ajv } from "ajv";
import { parse } from "yaml";

/**
 * How the messages of one role become text. Every string of a list is tokenised by itself, so that no content can
 * move a boundary; `header` is tokenised together with the content that follows it.
 */
export interface RoleTemplate {
  readonly before?: readonly string[];
  readonly header?: string;
  /** White space around the content is left out. */
  readonly trim?: boolean;
  /** What ends a message; trained after an answer of the assistant. */
  readonly end?: readonly string[];
  readonly after?: readonly string[];
  /** Instead of all this: the content goes in front of that of the next message, which has this role. */
  readonly into?: string;
  /** Between the two. */
  readonly separator?: string;
}

/** How a conversation becomes text: data, not a program, so that compiler and runtime cannot disagree on it. */
export interface ChatTemplate {
  /** Before the first message. */
  readonly begin?: readonly string[];
  /** By role; `*` is every other. `{role}` stands for the role's name, `{end}` for the end token. */
  readonly roles: Readonly<Record<string, RoleTemplate>>;
}

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
  const { begin = [], roles } = json;
  const problems = Object.entries(roles).flatMap(([role, own]) => roleProblems(role, own, roles));
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, template: { begin, roles: roles } };
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

/** What a template says of a role, by name or as one of the others. */
export function roleOf(roles: ChatTemplate["roles"], role: string): RoleTemplate | undefined {
  return Object.hasOwn(roles, role)
    ? roles[role]
    : Object.hasOwn(roles, "*")
      ? roles["*"]
      : undefined;
}

/** A template of the catalogue, from its data file. */
export function parseTemplate(file: string): ChatTemplate {
  const { begin = [], roles } = parse(file) as ChatTemplate;
  return { begin, roles };
}

/** A user's template, JSON or YAML. */
export function readTemplateText(file: string): ReadTemplate {
  try {
    return readTemplate(parse(file));
  } catch {
    return { ok: false, problems: ["is neither JSON nor YAML"] };
  }
}

const END = "{end}";

/** Whether the tokenizer's end token appears in a template. */
export function usesEnd(template: ChatTemplate): boolean {
  return JSON.stringify(template).includes(END);
}

/** A template with the end token in its place. */
export function withEnd({ begin = [], roles }: ChatTemplate, end: string): ChatTemplate {
  const fill = (text: string) => text.split(END).join(end);
  const list = (texts: readonly string[] = []) => texts.map(fill).filter((text) => text !== "");
  const filled = Object.entries(roles).map(([role, own]) => [
    role,
    own.into === undefined
      ? {
          before: list(own.before),
          header: fill(own.header ?? ""),
          trim: own.trim ?? false,
          end: list(own.end),
          after: list(own.after),
        }
      : { into: own.into, separator: own.separator ?? "" },
  ]);
  return { begin: list(begin), roles: Object.fromEntries(filled) };
}
