import type { Block, Properties, ValueType } from "../language/types.js";
import { BASE_UNITS } from "../language/units.js";

/** A key with a value that its type allows, to be written over by one that is meant. */
export const entryPlaceholder = (name: string, type: ValueType): string =>
  `${name} = ${valuePlaceholder(type)}`;

/** A block with whatever it cannot do without. */
export function blockPlaceholder(
  name: string,
  { properties }: Block,
  label: string | undefined,
): string {
  const quoted = label === undefined ? "" : ` ${JSON.stringify(label)}`;
  return `${name}${quoted} ${body(properties)}`;
}

function valuePlaceholder(type: ValueType): string {
  switch (type.kind) {
    case "string":
      return '""';
    case "path":
      return JSON.stringify(type.word ?? "data.jsonl");
    case "boolean":
    case "scalar":
      return "false";
    case "integer":
      return String(type.range.min ?? 0);
    case "number":
      // Above zero is a rate: a small one does the least harm.
      return type.range.above ? "1e-5" : String(type.range.min ?? 0);
    case "quantity":
      return type.dimension === "tokens" ? "4K" : `1 ${BASE_UNITS[type.dimension]}`;
    case "enumeration":
      return type.values[0] ?? "";
    case "list":
      return `[${valuePlaceholder(type.item)}]`;
    case "tagged":
      return taggedPlaceholder(type.variants);
  }
}

function taggedPlaceholder(variants: Readonly<Record<string, Properties>>): string {
  const [first] = Object.entries(variants);
  if (!first) return "";
  const [tag, properties] = first;
  const inside = body(properties);
  return inside === "{}" ? tag : `${tag} ${inside}`;
}

/** What is required in braces. */
function body(properties: Properties): string {
  const entries = Object.entries(properties).flatMap(([name, property]) =>
    "required" in property ? [entryPlaceholder(name, property.type)] : [],
  );
  return entries.length === 0 ? "{}" : `{ ${entries.join("  ")} }`;
}
