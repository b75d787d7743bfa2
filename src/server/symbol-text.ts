import type { Analysis } from "../semantics/analyze.js";
import type { SymbolUse } from "../semantics/symbols.js";
import type { BlockNode, ConstantNode } from "../syntax/tree.js";
import { codeBlock, codeSpan } from "./markdown.js";

/** Of a declaration that a hover shows. */
const MOST_LINES = 12;

const KINDS: Readonly<Record<SymbolUse["kind"], string>> = {
  block: "Named block",
  constant: "Constant",
  run: "Run",
};

/** Markdown of a name: its declaration as it is written, and where. */
export function symbolText(symbol: SymbolUse, analysis: Analysis): string | undefined {
  const { file, range } = symbol.definition;
  const document = analysis.documents.find((one) => one.file === file);
  if (!document) return undefined;
  const at = document.lines.offset(range.start);
  const { constants, blocks } = document.tree;
  const holds = (node: ConstantNode | BlockNode) => node.start <= at && at < node.end;
  const node = [...constants, ...blocks].find(holds);
  const text = node ? document.text.slice(node.start, node.end) : symbol.name;
  const here = file === analysis.file ? "" : `, from ${codeSpan(nameOf(file))}`;
  return `${KINDS[symbol.kind]}${here}\n\n${codeBlock(shortened(text))}`;
}

function shortened(text: string): string {
  const lines = text.split(/\r\n|\n|\r/);
  return lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES), "…"].join("\n") : text;
}

/** Markdown of an import: the names it brings. */
export function importText(path: string, { symbols, documents }: Analysis): string | undefined {
  if (!documents.some(({ file }) => file === path)) return undefined;
  const brought = symbols.filter(({ definition }) => definition.file === path);
  if (brought.length === 0) return `${codeSpan(nameOf(path))} declares nothing.`;
  const names = brought.map(({ kind, block, name }) => `- ${block ?? kind} \`${name}\``);
  return [`${codeSpan(nameOf(path))} brings`, "", ...names].join("\n");
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
