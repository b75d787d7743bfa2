import { dirname, join } from "pathe";
import type { Hover } from "vscode-languageserver";
import { MarkupKind } from "vscode-languageserver";
import { LANGUAGE } from "../language/language.js";
import type { Block } from "../language/types.js";
import { importAt, nameAt } from "./definition.js";
import { blockDoc, gpuDoc, KEYWORDS, modelDoc, propertyDoc, unitDoc } from "./describe.js";
import type { AnalysedDocument } from "./document.js";
import { spanRange } from "./positions.js";
import { resolvedText, runOf } from "./resolved.js";
import { propertyOf } from "./scopes.js";
import { importText, symbolText } from "./symbol-text.js";
import type { PlacedToken } from "./walk.js";

const BLOCKS: Readonly<Record<string, Block>> = LANGUAGE;

type Keyword = keyof typeof KEYWORDS;

export type PlanPart = "memory" | "degrees";

/** What there is to say about a place, and which part of the plan would add to it. */
export interface HoverText {
  readonly hover: Hover;
  readonly wants?: { readonly part: PlanPart; readonly run?: string };
}

/** Paths of values whose hover shows a part of the plan. */
const PLANNED: Readonly<Record<string, PlanPart>> = {
  "memory.budget": "memory",
  "memory.bucket": "memory",
  "memory.reserve": "memory",
  "parallel.context": "degrees",
};

/** What is known of the token at an offset, without a plan. */
export function hoverAt(document: AnalysedDocument, offset: number): HoverText | undefined {
  const token = document.tokenAt(offset);
  if (!token) return undefined;
  const texts = [ofSymbol(document, offset), ofToken(token, document)];
  const value = texts.filter((text) => text !== undefined).join("\n\n---\n\n");
  if (value === "") return undefined;
  const hover = {
    contents: { kind: MarkupKind.Markdown, value },
    range: spanRange(document.lines, token),
  };
  const wants = planned(token);
  return { hover, ...(wants ? { wants } : {}) };
}

/** The same hover with more below it. */
export function withMore({ hover }: HoverText, more: string): Hover {
  const { value } = hover.contents as { readonly value: string };
  return { ...hover, contents: { kind: MarkupKind.Markdown, value: `${value}\n\n---\n\n${more}` } };
}

/** A named block is part of no plan before a spec uses it. */
function planned({ scope, key, role }: PlacedToken): HoverText["wants"] {
  if (role === "unit" || (scope.kind === "body" && scope.name !== undefined)) return undefined;
  const part = PLANNED[`${scope.path}.${key}`];
  const run = runOf(scope);
  return part && { part, ...(run === undefined ? {} : { run }) };
}

function ofSymbol(document: AnalysedDocument, offset: number): string | undefined {
  const written = importAt(document, offset);
  if (written !== undefined)
    return importText(join(dirname(document.path), written), document.analysis);
  const found = nameAt(document, offset);
  return found && symbolText(found.symbol, document.analysis);
}

function ofToken(token: PlacedToken, document: AnalysedDocument): string | undefined {
  const property = propertyOf(token.scope, token.key);
  switch (token.role) {
    case "block":
      return blockHover(token.text);
    case "key":
      if (token.scope.kind !== "body") return blockHover(token.text);
      break;
    case "label":
      return modelDoc(token.text.slice(1, -1));
    case "unit":
      return unitDoc(token.text);
    case "word":
      if (token.key === "gpu" && gpuDoc(token.text)) return gpuDoc(token.text);
      break;
    case "string":
    case "number":
      break;
    case "skrull":
    case "keyword":
      return Object.hasOwn(KEYWORDS, token.text) ? KEYWORDS[token.text as Keyword] : undefined;
    default:
      return undefined;
  }
  if (!property) return undefined;
  const value = resolvedText(token, property, document);
  const doc = propertyDoc(token.key ?? token.text, property);
  return value === undefined ? doc : `${doc}\n\n${value}`;
}

const blockHover = (name: string): string | undefined => {
  const block = Object.hasOwn(BLOCKS, name) ? BLOCKS[name] : undefined;
  return block && blockDoc(name, block);
};
