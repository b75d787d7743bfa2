import { type CompletionItem, CompletionItemKind } from "vscode-languageserver";
import { LANGUAGE } from "../language/language.js";
import {
  type Block,
  type Properties,
  type Property,
  type ValueType,
  wordsOf,
} from "../language/types.js";
import { UNITS } from "../language/units.js";
import { imports, paths } from "./completion-paths.js";
import { type Cursor, cursorAt } from "./cursor.js";
import { KEYWORDS } from "./describe.js";
import type { AnalysedDocument } from "./document.js";
import { type CompletionOptions, itemOf, type Proposal, type Rest } from "./proposal.js";
import type { Scope } from "./scopes.js";
import {
  blockProposal,
  blocksLeft,
  constants,
  keyProposal,
  keysLeft,
  modelNames,
  names,
  usable,
  wordProposals,
} from "./vocabulary.js";
import { completeYaml } from "./yaml-completion.js";

/** What could be typed at an offset, the likeliest first. */
export function complete(
  document: AnalysedDocument,
  offset: number,
  options: CompletionOptions,
): readonly CompletionItem[] {
  if (!document.native) return completeYaml(document, offset, options);
  const cursor = cursorAt(document.text, document.tokens, offset);
  return propose(cursor, document, options).map((proposal, n) =>
    itemOf(proposal, n, cursor, document.lines, options),
  );
}

function propose(
  cursor: Cursor,
  document: AnalysedDocument,
  options: CompletionOptions,
): readonly Proposal[] {
  switch (cursor.kind) {
    case "nothing":
      return [];
    case "member":
      return members(cursor, document);
    case "unit":
      return unitsFor(cursor.type);
    case "label":
      return cursor.block === "model" ? modelNames() : [];
    case "import":
      return imports(cursor.quoted, document, options);
    case "base":
      // No block is made of itself.
      return names(document, cursor.block).filter(({ label }) => label !== cursor.name);
    case "header":
      return header(cursor);
    case "value":
      return values(cursor, document, options);
  }
}

function members(
  { scope, followed }: Extract<Cursor, { kind: "member" }>,
  document: AnalysedDocument,
): readonly Proposal[] {
  if (scope.kind === "body") return keys(scope);
  const open = blocksLeft(scope);
  const used = followed ? [] : usable(open).flatMap((name) => references(name, document));
  const all = [...blocks(open), ...used];
  if (scope.kind === "run") return all;
  // Nothing comes before the version.
  return scope.members.size === 0 ? [VERSION, ...all, ...STATEMENTS] : [...all, ...STATEMENTS];
}

const keys = (scope: Scope): readonly Proposal[] =>
  keysLeft(scope).map(([name, property]) => ({
    ...keyProposal(name, property),
    rest: { snippet: ` = ${placeholder(property.type)}`, plain: " = " },
  }));

function placeholder(type: ValueType): string {
  if (type.kind === "string" || type.kind === "path") return '"$1"';
  if (type.kind === "enumeration" || type.kind === "boolean")
    return `\${1|${wordsOf(type).join(",")}|}`;
  if (type.kind !== "list") return "$1";
  const quoted = type.item.kind === "string" || type.item.kind === "path";
  return quoted ? '["$1"]' : "[$1]";
}

const blocks = (open: ReturnType<typeof blocksLeft>): readonly Proposal[] =>
  open.map(([name, block]) => ({
    ...blockProposal(name, block),
    rest: { snippet: `${headerOf(block)} {\n  $0\n}`, plain: " {" },
  }));

/** What stands between a block's name and its braces. */
const headerOf = ({ label, chosenBy }: Block): string =>
  label !== undefined ? ' "$1"' : chosenBy === undefined ? "" : " $1";

/** `cluster = h100`, for every cluster that has a name. */
const references = (block: string, document: AnalysedDocument): readonly Proposal[] =>
  names(document, block).map((one) => ({ ...one, label: `${block} = ${one.label}` }));

const VERSION = statement("skrull", " 1");

const STATEMENTS: readonly Proposal[] = [
  statement("import", " ", ' "$1"'),
  statement("let", " ", " $1 = $0"),
  statement("run", " ", " $1 {\n  $0\n}"),
];

function statement(label: keyof typeof KEYWORDS, plain: string, snippet = plain): Proposal {
  const doc = KEYWORDS[label];
  return { label, kind: CompletionItemKind.Keyword, doc, rest: { snippet, plain } };
}

function unitsFor(type: ValueType | undefined): readonly Proposal[] {
  const dimensions = Object.entries(UNITS).filter(
    ([dimension]) =>
      type === undefined || (type.kind === "quantity" && type.dimension === dimension),
  );
  return dimensions.flatMap(([dimension, units]) =>
    Object.keys(units).map((unit) => ({
      label: unit,
      kind: CompletionItemKind.Unit,
      detail: dimension,
    })),
  );
}

/** What may follow in a header: a label, and what the block is made from. */
function header(cursor: Extract<Cursor, { kind: "header" }>): readonly Proposal[] {
  if (cursor.based) return [];
  const takesLabel = cursor.block === "model" && !cursor.labelled;
  const labels = takesLabel ? modelNames() : [];
  const quoted = labels.map((one) => ({ ...one, text: JSON.stringify(one.label) }));
  const based = {
    label: "extends",
    kind: CompletionItemKind.Keyword,
    doc: KEYWORDS.extends,
    text: "extends ",
  };
  // A run cannot do without a name.
  return cursor.block === "run" && !cursor.named ? quoted : [...quoted, based];
}

function values(
  cursor: Extract<Cursor, { kind: "value" }>,
  document: AnalysedDocument,
  options: CompletionOptions,
): readonly Proposal[] {
  const { type, quoted, scope, key } = cursor;
  if (quoted !== undefined) {
    if (type?.kind !== "path") return [];
    const word = type.word?.startsWith(quoted) ? [type.word] : [];
    const words = word.map((label) => ({ label, kind: CompletionItemKind.Keyword }));
    return [...words, ...paths(quoted, document, options, type.inside)];
  }
  if (!cursor.property && scope.kind !== "body") {
    return Object.hasOwn(LANGUAGE, key)
      ? names(document, key)
      : constants(document).filter(({ label }) => label !== key);
  }
  return [...(type ? words(type, cursor.property, document) : []), ...constants(document)];
}

/** What a value of a type may begin with: its words, or quotes. */
function words(
  type: ValueType,
  property: Property | undefined,
  document: AnalysedDocument,
): readonly Proposal[] {
  if (type.kind === "path" || type.kind === "string") return quotes(type);
  const found = wordProposals(type, property, document);
  if (type.kind !== "tagged") return found;
  return found.map((one) => ({ ...one, rest: settings(type.variants[one.label] ?? {}) }));
}

function quotes(type: Extract<ValueType, { kind: "path" | "string" }>): readonly Proposal[] {
  const empty = { label: '""', kind: CompletionItemKind.Value, text: "" };
  const word = type.kind === "path" && type.word !== undefined ? [JSON.stringify(type.word)] : [];
  const known = word.map((label) => ({ label, kind: CompletionItemKind.Keyword }));
  return [{ ...empty, rest: { snippet: '"$1"', plain: '""' } }, ...known];
}

/** The braces of a choice, with what it cannot do without. */
function settings(properties: Properties): Rest {
  const required = Object.entries(properties).filter(([, one]) => "required" in one);
  const inside = required.map(([name], n) => `${name} = $${n + 1}`).join(" ");
  return { snippet: inside === "" ? "" : ` { ${inside} }`, plain: "" };
}
