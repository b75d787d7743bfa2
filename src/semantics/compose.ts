import { LANGUAGE } from "../language/language.js";
import type { Language } from "../language/types.js";
import type { BlockNode, BodyNode, EntryNode, NameNode } from "../syntax/tree.js";
import type { SourceDocument } from "./document.js";
import { findBlock, type Stack, withBases } from "./layers.js";
import type { Report } from "./report.js";
import { RUN, type Scope } from "./scope.js";

/** The layers of every block that a spec, or one of its runs, has. */
export type Composition = ReadonlyMap<string, Stack>;

/** Sets up what a body says of each block, on top of what was said before. */
export function compose(
  body: Omit<BodyNode, "start" | "end">,
  document: SourceDocument,
  before: Composition,
  scope: Scope,
  report: Report,
): Composition {
  const result = new Map(before);
  const said = new Map<string, NameNode>();
  for (const { name, stack, key, anew } of statements(body, document, scope, report)) {
    const first = said.get(name);
    if (first) {
      const related = [{ message: "first written here", ...report.place(first) }];
      report.at("duplicate-block", { name }, key, { related });
      continue;
    }
    said.set(name, key);
    const below = anew ? undefined : before.get(name);
    result.set(name, below ? onTopOf(below, stack) : stack);
  }
  return result;
}

const onTopOf = (below: Stack, above: Stack): Stack => ({
  layers: [...below.layers, ...above.layers],
  incomplete: below.incomplete || above.incomplete,
});

interface Statement {
  readonly name: string;
  readonly key: NameNode;
  readonly stack: Stack;
  /** It says what the block is made of, instead of changing what was there. */
  readonly anew: boolean;
}

function statements(
  body: Omit<BodyNode, "start" | "end">,
  document: SourceDocument,
  scope: Scope,
  report: Report,
): readonly Statement[] {
  const blocks = body.blocks
    .filter(({ name, given }) => isBlock(name.text) && !isChosen(name.text) && !given)
    .map((node) => ({
      name: node.name.text,
      key: node.name,
      stack: withBases({ node, document }, scope, report),
      anew: node.base !== undefined,
    }));
  const used = body.entries.filter((entry) => isReference(entry) && !isChosen(entry.key.text));
  const references = used.map(({ key, value }) => ({
    name: key.text,
    key,
    stack: referenced(key.text, asName(value), scope, report),
    anew: true,
  }));
  return [...blocks, ...references].sort((a, b) => a.key.start - b.key.start);
}

function referenced(kind: string, name: NameNode | undefined, scope: Scope, report: Report): Stack {
  const found = name && findBlock(kind, name, scope, report);
  return found ? withBases(found, scope, report) : { layers: [], incomplete: true };
}

/** `cluster = h100x32`: the spec uses a block that is declared elsewhere. */
export const isReference = ({ key, value }: EntryNode): boolean =>
  isBlock(key.text) && asName(value) !== undefined;

function asName(value: EntryNode["value"]): NameNode | undefined {
  if (value?.kind === "name") return value;
  return value?.kind === "scalar" ? { ...value, kind: "name" } : undefined;
}

/** Whether the language has a block of this name. */
export const isBlock = (name: string): boolean => Object.hasOwn(LANGUAGE, name);

/** Whether blocks of this name exist with names only, and a key of another block chooses one. */
export const isChosen = (name: string): boolean =>
  isBlock(name) && (LANGUAGE as Language)[name]?.chosenBy !== undefined;

/** Unnamed runs do not exist: each is chosen by its name. */
export const runsOf = (body: BodyNode): readonly BlockNode[] =>
  body.blocks.filter((node) => node.name.text === RUN);
