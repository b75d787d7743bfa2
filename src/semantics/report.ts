import type { DiagnosticCode } from "../diagnostics/catalogue.js";
import { type Diagnostic, diagnostic, type Extra, type Values } from "../diagnostics/diagnostic.js";
import type { LineMap, Range } from "../foundation/text.js";
import type { Span } from "../syntax/tree.js";

/** Where the values of a spec were written: `memory.budget` to the range of its value, `memory` to the block's name. */
export class Origins {
  readonly #ranges = new Map<string, Range>();

  constructor(
    readonly file: string,
    private readonly lines: LineMap,
  ) {}

  record(path: string, span: Span): void {
    if (!this.#ranges.has(path)) this.#ranges.set(path, this.lines.range(span.start, span.end));
  }

  has(path: string): boolean {
    return this.#ranges.has(path);
  }

  /** Place of a value; of its block where it was not set; of the file's start where there is no block. */
  place(path: string): { readonly file: string; readonly range: Range } {
    const block = path.split(".")[0] ?? path;
    const range = this.#ranges.get(path) ?? this.#ranges.get(block) ?? this.lines.range(0, 0);
    return { file: this.file, range };
  }
}

/** Collects the diagnostics of one file. */
export class Report {
  readonly diagnostics: Diagnostic[] = [];

  constructor(
    readonly file: string,
    readonly lines: LineMap,
  ) {}

  at<Code extends DiagnosticCode>(
    code: Code,
    values: Values<Code>,
    span: Span,
    extra: Extra = {},
  ): void {
    const place = { file: this.file, range: this.lines.range(span.start, span.end) };
    this.diagnostics.push(diagnostic(code, values, place, extra));
  }
}
