import { LANGUAGE, LANGUAGE_VERSION } from "./language.js";
import type { Block, NumberRange, Properties, Property, ValueType } from "./types.js";
import { unitsOf } from "./units.js";

type Schema = Readonly<Record<string, unknown>>;

/** JSON Schema (draft-07) of a spec in YAML or JSON, from the table: for editors, and for tools that write specs. */
export function specSchema(): Schema {
  const blocks = Object.entries(LANGUAGE as Readonly<Record<string, Block>>);
  const bodies = Object.fromEntries(blocks.map(([name, block]) => [name, blockSchema(block)]));
  const used = Object.fromEntries(
    blocks
      .filter(([, { chosenBy }]) => chosenBy === undefined)
      .map(([name, { doc }]) => [
        name,
        { description: doc, oneOf: [ref(name), { type: "string", description: "A named block." }] },
      ]),
  );
  const named = Object.fromEntries(
    blocks.map(([name]) => [name, { type: "object", additionalProperties: ref(name) }]),
  );
  const run = object({ extends: { type: "string" }, ...used });
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    $comment: "Generated from src/language/language.ts by npm run generate. Do not edit.",
    title: "A skrull spec in YAML or JSON",
    ...object({
      skrull: { description: "Version of the language.", const: LANGUAGE_VERSION },
      import: { description: "Files whose names this one uses.", ...oneOrMore },
      let: { description: "Constants.", type: "object" },
      named: { description: "Named blocks.", ...object(named) },
      runs: { description: "Named runs.", type: "object", additionalProperties: run },
      ...used,
    }),
    required: ["skrull"],
    definitions: bodies,
  };
}

const ref = (name: string): Schema => ({ $ref: `#/definitions/${name}` });
const oneOrMore: Schema = {
  oneOf: [{ type: "string" }, { type: "array", items: { type: "string" } }],
};
const object = (properties: Schema): Schema => ({
  type: "object",
  properties,
  additionalProperties: false,
});

/** Nothing is required: a named block, an import or a run may bring the rest. */
function blockSchema({ doc, label, properties }: Block): Schema {
  const name = label === undefined ? {} : { name: { type: "string", description: label } };
  const base = { extends: { type: "string", description: "A named block to start from." } };
  return { description: doc, ...object({ ...name, ...base, ...propertySchemas(properties) }) };
}

function propertySchemas(properties: Properties): Schema {
  return Object.fromEntries(
    Object.entries(properties).map(([key, property]) => [key, propertySchema(property)]),
  );
}

function propertySchema(property: Property): Schema {
  const simple = "default" in property && ["string", "boolean"].includes(typeof property.default);
  return {
    description: property.doc,
    ...valueSchema(property.type),
    ...(simple ? { default: (property as { readonly default: unknown }).default } : {}),
  };
}

/** Numbers may also be constants or calculations: a string. */
function valueSchema(type: ValueType): Schema {
  switch (type.kind) {
    case "string":
    case "path":
      return { type: "string" };
    case "scalar":
      return { type: ["string", "number", "boolean"] };
    case "boolean":
      return withConstants({ type: "boolean" });
    case "integer":
      return withConstants({ type: "integer", ...rangeSchema(type.range) });
    case "number":
      return withConstants({ type: "number", ...rangeSchema(type.range) });
    case "quantity":
      return withConstants({ type: "number", description: `Units: ${unitsOf(type.dimension)}.` });
    case "enumeration":
      return withConstants({ enum: type.values });
    case "list":
      return withConstants({ type: "array", items: valueSchema(type.item) });
    case "tagged":
      return withConstants(
        ...Object.entries(type.variants).map(([tag, properties]) => ({
          ...object({ type: { const: tag }, ...propertySchemas(properties) }),
          ...othersSchema(type.open?.[tag]),
          required: ["type"],
        })),
      );
  }
}

const othersSchema = (open: Property | undefined): Schema =>
  open === undefined ? {} : { additionalProperties: propertySchema(open) };

const withConstants = (...schemas: readonly Schema[]): Schema => ({
  anyOf: [...schemas, { type: "string" }],
});

function rangeSchema({ min, max, above }: NumberRange): Schema {
  const low = min === undefined ? {} : above ? { exclusiveMinimum: min } : { minimum: min };
  return { ...low, ...(max === undefined ? {} : { maximum: max }) };
}
