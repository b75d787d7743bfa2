import { didYouMean } from "../foundation/suggest.js";
import { defaultOf, type Properties, type Property } from "../language/types.js";
import type { BlockNode, BodyNode, EntryNode, NameNode } from "../syntax/tree.js";
import type { BodyLayer, CheckContext, Owner, ValueContext } from "./check-context.js";
import type { SourceDocument } from "./document.js";
import { elsewhere } from "./elsewhere.js";
import { otherWord, withoutEntry } from "./fixes.js";
import { entryInBody } from "./insert.js";
import { entryPlaceholder } from "./placeholders.js";
import type { Report } from "./report.js";
import { checkValue } from "./values/check-value.js";

/** An entry as the table knows it, and where it stands. */
interface Written {
  readonly entry: EntryNode;
  readonly document: SourceDocument;
}

/**
 * Values of a body by key, defaults filled in; `undefined` after reporting what is wrong with it.
 *
 * @param layers later ones override earlier ones, key by key
 */
export function checkProperties(
  layers: readonly BodyLayer[],
  properties: Properties,
  owner: Owner,
  context: CheckContext,
): Readonly<Record<string, unknown>> | undefined {
  const { findings } = context.report;
  const before = findings.count;
  const written = new Map<string, Written>();
  const misspelt = new Set<string>();
  for (const { body, document } of layers) {
    const inside = { ...context, document, report: context.report.in(document), misspelt };
    for (const [name, entry] of readBody(body, properties, owner, inside))
      written.set(name, { entry, document });
  }
  const values: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(properties)) {
    const found = written.get(name);
    values[name] = found
      ? checkEntry(name, property, found, owner, context)
      : misspelt.has(name)
        ? undefined
        : absent(name, property, layers.at(-1)?.body, owner, context);
  }
  if (owner.open) values["others"] = checkOthers(owner.open, written, properties, owner, context);
  return findings.count === before ? values : undefined;
}

/** Values of the keys that are the user's own. */
function checkOthers(
  open: Property,
  written: ReadonlyMap<string, Written>,
  properties: Properties,
  owner: Owner,
  context: CheckContext,
): Readonly<Record<string, unknown>> {
  const own = [...written].filter(([name]) => !Object.hasOwn(properties, name));
  return Object.fromEntries(
    own.map(([name, entry]) => [name, checkEntry(name, open, entry, owner, context)]),
  );
}

/** The entries of one body under the names that the table has now. */
function readBody(
  body: BodyNode,
  properties: Properties,
  owner: Owner,
  context: CheckContext & { readonly misspelt: Set<string> },
): ReadonlyMap<string, EntryNode> {
  const { report, misspelt } = context;
  const unknown = (key: NameNode) => {
    const near = reportUnknownKey(key, properties, owner, report);
    if (near !== undefined) misspelt.add(near);
  };
  reportMisplaced(body, report);
  const meant: [string, EntryNode][] = [];
  for (const block of body.blocks) {
    const { name } = block;
    const property = Object.hasOwn(properties, name.text) ? properties[name.text] : undefined;
    if (property) {
      reportBlockForKey(block, property, report);
      meant.push([name.text, { kind: "entry", key: name, start: block.start, end: block.end }]);
    } else if (!context.blocks.includes(name.text)) {
      unknown(name);
    }
    // After a missing brace every block reads as nested; the parser has said so.
    else if (!context.broken) reportNestedBlock(name, owner, report);
  }
  const entries = new Map(meant);
  for (const entry of body.entries) {
    const name = currentName(entry.key, properties, report);
    const first = entries.get(name);
    if (!Object.hasOwn(properties, name) && !owner.open) unknown(entry.key);
    else if (first) reportDuplicate(first, entry, context);
    else entries.set(name, entry);
  }
  return entries;
}

/** `optimizer { ... }` and `optimizer adamw { ... }`. */
function reportBlockForKey(
  { name, given, label, body }: BlockNode,
  { type }: Property,
  report: Report,
): void {
  const open = { start: body.start, end: Math.min(body.end, body.start + 1) };
  const span = given ?? label ?? open;
  const found = `'${report.written(span)}'`;
  const value =
    type.kind === "tagged" ? `${given?.text ?? Object.keys(type.variants)[0]} { ... }` : "...";
  const help = `${name.text} is a key: write ${name.text} = ${value}`;
  const fix =
    given && report.replacement("Write =", { start: given.start, end: given.start }, "= ", true);
  report.at("unexpected-token", { expected: "'='", found }, span, {
    help,
    ...(fix ? { fix } : {}),
  });
}

/** Imports and constants belong to the file. */
export function reportMisplaced(body: BodyNode, report: Report): void {
  for (const node of body.imports) report.at("misplaced-statement", { what: "import" }, node);
  for (const node of body.constants) report.at("misplaced-statement", { what: "let" }, node);
}

/** The table's name of a key; a former one is read with a warning. */
function currentName(key: NameNode, properties: Properties, report: Report): string {
  if (Object.hasOwn(properties, key.text)) return key.text;
  const now = Object.entries(properties).find(([, property]) => property.formerly === key.text);
  if (!now) return key.text;
  const [name] = now;
  const fix = report.replacement(`Rename to ${name}`, key, name, true);
  report.at("deprecated-key", { old: key.text, name }, key, { fix });
  return name;
}

/** @param body that the key would have to stand in */
function absent(
  name: string,
  property: Property,
  body: BodyNode | undefined,
  owner: Owner,
  { report, broken }: CheckContext,
): unknown {
  if ("required" in property && !broken && !owner.partial) {
    const entry = entryPlaceholder(name, property.type);
    const fix = body && !report.isYaml ? entryInBody(entry, body, owner.header, report) : undefined;
    const values = { owner: owner.name, name, reason: property.required };
    const help = `Add ${name}${report.signs.key} ... to it.`;
    report.at("missing-key", values, owner.header, { help, ...(fix ? { fix } : {}) });
  }
  return defaultOf(property);
}

function checkEntry(
  name: string,
  property: Property,
  { entry, document }: Written,
  owner: Owner,
  context: CheckContext,
): unknown {
  // Without a value the parser has already said what is wrong.
  if (!entry.value) return undefined;
  const path = `${owner.path}.${name}`;
  const report = context.report.in(document);
  context.origins.record(path, report.place(entry.value));
  const { origins, evaluator, scope, broken, blocks } = context;
  // Written out: this runs for every key, and a spread takes longer than the check.
  const inside: ValueContext = {
    report,
    document,
    origins,
    evaluator,
    scope,
    broken,
    blocks,
    name,
    path,
    checkBody: checkProperties,
  };
  return checkValue(entry.value, property.type, inside);
}

/** @returns the key that was most likely meant */
function reportUnknownKey(
  key: NameNode,
  properties: Properties,
  owner: Owner,
  report: Report,
): string | undefined {
  const known = Object.keys(properties);
  const found = elsewhere(key.text, owner.path, properties, report);
  const near = found ? found.near : didYouMean(key.text, known);
  const help = found?.help ?? (near && `Did you mean ${near}?`) ?? `Its keys: ${known.join(", ")}.`;
  const fix = near && otherWord(key, near, report, `Rename to ${near}`);
  const advice = { help, ...(fix ? { fix } : {}) };
  report.at("unknown-key", { owner: owner.name, name: key.text }, key, advice);
  return near;
}

function reportNestedBlock({ text: name, ...span }: NameNode, owner: Owner, report: Report): void {
  const help = `${name} is a block of its own: move it out of ${owner.name}.`;
  report.at("unknown-key", { owner: owner.name, name }, span, { help });
}

function reportDuplicate(
  first: EntryNode,
  second: EntryNode,
  { report, broken }: CheckContext,
): void {
  // In YAML an entry cannot go without a comma or a line that belongs to its neighbours.
  const removable = !broken && !report.isYaml;
  const fix = removable ? withoutEntry(second, first, report) : undefined;
  report.at("duplicate-key", { name: second.key.text }, second.key, {
    related: [{ message: "first set here", ...report.place(first.key) }],
    ...(fix ? { fix } : {}),
  });
}
