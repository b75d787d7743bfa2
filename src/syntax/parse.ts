import { type CstNode, EOF, type IRecognitionException, type IToken } from "chevrotain";
import {
  type Diagnostic,
  diagnostic,
  type Extra,
  MOST_DIAGNOSTICS,
} from "../diagnostics/diagnostic.js";
import { LineMap } from "../foundation/text.js";
import { buildFile, buildValue } from "./build-tree.js";
import {
  closingQuote,
  doubledSign,
  doubleQuoted,
  escapedBackslash,
  instead,
  isCommaInNumber,
  type Mend,
  missingSign,
  otherSign,
  strayComma,
} from "./mend.js";
import { numberProblem } from "./numbers.js";
import { SPEC_PARSER } from "./parser.js";
import {
  CloseBrace,
  NumberLiteral,
  OpenBrace,
  OtherQuotes,
  SPEC_LEXER,
  UnterminatedText,
} from "./tokens.js";
import type { FileNode, Span, ValueNode } from "./tree.js";

export const LONGEST_FILE = 256 * 1024;
const DEEPEST_NESTING = 32;
const LONGEST_VALUE = 1024;
/** Looked at before a sign that may belong to it. */
const LONGEST_NAME = 64;

export interface ParsedFile {
  readonly file: string;
  readonly lines: LineMap;
  /** Whatever could be read, also where there are errors. */
  readonly tree: FileNode;
  /** In the order they were found; more than {@link MOST_DIAGNOSTICS} where the rest were left out. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What is read of a file that is no spec: nothing. */
export function fileTooLarge(file: string, text: string): ParsedFile {
  const lines = new LineMap("");
  const report = new Reporter(file, lines);
  const tree = emptyFile(text);
  const values = { size: text.length, limit: LONGEST_FILE };
  report.add(diagnostic("file-too-large", values, report.at(0, 0)));
  return { file, lines, tree, diagnostics: report.found() };
}

/** The tree of a text that could not be read. */
export const emptyFile = (text: string): FileNode => ({
  kind: "file",
  start: 0,
  end: text.length,
  entries: [],
  blocks: [],
  imports: [],
  constants: [],
});

/** Reads a spec. Never throws: every mistake is a diagnostic with its exact place. */
export function parseSpec(file: string, text: string): ParsedFile {
  if (text.length > LONGEST_FILE) return fileTooLarge(file, text);
  const lines = new LineMap(text);
  const report = new Reporter(file, lines);
  const tree = readTree(text, report);
  return { file, lines, tree, diagnostics: report.found() };
}

function readTree(text: string, report: Reporter): FileNode {
  const { tokens, errors } = SPEC_LEXER.tokenize(text);
  for (const { offset, length } of errors) report.lexical(text, offset, length);
  for (const token of tokens) {
    if (token.tokenType === UnterminatedText) report.unterminated(token);
    if (token.tokenType === OtherQuotes) report.otherQuotes(token);
    if (token.tokenType === NumberLiteral) report.number(token);
  }
  const deep = tooDeep(tokens);
  if (deep) {
    report.add(
      diagnostic("nesting-too-deep", { limit: DEEPEST_NESTING }, report.atSpan(spanOf(deep))),
    );
    return emptyFile(text);
  }
  SPEC_PARSER.input = tokens;
  const cst: CstNode = SPEC_PARSER.file();
  for (const error of worthTelling(SPEC_PARSER.errors, errors)) {
    const unclosed = error.token.tokenType === EOF ? unclosedBrace(tokens) : undefined;
    report.syntactic(error, text.length, unclosed);
  }
  return buildFile(cst, text.length, (problem, span) => report.invalidEscape(problem, span));
}

/**
 * A value that stands inside a scalar of another language; every node gets that scalar's place.
 *
 * @returns `undefined` where the text is not a value
 */
export function parseValue(text: string, place: Span): ValueNode | undefined {
  const { tokens, errors } = SPEC_LEXER.tokenize(text.slice(0, LONGEST_VALUE));
  const wrong = ({ tokenType, image }: IToken) =>
    tokenType === NumberLiteral && numberProblem(image) !== undefined;
  if (errors.length > 0 || text.length > LONGEST_VALUE || tokens.some(wrong) || tooDeep(tokens))
    return undefined;
  SPEC_PARSER.input = tokens;
  const cst: CstNode = SPEC_PARSER.value();
  if (SPEC_PARSER.errors.length > 0) return undefined;
  const value = buildValue(cst, () => undefined);
  return value && placedAt(value, place);
}

/** A copy of a tree with every node at one place. */
function placedAt<Node>(node: Node, { start, end }: Span): Node {
  if (Array.isArray(node)) return node.map((item) => placedAt(item, { start, end })) as Node;
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).map(([key, value]) => [
    key,
    placedAt(value, { start, end }),
  ]);
  return { ...Object.fromEntries(entries), ...("start" in node ? { start, end } : {}) };
}

function tooDeep(tokens: readonly IToken[]): IToken | undefined {
  let depth = 0;
  for (const token of tokens) {
    if (/^[{[(]$/.test(token.image)) depth += 1;
    if (/^[}\])]$/.test(token.image)) depth = Math.max(0, depth - 1);
    if (depth > DEEPEST_NESTING) return token;
  }
  return undefined;
}

/** Errors of the parser that say something new: one for a token, none where a character was already rejected. */
function worthTelling(
  errors: readonly IRecognitionException[],
  rejected: readonly { readonly offset: number }[],
): readonly IRecognitionException[] {
  const told = new Set<number>();
  return errors.filter((error) => {
    const { token } = error;
    const at = token.tokenType === EOF ? Number.MAX_SAFE_INTEGER : token.startOffset;
    const before = previousEnd(error);
    const known = told.has(at) || rejected.some(({ offset }) => offset >= before && offset < at);
    told.add(at);
    return !known;
  });
}

/** The token before an error; recovered ones have no position, and are none. */
function previousOf(error: IRecognitionException): IToken | undefined {
  // Absent from the declared type, present on every error that has a token before it.
  const { previousToken } = error as { previousToken?: IToken };
  return previousToken && Number.isFinite(previousToken.startOffset) ? previousToken : undefined;
}

function previousEnd(error: IRecognitionException): number {
  const previous = previousOf(error);
  return previous ? spanOf(previous).end : 0;
}

/** The outermost brace without its partner: what follows it reads as its content. */
function unclosedBrace(tokens: readonly IToken[]): IToken | undefined {
  const open: IToken[] = [];
  for (const token of tokens) {
    if (token.tokenType === OpenBrace) open.push(token);
    if (token.tokenType === CloseBrace) open.pop();
  }
  return open[0];
}

const spanOf = (token: IToken): Span => ({
  start: token.startOffset,
  end: token.startOffset + token.image.length,
});

class Reporter {
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

  /** One more than the most is kept: it says that there are more. */
  add(found: Diagnostic): void {
    if (this.#diagnostics.length <= MOST_DIAGNOSTICS) this.#diagnostics.push(found);
  }

  found(): readonly Diagnostic[] {
    return this.#diagnostics;
  }

  lexical(text: string, offset: number, length: number): void {
    const character = describe(text.slice(offset, offset + Math.min(length, 12)));
    const fix = this.#fix(
      otherSign(
        text.slice(Math.max(0, offset - LONGEST_NAME), offset),
        text.slice(offset, offset + length),
      ),
      offset,
    );
    this.add(diagnostic("invalid-character", { character }, this.at(offset, offset + length), fix));
  }

  unterminated(token: IToken): void {
    const { startOffset: start, image } = token;
    const fix = this.#fix(closingQuote(image), start);
    this.add(diagnostic("unterminated-string", {}, this.atSpan(spanOf(token)), fix));
  }

  otherQuotes(token: IToken): void {
    const { startOffset: start, image } = token;
    const extra = { help: "Put text in double quotes.", ...this.#fix(doubleQuoted(image), start) };
    const values = { character: describe(image.slice(0, 1)) };
    this.add(diagnostic("invalid-character", values, this.atSpan(spanOf(token)), extra));
  }

  number(token: IToken): void {
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

  #fix(mend: Mend | undefined, offset: number): Extra {
    if (!mend) return {};
    const { title, safe, start, end, text } = mend;
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
    if (isCommaInNumber(text.slice(start - 1, start), token.image, text.slice(end, end + 1)))
      return { help: "Write a fraction as 0.5, and thousands as 1_000." };
    const previous = previousOf(error);
    // What is written at the end of an open string becomes its text.
    if (previous?.tokenType === UnterminatedText) return {};
    const mend =
      missingSign(message, token, gap) ?? doubledSign(previous, token) ?? strayComma(token.image);
    return this.#fix(mend, start);
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
