import { LANGUAGE } from "./language.js";
import type { Block, NumberRange, Properties, Property, ValueType } from "./types.js";
import { unitsOf } from "./units.js";

/** The language reference in Markdown, from the table. */
export function referencePage(): string {
  const blocks = Object.entries(LANGUAGE as Readonly<Record<string, Block>>);
  return [
    "<!-- Generated from src/language/language.ts by npm run generate. Do not edit. -->",
    "",
    "# The language",
    "",
    "A spec begins with the line `skrull 1` and consists of blocks of keys. `#` and `//` begin a comment.",
    "Tokens and other counts may be written in `K` (1,024) and `M` (1,048,576); memory in binary (`GiB`) or decimal",
    "(`GB`) units.",
    "",
    "Paths are relative to the file that they are written in and never absolute. What a run reads while training (`train`",
    "and `data` files, a model's `path`) lies in the spec's folder or below it, if need be through a link, so that a run",
    "finds it from one folder on any machine; what is copied into the run may be reached with `../`. More:",
    "[`unsafe-path`](../diagnostics/README.md#unsafe-path).",
    "",
    "Related pages: [data](data.md), [profiles](profile.md), [scheduling policies](../policies.md).",
    "",
    ...REUSE,
    ...blocks.flatMap(([name, block]) => blockSection(name, block)),
  ].join("\n");
}

const REUSE: readonly string[] = [
  "## Names and reuse",
  "",
  "| written | does |",
  "|---|---|",
  '| `import "clusters.skrull"` | brings in the named blocks and constants of another file inside the project |',
  "| `let seq = 128K` | a constant: a number, quantity, string, word, list or `name { ... }` value |",
  "| `max_length = seq / 2 + 1K` | `+ - * /` and parentheses on numbers and compatible quantities |",
  "| `cluster h100 { ... }` | a named block, used by its name |",
  "| `cluster = h100` | this spec's cluster is that block |",
  "| `gpu_model mine { ... }` | your own GPU, used by `cluster { gpu = mine }` |",
  "| `cluster extends h100 { nodes = 8 }` | that block, overridden key by key; named blocks can extend each other |",
  "| `run long { train { steps = 500 } }` | one of several runs: the file's blocks, overridden key by key; `run b extends a { ... }` |",
  "",
  "A key's own words take precedence over constants of the same name. A `-` inside a name belongs to it: write `a - b` to",
  "subtract. A file that only declares names is a library to import: nothing is missing from it.",
  "",
  "The same document may be YAML or JSON (`*.skrull.yaml`, `*.skrull.json`; `schemas/spec.schema.json` describes it):",
  "`import` and `let` are keys at the top, a block's quoted name is its key `name`, `extends` is a key, named blocks are",
  "`named: { cluster: { h100: { ... } } }`, runs `runs: { long: { ... } }`, and a value with settings names its `type`:",
  "`optimizer: { type: adamw, lr: 1e-5 }`.",
  "",
];

function blockSection(name: string, block: Block): readonly string[] {
  const presence = block.required ? "Required." : "May be left out.";
  return [
    `## \`${name}\``,
    "",
    `${block.doc}${block.chosenBy === undefined ? ` ${presence}` : ""}`,
    ...(block.label ? ["", `Its name, in quotes: ${block.label}`] : []),
    "",
    ...propertyTable(block.properties),
    "",
    ...Object.entries(block.properties).flatMap(([key, property]) =>
      variantSections(key, property),
    ),
  ];
}

function propertyTable(properties: Properties): readonly string[] {
  const rows = Object.entries(properties).map(([key, property]) => row(code(key), property));
  return ["| key | takes | without it | meaning |", "|---|---|---|---|", ...rows];
}

const row = (key: string, property: Property): string =>
  `| ${key} | ${cell(describeType(property.type))} | ${cell(describePresence(property))} | ${cell(describeMeaning(property))} |`;

const describeMeaning = ({ doc, formerly }: Property): string =>
  formerly === undefined ? doc : `${doc} Formerly ${code(formerly)}.`;

function variantSections(key: string, { type }: Property): readonly string[] {
  if (type.kind !== "tagged") return [];
  return Object.entries(type.variants).flatMap(([tag, properties]) => {
    const open = type.open?.[tag];
    if (Object.keys(properties).length === 0 && !open) return [];
    return [
      `### \`${key} = ${tag} { ... }\``,
      "",
      ...propertyTable(properties),
      ...(open ? [row("any other", open)] : []),
      "",
    ];
  });
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const code = (text: string): string => `\`${text}\``;

/** What holds where a key is not set. */
export function describePresence(property: Property): string {
  if ("required" in property) return "required";
  if ("optional" in property) return property.optional;
  return code(describeDefault(property.default, property.type));
}

/** A value of the table as a spec would write it. */
export function describeDefault(value: unknown, type: ValueType): string {
  if (type.kind === "quantity" && type.dimension === "bytes")
    return `${Number(value) / 1024 ** 3} GiB`;
  if (type.kind === "quantity" && type.dimension === "bandwidth")
    return `${(Number(value) * 8) / 1e9} Gbit/s`;
  if (type.kind === "quantity" && type.dimension === "time") return `${Number(value) / 60} min`;
  if (type.kind === "quantity" && type.dimension === "compute")
    return `${Number(value) / 1e12} TFLOP/s`;
  if (type.kind === "tagged") return String((value as { readonly type: string }).type);
  if (type.kind === "path") return JSON.stringify(value);
  return Array.isArray(value) ? `[${value.join(", ")}]` : String(value);
}

/** What a key takes, in Markdown. */
export function describeType(type: ValueType): string {
  switch (type.kind) {
    case "string":
      return "string";
    case "path":
      return "path";
    case "boolean":
      return `${code("true")}, ${code("false")}`;
    case "scalar":
      return "string, number or truth value";
    case "integer": {
      const number = `whole number${rangeText(type.range)}`;
      return type.word === undefined ? number : `${number}, or ${code(type.word)}`;
    }
    case "number":
      return `number${rangeText(type.range)}`;
    case "quantity":
      return [
        `${type.dimension} (${unitsOf(type.dimension)})`,
        ...(type.words ?? []).map(code),
      ].join(", or ");
    case "enumeration":
      return [...type.values.map(code), ...namesOf(type.declared)].join(", ");
    case "list":
      return `list of ${type.length ?? ""} ${describeType(type.item)}`.replace("  ", " ");
    case "tagged":
      return Object.entries(type.variants)
        .map(([tag, keys]) =>
          code(Object.keys(keys).length > 0 || type.open?.[tag] ? `${tag} { ... }` : tag),
        )
        .join(", ");
  }
}

const namesOf = (block: string | undefined): readonly string[] =>
  block === undefined ? [] : [`the name of a ${code(block)}`];

function rangeText({ min, max, above }: NumberRange): string {
  const low = min === undefined ? "" : above ? ` > ${min}` : ` ≥ ${min}`;
  const small = max !== undefined && max <= 65536;
  return `${low}${small ? `, ≤ ${max}` : ""}`;
}
