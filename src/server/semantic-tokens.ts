import {
  type SemanticTokens,
  SemanticTokensBuilder,
  type SemanticTokensLegend,
} from "vscode-languageserver";
import type { AnalysedDocument } from "./document.js";
import { propertyOf } from "./scopes.js";
import type { PlacedToken, Role } from "./walk.js";

/** `unit` is our own, below `number`; all others are the protocol's. */
export const LEGEND: SemanticTokensLegend = {
  tokenTypes: [
    "comment",
    "keyword",
    "property",
    "enumMember",
    "variable",
    "class",
    "string",
    "number",
    "unit",
    "operator",
  ],
  tokenModifiers: ["declaration"],
};

const TYPES: Readonly<Partial<Record<Role, string>>> = {
  comment: "comment",
  skrull: "keyword",
  version: "number",
  keyword: "keyword",
  "import-path": "string",
  block: "keyword",
  "block-name": "class",
  label: "string",
  base: "class",
  "run-name": "class",
  constant: "variable",
  key: "property",
  string: "string",
  number: "number",
  unit: "unit",
};
const DECLARED: readonly Role[] = ["block-name", "run-name", "constant"];

/** Every token's meaning, for colouring. */
export function semanticTokens(document: AnalysedDocument): SemanticTokens {
  const builder = new SemanticTokensBuilder();
  const constants = new Set(
    document.analysis.symbols.flatMap(({ kind, name }) => (kind === "constant" ? [name] : [])),
  );
  for (const token of document.placed) {
    const type = typeOf(token, constants);
    if (type === undefined) continue;
    const { line, column } = document.lines.position(token.start);
    const modifiers = DECLARED.includes(token.role) ? 1 : 0;
    const index = LEGEND.tokenTypes.indexOf(type);
    builder.push(line - 1, column - 1, token.end - token.start, index, modifiers);
  }
  return builder.build();
}

function typeOf(token: PlacedToken, constants: ReadonlySet<string>): string | undefined {
  if (token.role === "symbol") return /^[-+*/]$/.test(token.text) ? "operator" : undefined;
  if (token.role !== "word") return TYPES[token.role];
  if (token.key === undefined) return undefined;
  if (constants.has(token.text)) return "variable";
  if (token.scope.kind !== "body") return "class";
  return propertyOf(token.scope, token.key) ? "enumMember" : undefined;
}
