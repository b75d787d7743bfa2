import { type Document, parseDocument } from "yaml";
import { type Diagnostic, diagnostic, MOST_DIAGNOSTICS } from "../../diagnostics/diagnostic.js";
import { LineMap } from "../../foundation/text.js";
import { emptyFile, fileTooLarge, LONGEST_FILE, type ParsedFile } from "../parse.js";
import type { FileNode, Span } from "../tree.js";
import { buildFile, type OnProblem } from "./build-file.js";

/**
 * Reads a spec that is written in YAML or JSON into the tree that the spec language has, with ranges into the
 * YAML text. Never throws: every mistake is a diagnostic.
 */
export function readYaml(file: string, text: string): ParsedFile {
  if (text.length > LONGEST_FILE) return fileTooLarge(file, text);
  const lines = new LineMap(text);
  const diagnostics: Diagnostic[] = [];
  const report = (problem: string, { start, end }: Span, help?: string) => {
    if (diagnostics.length > MOST_DIAGNOSTICS) return;
    const place = { file, range: lines.range(start, end) };
    diagnostics.push(diagnostic("invalid-yaml", { problem }, place, help ? { help } : {}));
  };
  const tree = readTree(text, report);
  return { file, lines, tree, diagnostics };
}

function readTree(text: string, report: OnProblem): FileNode {
  const empty = emptyFile(text);
  const deep = tooDeep(text);
  if (deep !== undefined) {
    report("collections are nested too deep", { start: deep, end: deep + 1 });
    return empty;
  }
  const document = parse(text, report);
  return document?.contents ? buildFile(document.contents, empty, report) : empty;
}

function parse(text: string, report: OnProblem): Document | undefined {
  try {
    const document = parseDocument(text, {
      prettyErrors: false,
      version: "1.2",
      uniqueKeys: false,
    });
    for (const { code, message, pos } of document.errors) {
      const several = code === "MULTIPLE_DOCS";
      const problem = several ? "a file holds one document" : sentence(message);
      report(problem, { start: pos[0], end: Math.max(pos[1], pos[0]) });
    }
    return document;
  } catch {
    // The parser recurses: a document made to exhaust the stack ends here.
    report("this cannot be read as YAML", { start: 0, end: 0 });
    return undefined;
  }
}

const sentence = (message: string): string =>
  message.replace(/\s*\n[\s\S]*/, "").replace(/\.$/, "");

/** Most brackets or spaces of indentation that a spec may open; beyond, the parser's recursion is at risk. */
const DEEPEST = 64;

/** Where a text opens more collections than any spec has; counts brackets in strings too, which is harmless. */
function tooDeep(text: string): number | undefined {
  let depth = 0;
  let dashes = 0;
  for (let n = 0; n < text.length; n += 1) {
    const c = text[n];
    if (c === "{" || c === "[") depth += 1;
    else if (c === "}" || c === "]") depth = Math.max(0, depth - 1);
    dashes = c === "-" || c === "?" || c === ":" ? dashes + 1 : c === " " ? dashes : 0;
    if (depth > DEEPEST || dashes > DEEPEST) return n;
  }
  return undefined;
}
