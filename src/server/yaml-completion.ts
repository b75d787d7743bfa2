import { type CompletionItem, CompletionItemKind } from "vscode-languageserver";
import { LANGUAGE } from "../language/language.js";
import { type Block, type ValueType, wordsOf } from "../language/types.js";
import { LONGEST_FILE } from "../syntax/parse.js";
import type { AnalysedDocument } from "./document.js";
import { type CompletionOptions, itemOf, type Proposal } from "./proposal.js";
import { blockScope, fileScope, propertyOf, runScope, type Scope, variantScope } from "./scopes.js";
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
import { type YamlCursor, yamlCursorAt } from "./yaml-cursor.js";

const BLOCKS: Readonly<Record<string, Block>> = LANGUAGE;
/** The key that says which choice a map is. */
const TAG = "type";

/** What could be typed at an offset of a spec in YAML, written with a key a line. */
export function completeYaml(
  document: AnalysedDocument,
  offset: number,
  options: CompletionOptions,
): readonly CompletionItem[] {
  const { text, path, lines } = document;
  if (text.length > LONGEST_FILE || path.endsWith(".json")) return [];
  const cursor = yamlCursorAt(text, offset);
  if (!cursor) return [];
  const found = cursor.key === undefined ? keys(cursor, document) : values(cursor, document);
  return found.map((proposal, n) => itemOf(proposal, n, cursor, lines, options));
}

function keys(cursor: YamlCursor, document: AnalysedDocument): readonly Proposal[] {
  const scope = scopeOf(cursor.above, cursor.beside.get(TAG));
  if (!scope) return choiceOf(cursor.above) ? [word(TAG, ": ")] : [];
  for (const key of cursor.beside.keys()) scope.members.add(key);
  if (scope.kind === "body") {
    const found = keysLeft(scope).map(([name, property]) => ({
      ...keyProposal(name, property),
      rest: { snippet: `: ${placeholder(property.type)}`, plain: ": " },
    }));
    return [...found, ...ownKeys(scope)];
  }
  const open = blocksLeft(scope);
  const rest = { snippet: ":\n  $0", plain: ":" };
  const blocks = open
    .filter(([, { chosenBy }]) => chosenBy === undefined)
    .map(([name, block]) => ({ ...blockProposal(name, block), rest }));
  const used = cursor.followed ? [] : usable(open).flatMap((name) => references(name, document));
  const statements = scope.kind === "file" ? ["skrull", "import", "let", "named", "runs"] : [];
  const left = statements.filter((name) => !scope.members.has(name));
  return [...blocks, ...used, ...left.map((name) => word(name, name === "skrull" ? ": 1" : ":"))];
}

const word = (label: string, behind: string): Proposal => ({
  label,
  kind: CompletionItemKind.Keyword,
  rest: { snippet: behind, plain: behind },
});

/** Keys of a block that are no properties. */
function ownKeys({ block, path, members }: Scope): readonly Proposal[] {
  if (block === undefined || path !== block) return [];
  const names = BLOCKS[block]?.label === undefined ? ["extends"] : ["name", "extends"];
  return names.filter((name) => !members.has(name)).map((name) => word(name, ": "));
}

const references = (block: string, document: AnalysedDocument): readonly Proposal[] =>
  names(document, block).map((one) => ({ ...one, label: `${block}: ${one.label}` }));

function placeholder(type: ValueType): string {
  if (type.kind === "enumeration" || type.kind === "boolean")
    return `\${1|${wordsOf(type).join(",")}|}`;
  if (type.kind === "tagged") return `{type: \${1|${wordsOf(type).join(",")}|}$2}`;
  return type.kind === "list" ? "[$1]" : "$1";
}

function values(cursor: YamlCursor, document: AnalysedDocument): readonly Proposal[] {
  const { above, key = "" } = cursor;
  if (key === TAG) {
    const property = choiceOf(above);
    if (property) return wordProposals(property.type, property, document);
  }
  const scope = scopeOf(above, cursor.beside.get(TAG));
  if (!scope) return [];
  if (scope.kind !== "body") return Object.hasOwn(LANGUAGE, key) ? names(document, key) : [];
  if (key === "extends" && scope.block !== undefined)
    return names(document, scope.block).filter(({ label }) => label !== scope.name);
  if (key === "name" && scope.block === "model") return modelNames();
  const property = propertyOf(scope, key);
  const type = property?.type.kind === "list" ? property.type.item : property?.type;
  const words = type && type.kind !== "tagged" ? wordProposals(type, property, document) : [];
  const path = type?.kind === "path" && type.word !== undefined ? [type.word] : [];
  return [
    ...words,
    ...path.map((label) => ({ label, kind: CompletionItemKind.Keyword })),
    ...constants(document),
  ];
}

/** The property below whose key a map stands, where it is a choice. */
function choiceOf(above: readonly string[]) {
  const scope = scopeOf(above.slice(0, -1), undefined);
  const property = scope && propertyOf(scope, above.at(-1));
  return property?.type.kind === "tagged" ? property : undefined;
}

/** Where a map below these keys stands, if it is one of the language's. */
function scopeOf(above: readonly string[], tag: string | undefined): Scope | undefined {
  const [first, second, third] = above;
  const file = fileScope();
  if (first === "runs")
    return second === undefined ? undefined : below(runScope(file, second), above.slice(2), tag);
  if (first !== "named") return below(file, above, tag);
  if (second === undefined || third === undefined) return undefined;
  return inside(blockScope(file, second, third), above.slice(3), tag);
}

function below(scope: Scope, keys: readonly string[], tag: string | undefined): Scope | undefined {
  const [block, ...rest] = keys;
  if (block === undefined) return scope;
  return Object.hasOwn(LANGUAGE, block)
    ? inside(blockScope(scope, block, undefined), rest, tag)
    : undefined;
}

function inside(scope: Scope, keys: readonly string[], tag: string | undefined): Scope | undefined {
  const [key, ...rest] = keys;
  if (key === undefined) return scope;
  return tag === undefined || rest.length > 0 ? undefined : variantScope(scope, key, tag);
}
