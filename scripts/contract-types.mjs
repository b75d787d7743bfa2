// Types of both languages for the records and words that the JSON Schemas of contract/ declare.
import { basename } from "node:path";

const nameOf = (reference) => basename(reference);
const typeOf = (schema) => [schema.type ?? []].flat();

/** `schedule-problem.schema.json` declares, besides its definitions, the `ScheduleProblem`. */
const rootName = (file) =>
  file
    .replace(".schema.json", "")
    .split("-")
    .map((word) => word[0].toUpperCase() + word.slice(1))
    .join("");

/** Everything that a schema declares by name: its definitions, then the document itself where it is an object. */
export function declarations(file, schema) {
  const own = Object.entries(schema.definitions ?? {});
  const { title: description, ...document } = schema;
  return schema.type ? [...own, [rootName(file), { description, ...document }]] : own;
}

const fail = (name, why) => {
  throw new Error(`contract/: ${name} ${why}`);
};

/** The parts of a schema in a language's words; `words` says how that writes what. */
function expression(schema, words, place) {
  if (schema.$ref) return nameOf(schema.$ref);
  if (schema.anyOf) return words.union(schema.anyOf.map((one) => expression(one, words, place)));
  if (schema.enum) return words.literals(schema.enum);
  if ("const" in schema) return words.literals([schema.const]);
  const types = typeOf(schema);
  if (types.length === 0) return words.unknown;
  return words.union(types.map((type) => simple(type, schema, words, place)));
}

function simple(type, schema, words, place) {
  if (type === "array") {
    const item = expression(schema.items ?? {}, words, place);
    const { minItems: least, maxItems: most } = schema;
    return least === most && most <= 4 ? words.tuple(item, most) : words.list(item);
  }
  if (type !== "object") return words[type];
  if (schema.properties) fail(place, "has a record without a name: make it a definition");
  const values = schema.additionalProperties;
  return typeof values === "object" ? words.map(expression(values, words, place)) : words.object;
}

const isRecord = (schema) => schema.properties !== undefined;
const isWords = (schema) => schema.enum !== undefined;

/** The defaults of a record that need state nothing; none of any other. */
function defaultsOf(schema) {
  const entries = Object.entries(schema.properties);
  if (entries.length === 0 || entries.some(([, own]) => !("default" in own))) return undefined;
  return Object.fromEntries(entries.map(([key, own]) => [key, own.default]));
}

// TypeScript

const TYPESCRIPT = {
  string: "string",
  number: "number",
  integer: "number",
  boolean: "boolean",
  null: "null",
  unknown: "unknown",
  object: "object",
  literals: (values) => values.map((value) => JSON.stringify(value)).join(" | "),
  union: (types) => [...new Set(types)].join(" | "),
  list: (item) => `readonly ${item.includes(" ") ? `(${item})` : item}[]`,
  tuple: (item, count) => `readonly [${Array(count).fill(item).join(", ")}]`,
  map: (value) => `Readonly<Record<string, ${value}>>`,
};

const tsDoc = (text, indent = "") => (text ? `${indent}/** ${text} */\n` : "");

/** CamelCase of a type as the name of a constant: `DegreeClass` is `DEGREE_CLASS`. */
const constantOf = (type) => type.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
const listOf = (type) => `${constantOf(type)}_WORDS`;
const presetsOf = (type) => `${constantOf(type)}_DEFAULTS`;
const presetsDoc = (type) => `What a ${type} has where it states less.`;

/** A declaration in TypeScript. What has a default is there: who writes states it, who reads fills it in. */
export function typescript(name, schema) {
  const doc = tsDoc(schema.description);
  if (isWords(schema))
    return (
      `${doc}export const ${listOf(name)} = ${JSON.stringify(schema.enum)} as const;\n` +
      `export type ${name} = (typeof ${listOf(name)})[number];\n`
    );
  if (!isRecord(schema))
    return `${doc}export type ${name} = ${expression(schema, TYPESCRIPT, name)};\n`;
  const lines = Object.entries(schema.properties).map(([key, own]) => {
    const there = schema.required?.includes(key) || "default" in own;
    const type = expression(own, TYPESCRIPT, `${name}.${key}`);
    return `${tsDoc(own.description, "  ")}  readonly ${key}${there ? "" : "?"}: ${type};\n`;
  });
  const defaults = defaultsOf(schema);
  const presets = defaults
    ? `\n${tsDoc(presetsDoc(name))}export const ${presetsOf(name)} = ${JSON.stringify(defaults, null, 2)} as const;\n`
    : "";
  return `${doc}export interface ${name} {\n${lines.join("")}}\n${presets}`;
}

// Python

const PYTHON = {
  string: "str",
  number: "float",
  integer: "int",
  boolean: "bool",
  null: "None",
  unknown: "Any",
  object: "dict[str, Any]",
  literals: (values) => `Literal[${values.map((value) => JSON.stringify(value)).join(", ")}]`,
  union: (types) => [...new Set(types)].join(" | "),
  list: (item) => `list[${item}]`,
  tuple: (item) => `list[${item}]`,
  map: (value) => `dict[str, ${value}]`,
};

const WIDTH = 100;

/** A list of words may be long: one a line, as ruff has it. */
const pyLiteral = (name, words) => {
  const line = `${name} = ${PYTHON.literals(words)}`;
  if (line.length <= WIDTH) return line;
  return `${name} = Literal[\n${words.map((word) => `    ${JSON.stringify(word)},\n`).join("")}]`;
};

/** A value of JSON. */
const pyJson = (value) => {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(pyJson).join(", ")}]`;
  if (typeof value === "object") return `{${pyItems(value).join(", ")}}`;
  return JSON.stringify(value);
};

const pyItems = (object) =>
  Object.entries(object).map(([key, own]) => `${JSON.stringify(key)}: ${pyJson(own)}`);

const pyValue = (value, type) => {
  if (value === null || typeof value !== "object") return pyJson(value);
  const empty = { "{}": `lambda: ${type}()`, "[]": "list" }[JSON.stringify(value)]; // a TypedDict
  return `field(default_factory=${empty ?? `lambda: ${pyJson(value)}`})`;
};

const pyDoc = (schema) => `    """${schema.description}"""\n\n`;
const pyNote = (text) => (text ? `    # ${text}\n` : "");

/** A run's constants are dataclasses, whose defaults hold for a run that states less; parsed JSON stays a dictionary. */
const isConstructed = (name) => name.endsWith("Config");

const dataclassField = (name, key, own, required) => {
  const type = expression(own, PYTHON, `${name}.${key}`);
  const preset = required ? "" : ` = ${pyValue(own.default, type)}`;
  return `${pyNote(own.description)}    ${key}: ${type}${preset}\n`;
};

const keyOf = (name, key, own, required) => {
  const type = expression(own, PYTHON, `${name}.${key}`);
  return `${pyNote(own.description)}    ${key}: ${required ? type : `NotRequired[${type}]`}\n`;
};

/** A declaration in Python. */
export function python(name, schema) {
  const about = schema.description ? `# ${schema.description}\n` : "";
  if (isWords(schema)) return `${about}${pyLiteral(name, schema.enum)}\n`;
  if (!isRecord(schema)) {
    const type = expression(schema, PYTHON, name);
    const later = / \| |^[A-Z]/.test(type) ? `"${type}"` : type; // what it names may follow
    return `${about}${name}: TypeAlias = ${later}\n`;
  }
  const constructed = isConstructed(name);
  const written = constructed ? dataclassField : keyOf;
  const fields = Object.entries(schema.properties).map(([key, own]) =>
    written(name, key, own, schema.required?.includes(key) ?? false),
  );
  const head = constructed
    ? `@dataclass(frozen=True)\nclass ${name}:`
    : `class ${name}(TypedDict):`;
  const defaults = constructed ? undefined : defaultsOf(schema);
  const presets = defaults
    ? `\n\n# ${presetsDoc(name)}\n${presetsOf(name)}: ${name} = {\n${pyItems(defaults)
        .map((item) => `    ${item},\n`)
        .join("")}}\n`
    : "";
  return `${head}\n${pyDoc(schema)}${fields.join("")}${presets}`;
}
