import { EOF, type IRecognitionException, type IToken } from "chevrotain";
import {
  type Diagnostic,
  diagnostic,
  type Extra,
  MOST_DIAGNOSTICS,
} from "../diagnostics/diagnostic.js";
import type { LineMap } from "../foundation/text.js";
import {
  adviceOf,
  closingQuote,
  doubledSign,
  doubleQuoted,
  escapedBackslash,
  inQuotes,
  instead,
  isCommaInNumber,
  lineComment,
  missingSign,
  otherSign,
  partedThousands,
  type SyntaxFix,
  strayComma,
} from "./fixes.js";
import { numberProblem } from "./numbers.js";
import { BarePath, BlockComment, NumberLiteral, OtherQuotes, UnterminatedText } from "./tokens.js";
import type { Span } from "./tree.js";

/** Looked at before a sign that may belong to it. */
const LONGEST_NAME = 64;

export const spanOf = (token: IToken): Span => ({
  start: token.startOffset,
  end: token.startOffset + token.image.length,
});

/** The token before an error; recovered ones have no position, and are none. */
function previousOf(error: IRecognitionException): IToken | undefined {
  // Absent from the declared type, present on every error that has a token before it.
  const { previousToken } = error as { previousToken?: IToken };
  return previousToken && Number.isFinite(previousToken.startOffset) ? previousToken : undefined;
}

/** Where that ends. */
export function previousEnd(error: IRecognitionException): number {
  const previous = previousOf(error);
  return previous ? spanOf(previous).end : 0;
}

/** Collects the syntax errors of one text, with what fixes them. */
export class Reporter {
  readonly #diagnostics: Diagnostic[] = [];

  constructor(
    private readonly file: string,
    private readonly lines: LineMap,
  ) {}

  at(start: number, end: number) {
    return { file: this.file, range: this.lines.range(start, end) };
  }

  atSpan(span: Span) {
    return this.at(span.start, span.end);
  }

  get full(): boolean {
    return this.#diagnostics.length > MOST_DIAGNOSTICS;
  }

  /** One more than the most is kept: it says that there are more. */
  add(found: Diagnostic): void {
    if (!this.full) this.#diagnostics.push(found);
  }

  /** What is wrong with a token by itself. */
  token(token: IToken): void {
    if (token.tokenType === BlockComment) this.blockComment(token);
    if (token.tokenType === UnterminatedText) this.unterminated(token);
    if (token.tokenType === OtherQuotes) this.otherQuotes(token);
    if (token.tokenType === BarePath) this.barePath(token);
    if (token.tokenType === NumberLiteral) this.number(token);
  }

  found(): readonly Diagnostic[] {
    return this.#diagnostics;
  }

  lexical(text: string, offset: number, length: number): void {
    const character = describe(text.slice(offset, offset + Math.min(length, 12)));
    const fix = otherSign(
      text.slice(Math.max(0, offset - LONGEST_NAME), offset),
      text.slice(offset, offset + length),
    );
    const extra = fix ? { help: adviceOf(fix), ...this.#fix(fix, offset) } : {};
    const place = this.at(offset, offset + length);
    this.add(diagnostic("invalid-character", { character }, place, extra));
  }

  private unterminated(token: IToken): void {
    const { startOffset: start, image } = token;
    const fix = this.#fix(closingQuote(image), start);
    this.add(diagnostic("unterminated-string", {}, this.atSpan(spanOf(token)), fix));
  }

  private blockComment(token: IToken): void {
    const { startOffset: start, image } = token;
    const { end } = spanOf(token);
    const fix = this.#fix(lineComment(image, this.lines.text.slice(end, end + 1)), start);
    const extra = { help: "Comments begin with # or // and end with their line.", ...fix };
    const values = { character: "'/*'" };
    this.add(diagnostic("invalid-character", values, this.at(start, end), extra));
  }

  private otherQuotes(token: IToken): void {
    const { startOffset: start, image } = token;
    const extra = { help: "Put text in double quotes.", ...this.#fix(doubleQuoted(image), start) };
    const values = { character: describe(image.slice(0, 1)) };
    this.add(diagnostic("invalid-character", values, this.atSpan(spanOf(token)), extra));
  }

  private barePath(token: IToken): void {
    const { startOffset: start, image } = token;
    const fix = this.#fix(inQuotes(image), start);
    const extra = { help: "Put paths and names of models in double quotes.", ...fix };
    const values = { character: describe(/[^\w-]/.exec(image)?.[0] ?? "") };
    this.add(diagnostic("invalid-character", values, this.atSpan(spanOf(token)), extra));
  }

  private number(token: IToken): void {
    const found = numberProblem(token.image);
    if (!found) return;
    const { problem, meant } = found;
    const length = token.image.length;
    const fix = meant === undefined ? {} : this.#fix(instead(length, meant), token.startOffset);
    const values = { number: describe(token.image), problem };
    this.add(diagnostic("invalid-number", values, this.atSpan(spanOf(token)), fix));
  }

  invalidEscape(sequence: string, span: Span): void {
    const fix = this.#fix(escapedBackslash(sequence), span.start);
    this.add(diagnostic("invalid-escape", { escape: sequence }, this.atSpan(span), fix));
  }

  #fix(fix: SyntaxFix | undefined, offset: number): Extra {
    if (!fix) return {};
    const { title, safe, start, end, text } = fix;
    const { range } = this.at(offset + start, offset + end);
    return { fix: { title, safe, edits: [{ range, new_text: text }] } };
  }

  /** The end of the file and tokens inserted by recovery have no position: the token before has. */
  syntactic(error: IRecognitionException, length: number, unclosed?: IToken): void {
    const { message, token } = error;
    const placed = token.tokenType !== EOF && Number.isFinite(token.startOffset);
    const before = previousEnd(error);
    const lineEnd = this.lines.text.startsWith("\r\n", before) ? 2 : 1;
    const span = placed
      ? spanOf(token)
      : { start: before, end: Math.min(length, before + lineEnd) };
    const found = placed ? describe(token.image) : "the end of the file";
    const related = unclosed && [
      { message: "this brace is not closed", ...this.atSpan(spanOf(unclosed)) },
    ];
    const values = { expected: message, found };
    const extra = {
      ...(placed ? this.#advice(error, span.start - before) : {}),
      ...(related ? { related } : {}),
    };
    this.add(diagnostic("unexpected-token", values, this.atSpan(span), extra));
  }

  #advice(error: IRecognitionException, gap: number): Extra {
    const { message, token } = error;
    const { text } = this.lines;
    const { start, end } = spanOf(token);
    if (isCommaInNumber(text.slice(start - 1, start), token.image, text.slice(end, end + 1))) {
      const thousands = partedThousands(
        text.slice(Math.max(0, start - LONGEST_NAME), start),
        text.slice(start, start + LONGEST_NAME),
      );
      const help = "Write a fraction as 0.5, and thousands as 1_000.";
      return { help, ...this.#fix(thousands, start) };
    }
    const previous = previousOf(error);
    // What is written at the end of an open string becomes its text.
    if (previous?.tokenType === UnterminatedText) return {};
    if (previous?.image === "skrull" && token.tokenType === NumberLiteral)
      return { help: "The line with the version begins the file, once." };
    const fix =
      missingSign(message, token, gap) ?? doubledSign(previous, token) ?? strayComma(token.image);
    return fix ? { help: adviceOf(fix), ...this.#fix(fix, start) } : {};
  }
}

/** Text of the spec inside a message: short, on one line, visible. */
function describe(text: string): string {
  const short = text.length > 24 ? `${text.slice(0, 24)}…` : text;
  const visible = short.replace(
    /[\p{Cc}\p{Cf}\p{Cs}]/gu,
    (c) => `U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`,
  );
  return `'${visible}'`;
}
