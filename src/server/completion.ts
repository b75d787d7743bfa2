import { dirname, join } from "pathe";
import {
  type CompletionItem,
  CompletionItemKind,
  InsertTextFormat,
  MarkupKind,
} from "vscode-languageserver";
import { MODEL_NAMES } from "../catalogue/names.js";
import { LANGUAGE } from "../language/language.js";
import { type Block, defaultOf, type Property, type ValueType } from "../language/types.js";
import { UNITS } from "../language/units.js";
import { type Cursor, cursorAt } from "./cursor.js";
import { blockDoc, propertyDoc, shortType } from "./describe.js";
import type { AnalysedDocument } from "./document.js";
import { spanRange } from "./positions.js";
import type { Scope } from "./walk.js";

const BLOCKS: Readonly<Record<string, Block>> = LANGUAGE;

export interface CompletionOptions {
  /** Whether the client fills in `${1:...}`. */
  readonly snippets: boolean;
  /** Names in a folder, those of folders with a `/` at the end; none where it cannot be read. */
  readonly list: (folder: string) => readonly string[];
}

/** An item without its place in the list and in the text. */
interface Proposal {
  readonly label: string;
  readonly kind: CompletionItemKind;
  readonly detail?: string;
  readonly doc?: string;
  /** Typed instead of the label; with `$` places where the client knows them. */
  readonly snippet?: string;
  readonly plain?: string;
}

/** What could be typed at an offset, the likeliest first. */
export function complete(
  document: AnalysedDocument,
  offset: number,
  options: CompletionOptions,
): readonly CompletionItem[] {
  if (!document.native) return [];
  const cursor = cursorAt(document.text, document.tokens, offset);
  const range = spanRange(document.lines, cursor.replace);
  return propose(cursor, document, options).map((proposal, n) => {
    const { label, kind, detail, doc } = proposal;
    const useSnippet = options.snippets && proposal.snippet !== undefined;
    const newText = useSnippet ? (proposal.snippet ?? label) : (proposal.plain ?? label);
    return {
      label,
      kind,
      ...(detail === undefined ? {} : { detail }),
      ...(doc === undefined ? {} : { documentation: { kind: MarkupKind.Markdown, value: doc } }),
      sortText: String(n).padStart(4, "0"),
      insertTextFormat: useSnippet ? InsertTextFormat.Snippet : InsertTextFormat.PlainText,
      textEdit: { range, newText },
    };
  });
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
      return members(cursor.scope);
    case "unit":
      return unitsFor(cursor.type);
    case "label":
      return cursor.block === "model" ? modelNames((name) => name) : [];
    case "import":
      return imports(cursor.quoted, document, options);
    case "base":
      // No block is made of itself.
      return names(document, cursor.block).filter(({ label }) => label !== cursor.name);
    case "header":
      return header(cursor.block, cursor.named);
    case "value":
      return values(cursor, document, options);
  }
}

function members(scope: Scope): readonly Proposal[] {
  if (scope.kind === "body") return keys(scope);
  const top = scope.kind === "file" ? statements(scope) : [];
  return [...blocks(scope), ...top];
}

/** Keys that are not set yet, required ones first. */
function keys({ properties = {}, members: written }: Scope): readonly Proposal[] {
  const open = Object.entries(properties).filter(([name]) => !written.has(name));
  const required = open.filter(([, property]) => "required" in property);
  const others = open.filter(([, property]) => !("required" in property));
  return [...required, ...others].map(([name, property]) => ({
    label: name,
    kind: CompletionItemKind.Property,
    detail: shortType(property.type),
    doc: propertyDoc(name, property),
    snippet: `${name} = ${placeholder(property.type)}`,
    plain: `${name} = `,
  }));
}

function placeholder(type: ValueType): string {
  if (type.kind === "string" || type.kind === "path") return '"$1"';
  if (type.kind !== "list") return "$1";
  const quoted = type.item.kind === "string" || type.item.kind === "path";
  return quoted ? '["$1"]' : "[$1]";
}

function blocks({ members: written }: Scope): readonly Proposal[] {
  const open = Object.entries(BLOCKS).filter(([name]) => !written.has(name));
  const required = open.filter(([, block]) => block.required !== undefined);
  const others = open.filter(([, block]) => block.required === undefined);
  return [...required, ...others].map(([name, block]) => ({
    label: name,
    kind: CompletionItemKind.Struct,
    detail: block.required === undefined ? "block" : "block, required",
    doc: blockDoc(name, block),
    snippet: `${name}${block.label === undefined ? "" : ' "$1"'} {\n  $0\n}`,
    plain: `${name} {`,
  }));
}

const STATEMENTS: readonly Proposal[] = [
  statement("import", "Brings the named blocks and constants of another file.", 'import "$1"'),
  statement("let", "A constant.", "let $1 = $0"),
  statement("run", "A named run: the file's blocks, some of them overridden.", "run $1 {\n  $0\n}"),
];

function statement(label: string, doc: string, snippet: string): Proposal {
  return { label, kind: CompletionItemKind.Keyword, doc, snippet, plain: `${label} ` };
}

function statements({ members: written }: Scope): readonly Proposal[] {
  const version = {
    ...statement("skrull", "The version of the language.", "skrull 1"),
    plain: "skrull 1",
  };
  return written.size === 0 ? [version, ...STATEMENTS] : STATEMENTS;
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

const modelNames = (write: (name: string) => string): readonly Proposal[] =>
  MODEL_NAMES.map((name) => ({
    label: name,
    kind: CompletionItemKind.Value,
    detail: "model of the catalogue",
    plain: write(name),
  }));

function header(block: string, named: boolean): readonly Proposal[] {
  const labels = block === "model" ? modelNames((name) => JSON.stringify(name)) : [];
  const based = { label: "extends", kind: CompletionItemKind.Keyword, plain: "extends " };
  return named ? [...labels, based] : labels;
}

/** Named blocks of a kind, or runs. */
function names(document: AnalysedDocument, block: string): readonly Proposal[] {
  return document.analysis.symbols
    .filter((symbol) => (block === "run" ? symbol.kind === "run" : symbol.block === block))
    .map(({ name }) => ({ label: name, kind: CompletionItemKind.Reference, detail: block }));
}

const constants = (document: AnalysedDocument): readonly Proposal[] =>
  document.analysis.symbols
    .filter(({ kind }) => kind === "constant")
    .map(({ name }) => ({ label: name, kind: CompletionItemKind.Constant, detail: "constant" }));

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
    return Object.hasOwn(BLOCKS, key) ? names(document, key) : constants(document);
  }
  return [...(type ? wordsOf(type, cursor.property) : []), ...constants(document)];
}

/** Words that a type takes. */
function wordsOf(type: ValueType, property: Property | undefined): readonly Proposal[] {
  const preset = property && defaultOf(property);
  const word = (label: string, kind: CompletionItemKind): Proposal => ({
    label,
    kind,
    ...(String(preset) === label ? { detail: "default" } : {}),
  });
  switch (type.kind) {
    case "boolean":
      return ["true", "false"].map((label) => word(label, CompletionItemKind.Keyword));
    case "enumeration":
      return type.values.map((label) => word(label, CompletionItemKind.EnumMember));
    case "integer":
      return type.word === undefined ? [] : [word(type.word, CompletionItemKind.Keyword)];
    case "path":
    case "string":
      return [{ label: '""', kind: CompletionItemKind.Value, snippet: '"$1"' }];
    case "tagged":
      return Object.entries(type.variants).map(([tag, properties]) => {
        const required = Object.entries(properties).filter(([, one]) => "required" in one);
        const inside = required.map(([name], n) => `${name} = $${n + 1}`).join(" ");
        return {
          label: tag,
          kind: CompletionItemKind.EnumMember,
          snippet: inside === "" ? tag : `${tag} { ${inside} }`,
        };
      });
    default:
      return [];
  }
}

/** Files and folders below what was typed of a path. */
function paths(
  typed: string,
  { path }: AnalysedDocument,
  { list }: CompletionOptions,
  inside: boolean,
): readonly Proposal[] {
  const folder = typed.slice(0, typed.lastIndexOf("/") + 1);
  if (folder.startsWith("/") || (inside && folder.split("/").includes(".."))) return [];
  const hidden = typed.slice(folder.length).startsWith(".");
  return list(join(dirname(path), folder))
    .filter((name) => hidden || !name.startsWith("."))
    .map((name) => ({
      label: name,
      kind: name.endsWith("/") ? CompletionItemKind.Folder : CompletionItemKind.File,
      plain: folder + name,
    }));
}

const SPEC_FILE = /(\/|\.skrull(\.ya?ml|\.json)?)$/;

function imports(
  quoted: string | undefined,
  document: AnalysedDocument,
  options: CompletionOptions,
): readonly Proposal[] {
  const own = document.path.slice(document.path.lastIndexOf("/") + 1);
  const found = paths(quoted ?? "", document, options, false).filter(
    ({ label }) => SPEC_FILE.test(label) && label !== own,
  );
  if (quoted !== undefined) return found;
  return found.map((one) => ({ ...one, plain: JSON.stringify(one.plain ?? one.label) }));
}
