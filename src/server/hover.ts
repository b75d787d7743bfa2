import type { Hover } from "vscode-languageserver";
import { MarkupKind } from "vscode-languageserver";
import { LANGUAGE, type Spec } from "../language/language.js";
import type { Block, Property } from "../language/types.js";
import { UNITS } from "../language/units.js";
import { blockDoc, gpuDoc, modelDoc, propertyDoc, unitDoc, valueText } from "./describe.js";
import type { AnalysedDocument } from "./document.js";
import { spanRange } from "./positions.js";
import { type PlacedToken, propertyOf } from "./walk.js";

const BLOCKS: Readonly<Record<string, Block>> = LANGUAGE;

/** What there is to say about a place, and which part of the plan would add to it. */
export interface HoverText {
  readonly hover: Hover;
  readonly wants?: "memory" | "degrees";
}

/** Paths of values whose hover shows a part of the plan. */
const PLANNED: Readonly<Record<string, "memory" | "degrees">> = {
  "memory.budget": "memory",
  "memory.bucket": "memory",
  "memory.reserve": "memory",
  "parallel.context": "degrees",
};

/** What is known of the token at an offset, without a plan. */
export function hoverAt(document: AnalysedDocument, offset: number): HoverText | undefined {
  const token = document.tokenAt(offset);
  const value = token && describe(token, document);
  if (!token || value === undefined) return undefined;
  const hover = {
    contents: { kind: MarkupKind.Markdown, value },
    range: spanRange(document.lines, token),
  };
  const wants = token.role === "unit" ? undefined : PLANNED[`${token.scope.path}.${token.key}`];
  return { hover, ...(wants ? { wants } : {}) };
}

/** The same hover with more below it. */
export function withMore({ hover }: HoverText, more: string): Hover {
  const { value } = hover.contents as { readonly value: string };
  return { ...hover, contents: { kind: MarkupKind.Markdown, value: `${value}\n\n---\n\n${more}` } };
}

function describe(token: PlacedToken, document: AnalysedDocument): string | undefined {
  const property = propertyOf(token.scope, token.key);
  switch (token.role) {
    case "block":
      return blockHover(token.text);
    case "key":
      if (token.scope.kind !== "body") return blockHover(token.text);
      return property && keyHover(token, property, document);
    case "label":
      return modelDoc(token.text.slice(1, -1));
    case "unit":
      return unitDoc(token.text);
    case "word":
      if (property?.type.kind === "enumeration" && token.key === "gpu") return gpuDoc(token.text);
      return property && keyHover(token, property, document);
    case "string":
    case "number":
      return property && keyHover(token, property, document);
    case "skrull":
      return "The version of the language that this file is written in.";
    default:
      return undefined;
  }
}

const blockHover = (name: string): string | undefined => {
  const block = Object.hasOwn(BLOCKS, name) ? BLOCKS[name] : undefined;
  return block && blockDoc(name, block);
};

function keyHover(token: PlacedToken, property: Property, document: AnalysedDocument): string {
  const key = token.key ?? token.text;
  const value = resolved(token, property, document);
  const shown = value === undefined ? "" : `\n\nHere: **${valueText(value, property.type)}**`;
  return `${propertyDoc(key, property)}${shown}`;
}

/** The value that the checked spec has; where there is none, what number and unit come to. */
function resolved(token: PlacedToken, property: Property, document: AnalysedDocument): unknown {
  const spec = document.analysis.spec;
  const found = spec && token.scope.name === undefined ? resolvedIn(spec, token) : undefined;
  return found ?? written(token, property, document);
}

function resolvedIn(spec: Spec, { scope, key }: PlacedToken): unknown {
  let value: unknown = spec;
  for (const part of [...scope.path.split("."), key ?? ""]) {
    value = (value as Readonly<Record<string, unknown>> | undefined)?.[part];
  }
  return value;
}

function written(token: PlacedToken, { type }: Property, document: AnalysedDocument): unknown {
  if (type.kind !== "quantity") return undefined;
  const { placed } = document;
  const own = placed.filter(({ scope, key }) => scope === token.scope && key === token.key);
  const number = own.find(({ role }) => role === "number");
  const unit = own.find(({ role }) => role === "unit");
  const units = UNITS[type.dimension];
  if (!number || !unit || own.length !== 4 || !Object.hasOwn(units, unit.text)) return undefined;
  return Number(number.text.replaceAll("_", "")) * (units[unit.text] ?? 1);
}
