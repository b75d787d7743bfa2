import type { DiagnosticCode } from "../diagnostics/catalogue.js";
import {
  type Diagnostic,
  diagnostic,
  type Extra,
  type Fix,
  MOST_DIAGNOSTICS,
  type Place,
  type Values,
} from "../diagnostics/diagnostic.js";
import { type LineMap, type Range, withSpaceAround } from "../foundation/text.js";
import type { Span } from "../syntax/tree.js";
import { isYamlPath } from "./document.js";

/** How a mistake at a value is told. */
export type Reporting = <Code extends DiagnosticCode>(
  code: Code,
  path: string,
  values: Values<Code>,
  extra?: Extra,
) => void;

/** Where the values of a spec were written: `memory.budget` to its value, `memory` to the block's name. */
export class Origins {
  readonly #places = new Map<string, Place>();
  readonly #below: Place[] = [];

  /** @param start where what was never written is reported */
  constructor(readonly start: Place) {}

  get file(): string {
    return this.start.file;
  }

  record(path: string, place: Place): void {
    this.#places.set(path, place);
  }

  /** A block's name where another block is written over it. */
  recordBelow(place: Place): void {
    this.#below.push(place);
  }

  recordAll(others: Origins): void {
    for (const [path, place] of others.#places) this.#places.set(path, place);
    this.#below.push(...others.#below);
  }

  has(path: string): boolean {
    return this.#places.has(path);
  }

  /** Whether a value, or a block, of the spec was written there. */
  uses({ file, range: { start } }: Place): boolean {
    const starts = (place: Place) =>
      place.file === file &&
      place.range.start.line === start.line &&
      place.range.start.column === start.column;
    for (const place of this.#places.values()) if (starts(place)) return true;
    return this.#below.some(starts);
  }

  /** Place of a value; of its block where it was not set; of the file's start where there is no block. */
  place(path: string): Place {
    const block = path.split(".")[0] ?? path;
    return this.#places.get(path) ?? this.#places.get(block) ?? this.start;
  }
}

/** Collects diagnostics at the values of a spec, whichever stage finds them. */
export class SpecReport {
  readonly diagnostics: Diagnostic[] = [];

  constructor(private readonly origins: Origins) {}

  /** @param path of the value, such as `memory.budget` */
  at<Code extends DiagnosticCode>(
    code: Code,
    path: string,
    values: Values<Code>,
    extra: Extra = {},
  ): void {
    this.diagnostics.push(diagnostic(code, values, this.origins.place(path), extra));
  }
}

/** What was found in all documents of one analysis. The same mistake met twice, in two runs, is told once. */
export class Findings {
  readonly diagnostics: Diagnostic[] = [];
  readonly #told = new Set<string>();
  #count = 0;
  #met: Diagnostic[] | undefined;

  /** Of all that was found, kept or not: whoever compares it before and after knows whether something is wrong. */
  get count(): number {
    return this.#count;
  }

  /** Nothing that is found from here on is kept: no need to look for what was meant. */
  get full(): boolean {
    return this.diagnostics.length > MOST_DIAGNOSTICS;
  }

  /** What is found meanwhile, told before or not. */
  during(work: () => void): readonly Diagnostic[] {
    const outer = this.#met;
    const met: Diagnostic[] = [];
    this.#met = met;
    work();
    this.#met = outer;
    return met;
  }

  /** One more than the most is kept: it says that there are more. */
  add(found: Diagnostic): void {
    if (found.severity === "error") this.#count += 1;
    if (this.full) return;
    this.#met?.push(found);
    const { line, column } = found.range.start;
    const key = `${found.code} ${line}:${column} ${found.file} ${found.message}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.diagnostics.push(found);
  }

  /** Something depends on what has been told already. */
  spoil(): void {
    this.#count += 1;
  }
}

/** Collects the diagnostics of one document. */
export class Report {
  constructor(
    private readonly document: { readonly file: string; readonly lines: LineMap },
    readonly findings: Findings,
  ) {}

  at<Code extends DiagnosticCode>(
    code: Code,
    values: Values<Code>,
    span: Span,
    extra: Extra = {},
  ): void {
    this.atPlace(code, values, this.place(span), extra);
  }

  atPlace<Code extends DiagnosticCode>(
    code: Code,
    values: Values<Code>,
    place: Place,
    extra: Extra = {},
  ): void {
    this.findings.add(diagnostic(code, values, place, extra));
  }

  range(span: Span): Range {
    return this.document.lines.range(span.start, span.end);
  }

  /** With its line where nothing else is on it. */
  rangeWithSpace(span: Span): Range {
    return this.range(withSpaceAround(this.document.lines.text, span));
  }

  place(span: Span): Place {
    return { file: this.document.file, range: this.range(span) };
  }

  /** What stands in the document at a span. */
  written({ start, end }: Span): string {
    return this.document.lines.text.slice(start, end);
  }

  /** What stands on an offset's line before it. */
  lineBefore(offset: number): string {
    const { line } = this.range({ start: offset, end: offset }).start;
    const { lines } = this.document;
    return lines.text.slice(lines.offset({ line, column: 1 }), offset);
  }

  /** The document is in the YAML or JSON form. */
  get isYaml(): boolean {
    return isYamlPath(this.document.file);
  }

  /** What comes after a key, and after a block's name, in the document's form. */
  get signs(): { readonly key: string; readonly block: string } {
    return this.isYaml ? { key: ":", block: ":" } : { key: " =", block: "" };
  }

  get text(): string {
    return this.document.lines.text;
  }

  /** How the document's lines end. */
  get newLine(): string {
    return this.document.lines.text.includes("\r\n") ? "\r\n" : "\n";
  }

  /** A fix that puts `text` in a span's place. */
  replacement(title: string, span: Span, text: string, safe = false): Fix {
    return { title, safe, edits: [{ range: this.range(span), new_text: text }] };
  }

  /** The report of another document, with the same findings. */
  in(document: { readonly file: string; readonly lines: LineMap }): Report {
    return document === this.document ? this : new Report(document, this.findings);
  }
}
