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

/** What a template says of a role, by name or as one of the others. */
export function roleOf(roles: ChatTemplate["roles"], role: string): RoleTemplate | undefined {
  return Object.hasOwn(roles, role)
    ? roles[role]
    : Object.hasOwn(roles, "*")
      ? roles["*"]
      : undefined;
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
