import type { Extra } from "../../diagnostics/diagnostic.js";
import { counterpartOf } from "../../language/other-tools.js";
import type { ValueType } from "../../language/types.js";
import type { TaggedNode, ValueNode } from "../../syntax/tree.js";
import type { ValueContext } from "../check-context.js";
import { placed } from "../elsewhere.js";
import { unquoted } from "../fixes.js";
import { reportUnknown } from "./check-word.js";
import { wrongType } from "./wrong-type.js";

/** A word in quotes, a file that a tag names, or what another key is for. */
function meantTag(
  node: ValueNode,
  tags: readonly string[],
  { name, path, report }: ValueContext,
): Extra {
  if (node.kind === "number") {
    const found = counterpartOf(name);
    return found && found.at !== path ? { help: placed(found, report) } : {};
  }
  if (node.kind !== "string") return {};
  if (tags.includes(node.value)) {
    const fix = unquoted(node, report);
    return { help: "Write the word without quotes.", ...(fix ? { fix } : {}) };
  }
  return tags.includes("file") && !report.isYaml
    ? { help: `Write file { path = ${JSON.stringify(node.value)} }.` }
    : {};
}

export function checkTagged(
  node: ValueNode,
  type: Extract<ValueType, { kind: "tagged" }>,
  context: ValueContext,
): unknown {
  const tags = Object.keys(type.variants);
  if (node.kind !== "tagged" && node.kind !== "name") {
    const expected = `one of ${tags.map((tag) => `${tag} { ... }`).join(", ")}`;
    return wrongType(node, expected, context, meantTag(node, tags, context));
  }
  const tag = node.kind === "name" ? node : node.tag;
  const properties = Object.hasOwn(type.variants, tag.text) ? type.variants[tag.text] : undefined;
  if (!properties) {
    reportUnknown(tag, { kind: "enumeration", values: tags }, context);
    return undefined;
  }
  const body = (node as TaggedNode).body ?? {
    entries: [],
    blocks: [],
    imports: [],
    constants: [],
    start: node.start,
    end: node.end,
  };
  const open = type.open && Object.hasOwn(type.open, tag.text) ? type.open[tag.text] : undefined;
  const owner = { name: tag.text, path: context.path, header: tag, open };
  const layers = [{ body, document: context.document }];
  const values = context.checkBody(layers, properties, owner, context);
  return values && { type: tag.text, ...values };
}
