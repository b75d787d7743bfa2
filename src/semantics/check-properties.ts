import { didYouMean } from "../foundation/suggest.js";
import type { Properties, Property } from "../language/types.js";
import type { BodyNode, EntryNode, NameNode } from "../syntax/tree.js";
import { checkValue } from "./check-value.js";
import type { Origins, Report } from "./report.js";

export interface Owner {
  /** Of the block or variant, for messages. */
  readonly name: string;
  /** Path of its values. */
  readonly path: string;
  /** Where a missing key is reported. */
  readonly header: NameNode;
}

export interface CheckContext {
  readonly report: Report;
  readonly origins: Origins;
  /** The parser found errors: what seems to be missing may only be unreadable. */
  readonly broken: boolean;
  /** Names of the language's blocks. */
  readonly blocks: readonly string[];
}

/** Values of a body by key, defaults filled in; `undefined` after reporting what is wrong with it. */
export function checkProperties(
  body: BodyNode,
  properties: Properties,
  owner: Owner,
  context: CheckContext,
): Readonly<Record<string, unknown>> | undefined {
  const { report } = context;
  const before = report.count;
  for (const block of body.blocks) {
    if (!context.blocks.includes(block.name.text))
      reportUnknownKey(block.name, properties, owner, report);
    // After a missing brace every block reads as nested; the parser has said so.
    else if (!context.broken) reportNestedBlock(block.name, owner, report);
  }
  const entries = new Map<string, EntryNode>();
  for (const entry of body.entries) {
    const name = entry.key.text;
    const first = entries.get(name);
    if (!Object.hasOwn(properties, name)) reportUnknownKey(entry.key, properties, owner, report);
    else if (first) reportDuplicate(first, entry, report);
    else entries.set(name, entry);
  }
  const values: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(properties)) {
    values[name] = checkProperty(name, property, entries.get(name), owner, context);
  }
  return report.count === before ? values : undefined;
}

function checkProperty(
  name: string,
  property: Property,
  entry: EntryNode | undefined,
  owner: Owner,
  context: CheckContext,
): unknown {
  if (!entry) {
    if ("required" in property && !context.broken) {
      context.report.at(
        "missing-key",
        { owner: owner.name, name, reason: property.required },
        owner.header,
        {
          help: `Add ${name} = ... to it.`,
        },
      );
    }
    return "default" in property ? property.default : undefined;
  }
  // Without a value the parser has already said what is wrong.
  if (!entry.value) return undefined;
  const path = `${owner.path}.${name}`;
  context.origins.record(path, entry.value);
  return checkValue(entry.value, property.type, { ...context, name, path });
}

function reportUnknownKey(
  key: NameNode,
  properties: Properties,
  owner: Owner,
  report: Report,
): void {
  const known = Object.keys(properties);
  const near = didYouMean(key.text, known);
  const range = report.lines.range(key.start, key.end);
  report.at("unknown-key", { owner: owner.name, name: key.text }, key, {
    help: near ? `Did you mean ${near}?` : `Its keys: ${known.join(", ")}.`,
    ...(near
      ? { fix: { title: `Rename to ${near}`, safe: false, edits: [{ range, new_text: near }] } }
      : {}),
  });
}

function reportNestedBlock({ text: name, ...span }: NameNode, owner: Owner, report: Report): void {
  const help = `${name} is a block of its own: move it out of ${owner.name}.`;
  report.at("unknown-key", { owner: owner.name, name }, span, { help });
}

function reportDuplicate(first: EntryNode, second: EntryNode, report: Report): void {
  report.at("duplicate-key", { name: second.key.text }, second.key, {
    related: [
      {
        message: "first set here",
        file: report.file,
        range: report.lines.range(first.key.start, first.key.end),
      },
    ],
  });
}
