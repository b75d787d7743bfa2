import { coverSecrets } from "../foundation/secrets.js";
import type { Range } from "../foundation/text.js";
import { CATALOGUE, type DiagnosticCode, type Severity } from "./catalogue.js";

/** Another place that has to do with a diagnostic. */
export interface Related {
  readonly message: string;
  readonly file: string;
  readonly range: Range;
}

/** An edit that fixes what a diagnostic reports; `safe` when it cannot change what the user meant. */
export interface Fix {
  readonly title: string;
  readonly safe: boolean;
  readonly edits: readonly { readonly range: Range; readonly new_text: string }[];
}

/** A user's mistake: what, where, why, what to do. Never an exception. */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  readonly message: string;
  readonly why: string;
  readonly help?: string;
  readonly file: string;
  readonly range: Range;
  readonly related?: readonly Related[];
  readonly fix?: Fix;
}

/** What is filled in of an entry, wherever a placeholder stands in it. */
export type PlaceholdersOf<Declared> = {
  [Part in "message" | "why" | "help"]: Declared extends { readonly [_ in Part]: infer Text }
    ? NamesIn<Text>
    : never;
}["message" | "why" | "help"];

type NamesIn<Text> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? NameOf<Name> | NamesIn<Rest>
  : never;

/** Advice also shows braces of the language, `data { malformed = {count} }`, and of escapes, `\u{XXXXXX}`. */
type NameOf<Braced extends string> = Braced extends `${string}{${infer Inner}`
  ? NameOf<Inner>
  : Braced extends `${infer Count}:${string}`
    ? Count
    : Braced extends `${string} ${string}` | Uppercase<Braced>
      ? never
      : Braced;

/** Values for a code's placeholders. */
export type Values<Code extends DiagnosticCode> = Readonly<
  Record<PlaceholdersOf<(typeof CATALOGUE)[Code]>, string | number>
>;

export interface Place {
  readonly file: string;
  readonly range: Range;
}

export interface Extra {
  /** Instead of the catalogue's advice. */
  readonly help?: string;
  readonly related?: readonly Related[];
  readonly fix?: Fix;
}

/** A diagnostic of the catalogue at a place. */
export function diagnostic<Code extends DiagnosticCode>(
  code: Code,
  values: Values<Code>,
  place: Place,
  extra: Extra = {},
): Diagnostic {
  const entry: { severity: Severity; message: string; why: string; help?: string } =
    CATALOGUE[code];
  const fill = (text: string) => fillIn(text, values);
  const help = extra.help ?? (entry.help === undefined ? undefined : fill(entry.help));
  return {
    code,
    severity: entry.severity,
    // A value at fault may be a credential in the wrong place.
    message: coverSecrets(fill(entry.message)),
    why: fill(entry.why),
    ...(help === undefined ? {} : { help }),
    file: place.file,
    range: place.range,
    ...(extra.related ? { related: extra.related } : {}),
    ...(extra.fix ? { fix: extra.fix } : {}),
  };
}

/** `{name}`, and `{count:sample is|samples are}`, which is chosen by a value beside it. */
const PLACEHOLDER = /\{(\w+)(?::([^{}|]*)\|([^{}|]*))?\}/g;

function fillIn(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(
    PLACEHOLDER,
    (whole, name: string, one: string | undefined, several: string | undefined) => {
      if (!Object.hasOwn(values, name)) return whole;
      const value = String(values[name]);
      return (value === "1" ? one : several) ?? value;
    },
  );
}

/** Shown of one file; what has more is no spec. */
export const MOST_DIAGNOSTICS = 100;

/** The diagnostics of one file in its order; beyond the limit, one that says so. */
export function boundDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const sorted = sortDiagnostics(diagnostics);
  const next = sorted[MOST_DIAGNOSTICS];
  if (!next) return sorted;
  const more = diagnostic("too-many-errors", { limit: MOST_DIAGNOSTICS }, next);
  return [...sorted.slice(0, MOST_DIAGNOSTICS), more];
}

/** In the order of a file: by place, then by code. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...diagnostics].sort(
    (a, b) =>
      compare(a.file, b.file) ||
      a.range.start.line - b.range.start.line ||
      a.range.start.column - b.range.start.column ||
      compare(a.code, b.code),
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Each once: runs and files that share something have its mistakes in common. */
export function withoutRepeats(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...new Map(diagnostics.map((found) => [JSON.stringify(found), found])).values()];
}

/** Whether anything stops the compiler. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((d) => d.severity === "error");
}
