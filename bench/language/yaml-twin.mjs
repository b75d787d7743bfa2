// The same document in YAML, and a JSON Schema that holds it to the same keys, types and values: the baseline.
import { stringify } from "yaml";

/** A spec's tree as YAML text: blocks are maps, quantities are strings. */
export function yamlTwin(tree) {
  return stringify({ skrull: tree.version?.value, ...membersOf(tree) });
}

function membersOf({ entries, blocks }) {
  return Object.fromEntries([
    ...entries.map(({ key, value }) => [key.text, plainValue(value)]),
    ...blocks.map(({ name, label, body }) => [
      name.text,
      { ...(label ? { name: label.value } : {}), ...membersOf(body) },
    ]),
  ]);
}

function plainValue(node) {
  switch (node.kind) {
    case "name":
      return node.text === "true" ? true : node.text === "false" ? false : node.text;
    case "number":
      return node.unit ? `${node.text} ${node.unit.text}` : node.value;
    case "list":
      return node.items.map(plainValue);
    case "tagged":
      return { type: node.tag.text, ...membersOf(node.body) };
    default:
      return node.value;
  }
}

/** Schema of the YAML form, from the language table. */
export function schemaOf(language) {
  const blocks = Object.entries(language).map(([name, { properties, label }]) => [
    name,
    objectOf(properties, label ? { name: { type: "string" } } : {}),
  ]);
  const required = Object.keys(language).filter((name) => language[name].required);
  return {
    type: "object",
    additionalProperties: false,
    required: ["skrull", ...required],
    properties: { skrull: { const: 1 }, ...Object.fromEntries(blocks) },
  };
}

function objectOf(properties, more) {
  const required = Object.keys(properties).filter((key) => "required" in properties[key]);
  const own = Object.entries(properties).map(([key, { type }]) => [key, schemaOfType(type)]);
  return {
    type: "object",
    additionalProperties: false,
    required,
    properties: { ...more, ...Object.fromEntries(own) },
  };
}

function schemaOfType(type) {
  switch (type.kind) {
    case "boolean":
      return { type: "boolean" };
    case "integer":
      return orWord({ type: "integer", ...bounds(type.range) }, type.word);
    case "number":
      return { type: "number", ...bounds(type.range) };
    case "quantity":
      return { type: ["number", "string"], pattern: "^[0-9][0-9_.]* ?[A-Za-z/]*$" };
    case "enumeration":
      return { enum: type.values };
    case "list":
      return {
        type: "array",
        items: schemaOfType(type.item),
        ...(type.nonEmpty ? { minItems: 1 } : {}),
        ...(type.length === undefined ? {} : { minItems: type.length, maxItems: type.length }),
      };
    case "tagged":
      return {
        oneOf: [
          { enum: Object.keys(type.variants) },
          ...Object.entries(type.variants).map(variant),
        ],
      };
    default:
      return { type: "string" };
  }
}

const variant = ([tag, properties]) => objectOf(properties, { type: { const: tag } });

const orWord = (schema, word) =>
  word === undefined ? schema : { anyOf: [schema, { const: word }] };

const bounds = ({ min, max, above }) => ({
  ...(min === undefined ? {} : above ? { exclusiveMinimum: min } : { minimum: min }),
  ...(max === undefined ? {} : { maximum: max }),
});
