import { CompletionItemKind } from "vscode-languageserver";
import { MODEL_NAMES } from "../catalogue/names.js";
import { LANGUAGE } from "../language/language.js";
import { describeDefault } from "../language/reference-page.js";
import {
  type Block,
  defaultOf,
  type Property,
  type ValueType,
  wordsOf,
} from "../language/types.js";
import { blockDoc, propertyDoc, shortType } from "./describe.js";
import type { AnalysedDocument } from "./document.js";
import type { Proposal } from "./proposal.js";
import type { Scope } from "./scopes.js";

const BLOCKS: Readonly<Record<string, Block>> = LANGUAGE;

/** Keys that are not set yet, required ones first. */
export function keysLeft({
  properties = {},
  members: written,
}: Scope): readonly (readonly [string, Property])[] {
  const open = Object.entries(properties).filter(([name]) => !written.has(name));
  const required = open.filter(([, property]) => "required" in property);
  const others = open.filter(([, property]) => !("required" in property));
  return [...required, ...others];
}

export const keyProposal = (name: string, property: Property): Proposal => ({
  label: name,
  kind: CompletionItemKind.Property,
  detail: shortType(property.type),
  doc: propertyDoc(name, property),
});

/** Blocks that are not there yet, required ones first. */
export function blocksLeft({ members: written }: Scope): readonly (readonly [string, Block])[] {
  const open = Object.entries(BLOCKS).filter(([name]) => !written.has(name));
  const required = open.filter(([, block]) => block.required !== undefined);
  return [...required, ...open.filter(([, block]) => block.required === undefined)];
}

/** Blocks that a spec uses by `NAME = ...`. */
export const usable = (open: ReturnType<typeof blocksLeft>): readonly string[] =>
  open.flatMap(([name, { chosenBy }]) => (chosenBy === undefined ? [name] : []));

export const blockProposal = (name: string, block: Block): Proposal => ({
  label: name,
  kind: CompletionItemKind.Struct,
  detail: block.required === undefined ? "block" : "block, required",
  doc: blockDoc(name, block),
});

export const modelNames = (): readonly Proposal[] =>
  MODEL_NAMES.map((name) => ({
    label: name,
    kind: CompletionItemKind.Value,
    detail: "model of the catalogue",
  }));

/** Named blocks of a kind, or runs. */
export function names(document: AnalysedDocument, block: string): readonly Proposal[] {
  return document.analysis.symbols
    .filter((symbol) => (block === "run" ? symbol.kind === "run" : symbol.block === block))
    .map(({ name }) => ({ label: name, kind: CompletionItemKind.Reference, detail: block }));
}

export const constants = (document: AnalysedDocument): readonly Proposal[] =>
  document.analysis.symbols
    .filter(({ kind }) => kind === "constant")
    .map(({ name }) => ({ label: name, kind: CompletionItemKind.Constant, detail: "constant" }));

/** The bare words that a type takes, and the names of blocks. */
export function wordProposals(
  type: ValueType,
  property: Property | undefined,
  document: AnalysedDocument,
): readonly Proposal[] {
  const preset = property && defaultOf(property);
  const written = preset === undefined ? undefined : describeDefault(preset, type);
  const named = type.kind === "enumeration" || type.kind === "tagged";
  const declared = type.kind === "enumeration" ? type.declared : undefined;
  const words = wordsOf(type).map((label) => ({
    label,
    kind: named ? CompletionItemKind.EnumMember : CompletionItemKind.Keyword,
    ...(written === label ? { detail: "default" } : {}),
  }));
  return [...(declared === undefined ? [] : names(document, declared)), ...words];
}
