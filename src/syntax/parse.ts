import { type CstNode, EOF, type IRecognitionException, type IToken } from "chevrotain";
import { type Diagnostic, diagnostic, MOST_DIAGNOSTICS } from "../diagnostics/diagnostic.js";
import { LineMap } from "../foundation/text.js";
import { buildFile, buildValue } from "./build-tree.js";
import { numberProblem } from "./numbers.js";
import { SPEC_PARSER } from "./parser.js";
import { previousEnd, Reporter, spanOf } from "./reporter.js";
import { BarePath, CloseBrace, NumberLiteral, OpenBrace, SPEC_LEXER } from "./tokens.js";
import type { FileNode, Span, ValueNode } from "./tree.js";

export const LONGEST_FILE = 256 * 1024;
const DEEPEST_NESTING = 32;
const LONGEST_VALUE = 1024;

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
  const { tokens, errors, groups } = SPEC_LEXER.tokenize(text);
  for (const { offset, length } of errors.slice(0, MOST_DIAGNOSTICS + 1))
    report.lexical(text, offset, length);
  for (const token of [...(groups["blockComments"] ?? []), ...tokens]) {
    if (report.full) break;
    report.token(token);
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
  const { tokens, errors, groups } = SPEC_LEXER.tokenize(text.slice(0, LONGEST_VALUE));
  const wrong = ({ tokenType, image }: IToken) =>
    tokenType === BarePath || (tokenType === NumberLiteral && numberProblem(image) !== undefined);
  const commented = (groups["blockComments"] ?? []).length > 0;
  if (
    errors.length > 0 ||
    commented ||
    text.length > LONGEST_VALUE ||
    tokens.some(wrong) ||
    tooDeep(tokens)
  )
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

/** The outermost brace without its partner: what follows it reads as its content. */
function unclosedBrace(tokens: readonly IToken[]): IToken | undefined {
  const open: IToken[] = [];
  for (const token of tokens) {
    if (token.tokenType === OpenBrace) open.push(token);
    if (token.tokenType === CloseBrace) open.pop();
  }
  return open[0];
}
