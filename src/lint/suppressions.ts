import { CATALOGUE, type DiagnosticCode, type Severity } from "../diagnostics/catalogue.js";
import { type Diagnostic, diagnostic, type Extra, type Fix } from "../diagnostics/diagnostic.js";
import { retiredCode, retiredDiagnostic } from "../diagnostics/retired.js";
import { renaming, suggestion } from "../diagnostics/suggestion.js";
import { LineMap, type Range, withSpaceAround } from "../foundation/text.js";
import type { Comment, Comments } from "./comment.js";
import { commentsOf, SUPPRESSION_MARK } from "./comments.js";
import { RULES } from "./rules/index.generated.js";
import type { Source } from "./subject.js";

const SYNTAX = /^(?:#|\/\/)\s*skrull-ignore(-file)?\b([^:]*)(?::(.*))?$/s;

/** One name in one comment. */
interface Written {
  readonly name: string;
  readonly range: Range;
  /** Of the comment, to remove it with. */
  readonly comment: Comment;
  /** No other name stands in the comment. */
  readonly alone: boolean;
}

/** What such a name suppresses. */
interface Suppression extends Written {
  /** The line whose diagnostics it suppresses; every line where it stands for the whole file. */
  readonly line: number | "file";
}

export interface Suppressed {
  /** What was not suppressed. */
  readonly kept: readonly Diagnostic[];
  /** What is wrong with the suppressions. */
  readonly problems: readonly Diagnostic[];
}

/**
 * Leaves out the diagnostics of a file that its comments suppress with a reason.
 *
 * @param judged what could have been found: a suppression of anything else may be needed, whatever was found
 */
export function suppress(
  { file, text }: Source,
  diagnostics: readonly Diagnostic[],
  judged: ReadonlySet<DiagnosticCode>,
  comments: Comments,
): Suppressed {
  if (comments.comments.length === 0) return { kept: diagnostics, problems: [] };
  const reader = new SuppressionReader(file, text, comments);
  const suppressions = reader.read();
  const used = new Set<Suppression>();
  const kept = diagnostics.filter((found) => {
    const by = found.file === file ? suppressions.filter((s) => covers(s, found)) : [];
    for (const suppression of by) used.add(suppression);
    return by.length === 0;
  });
  for (const suppression of suppressions) {
    const could = judged.has(suppression.name as DiagnosticCode);
    if (could && !used.has(suppression)) reader.reportUnused(suppression);
  }
  return { kept, problems: reader.diagnostics };
}

/** What no comment of the documents suppresses; errors stop the compiler, whatever a comment says. */
export async function withoutSuppressed(
  documents: readonly Source[],
  diagnostics: readonly Diagnostic[],
): Promise<readonly Diagnostic[]> {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const rest = diagnostics.filter(({ severity }) => severity !== "error");
  return [...errors, ...(await leftBy(documents, rest))];
}

/** What the comments of these documents leave, errors of rules too. */
export async function leftBy(
  documents: readonly Source[],
  diagnostics: readonly Diagnostic[],
): Promise<readonly Diagnostic[]> {
  let left = diagnostics;
  for (const document of documents)
    left = suppress(document, left, new Set(), await commentsOf(document)).kept;
  return left;
}

const covers = ({ name, line }: Suppression, found: Diagnostic): boolean =>
  found.code === name && (line === "file" || line === found.range.start.line);

const RULE_CODES: readonly string[] = RULES.map(({ code }) => code);
const ENTRIES: Readonly<Record<string, { readonly severity: Severity }>> = CATALOGUE;

/** Rules, and whatever else does not stop the compiler. */
export function isSuppressible(code: string): boolean {
  if (RULE_CODES.includes(code)) return true;
  return Object.hasOwn(ENTRIES, code) && ENTRIES[code]?.severity !== "error";
}

/** For the end of every comment, where the content after it begins: from the last one on, so that none is passed twice. */
function contentAfterComments(
  text: string,
  comments: readonly Comment[],
): ReadonlyMap<number, number> {
  const starts = new Map(comments.map(({ start, end }) => [start, end]));
  const found = new Map<number, number>();
  for (const { end } of [...comments].sort((a, b) => b.start - a.start)) {
    let at = end;
    while (at < text.length && /\s/.test(text[at] ?? "")) at += 1;
    const next = starts.get(at);
    found.set(end, next === undefined ? at : (found.get(next) ?? at));
  }
  return found;
}

class SuppressionReader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #lines: LineMap;
  readonly #comments: readonly Comment[];
  /** Where the first thing that is no comment begins. */
  readonly #content: number;
  #followed: ReadonlyMap<number, number> | undefined;

  constructor(
    private readonly file: string,
    private readonly text: string,
    { comments, content }: Comments,
  ) {
    this.#lines = new LineMap(text);
    this.#comments = comments;
    this.#content = content;
  }

  read(): readonly Suppression[] {
    return this.#comments.flatMap((comment) => this.#readComment(comment));
  }

  reportUnused(suppression: Suppression): void {
    const fix = this.#removal(suppression);
    this.#report("unused-suppression", suppression.name, suppression.range, { fix });
  }

  #removal({ name, range, comment, alone }: Written): Fix {
    const removed = alone ? this.#wholeComment(comment) : this.#nameInList(range);
    const edits = [{ range: removed, new_text: "" }];
    return { title: `Remove the suppression of ${name}`, safe: true, edits };
  }

  #readComment(comment: Comment): readonly Suppression[] {
    const match = SYNTAX.exec(comment.text);
    if (!match) return [];
    const [, wholeFile, list = "", written] = match;
    const reason = written?.trim() || undefined;
    const names = list.split(/[\s,]+/).filter((name) => name !== "");
    const fault = this.#fault(comment, names, wholeFile !== undefined, reason);
    if (fault) {
      const { problem, ...help } = fault;
      const place = { file: this.file, range: this.#lines.range(comment.start, comment.end) };
      this.diagnostics.push(diagnostic("suppression-without-reason", { problem }, place, help));
      return [];
    }
    const line = wholeFile === undefined ? this.#lineOf(comment) : "file";
    const alone = names.length === 1;
    return names.flatMap((name) => {
      const written = { name, range: this.#rangeOf(name, comment), comment, alone };
      return this.#counts(written) ? [{ ...written, line }] : [];
    });
  }

  #rangeOf(name: string, { text, start }: Comment): Range {
    const list = text.indexOf(SUPPRESSION_MARK) + SUPPRESSION_MARK.length;
    const at = start + text.indexOf(name, list);
    return this.#lines.range(at, at + name.length);
  }

  /** Why a comment does not count. */
  #fault(
    { start }: Comment,
    names: readonly string[],
    wholeFile: boolean,
    reason: string | undefined,
  ): { readonly problem: string; readonly help?: string } | undefined {
    if (names.length === 0) return { problem: "names no rule" };
    if (reason === undefined) return { problem: "gives no reason" };
    if (!wholeFile || start <= this.#content) return undefined;
    const problem = "of the whole file does not stand at its top";
    return { problem, help: "Move it above everything but the version." };
  }

  /** Whether a name suppresses anything; where it does not, it is reported. */
  #counts(written: Written): boolean {
    const { name, range } = written;
    if (isSuppressible(name)) return true;
    const retired = retiredCode(name);
    if (retired) {
      const { successor } = retired;
      const fix = successor === undefined ? this.#removal(written) : renaming(range, successor);
      const place = { file: this.file, range };
      this.diagnostics.push(retiredDiagnostic(name, retired, place, "suppression", fix));
      return false;
    }
    if (Object.hasOwn(ENTRIES, name)) {
      this.#report("unsuppressible-error", name, range);
      return false;
    }
    const known = Object.keys(ENTRIES).filter(isSuppressible);
    const otherwise = "skrull explain lists what can be reported.";
    const advice = suggestion(name, known, otherwise, (near) => renaming(range, near));
    this.#report("unknown-suppressed-rule", name, range, advice);
    return false;
  }

  /** A comment beside something is of its own line, one that stands alone of the next line with something. */
  #lineOf({ start, end }: Comment): number {
    const { line, column } = this.#lines.position(start);
    if (
      this.#lines
        .line(line)
        .slice(0, column - 1)
        .trim() !== ""
    )
      return line;
    return this.#lines.position(this.#contentAfter(end)).line;
  }

  /** Where the first thing after an offset begins that is neither a comment nor space. */
  #contentAfter(end: number): number {
    this.#followed ??= contentAfterComments(this.text, this.#comments);
    return this.#followed.get(end) ?? this.text.length;
  }

  /** With the spaces before it, and its line where nothing else is on it. */
  #wholeComment(comment: Comment): Range {
    const { start, end } = withSpaceAround(this.text, comment);
    return this.#lines.range(start, end);
  }

  /** With the comma that separates it. */
  #nameInList({ start, end }: Range): Range {
    const line = this.#lines.line(start.line);
    const after = /^\s*,\s*/.exec(line.slice(end.column - 1))?.[0].length ?? 0;
    const before =
      after > 0 ? 0 : (/\s*,?\s*$/.exec(line.slice(0, start.column - 1))?.[0].length ?? 0);
    return {
      start: { line: start.line, column: start.column - before },
      end: { line: end.line, column: end.column + after },
    };
  }

  #report(
    code: "unused-suppression" | "unknown-suppressed-rule" | "unsuppressible-error",
    name: string,
    range: Range,
    extra: Extra = {},
  ): void {
    this.diagnostics.push(diagnostic(code, { name }, { file: this.file, range }, extra));
  }
}
