import type { DiagnosticCode } from "../diagnostics/catalogue.js";
import {
  type Diagnostic,
  diagnostic,
  type Extra,
  MOST_DIAGNOSTICS,
  type Place,
  type Values,
} from "../diagnostics/diagnostic.js";
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

/** Collects the diagnostics of one file. */
export class Report {
  readonly diagnostics: Diagnostic[] = [];
  #count = 0;

  constructor(
    readonly file: string,
    readonly lines: LineMap,
  ) {}

  /** Of all that was reported, kept or not. */
  get count(): number {
    return this.#count;
  }

  at<Code extends DiagnosticCode>(
    code: Code,
    values: Values<Code>,
    span: Span,
    extra: Extra = {},
  ): void {
    this.atPlace(
      code,
      values,
      { file: this.file, range: this.lines.range(span.start, span.end) },
      extra,
    );
  }

  /** One more than the most is kept: it says that there are more. */
  atPlace<Code extends DiagnosticCode>(
    code: Code,
    values: Values<Code>,
    place: Place,
    extra: Extra = {},
  ): void {
    this.#count += 1;
    if (this.diagnostics.length <= MOST_DIAGNOSTICS)
      this.diagnostics.push(diagnostic(code, values, place, extra));
  }
}
