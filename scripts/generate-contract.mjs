// Puts what both programs go by (contract/) into each: modules of types and data for the compiler and for the runtime.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  commandCodes,
  formatColumns,
  formatWords,
  learningRateSchema,
  learningRates,
  learningRateWords,
  pythonConstants,
} from "./contract-derived.mjs";
import { declarations, python, typescript } from "./contract-types.mjs";
import { fail, ROOT } from "./lib.mjs";

const check = process.argv.includes("--check");
const RUNTIME = "python/skrull_runtime/contract";
const VOCABULARIES = "vocabularies.schema.json";
const LIMITS = "limits.json";
/** What the runtime has as modules, or not at all. */
const COMPILED = [LIMITS, "learning-rates.json", "exit-codes.json"];
const read = (path) => readFileSync(join(ROOT, path), "utf8");
const inContract = (name) => JSON.parse(read(`contract/${name}`));

const names = inContract("data-names.json");
const rates = inContract("learning-rates.json");
/** Definitions of schemas that follow from tables. */
const derived = {
  [VOCABULARIES]: [formatWords(names), learningRateWords(rates)],
  "run.schema.json": [["LearningRate", learningRateSchema(rates)]],
};

/** A schema as it is written, with what follows from tables. */
function parsed(name) {
  const { definitions, ...schema } = inContract(name);
  const more = Object.fromEntries(derived[name] ?? []);
  return definitions ? { ...schema, definitions: { ...definitions, ...more } } : schema;
}
const contract = readdirSync(join(ROOT, "contract")).filter((name) => name.endsWith(".json"));
const schemas = contract.filter((name) => name.endsWith(".schema.json") && name !== VOCABULARIES);
const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

const head = (comment, from) =>
  `${comment} Generated from ${from} by scripts/generate-contract.mjs. Do not edit.\n`;

/** A document of the contract as a module of the compiler. */
const moduleOf = (path, constant) =>
  `${head("//", path)}\nexport const ${constant} = ${json(JSON.parse(read(path))).trim()} as const;\n`;

// Schemas: each is whole by itself where it is used.

const FOREIGN = /^([\w-]+\.schema\.json)#\/definitions\/(\w+)$/;

/** A schema with what it refers to in other files among its own definitions. */
function bundled(name) {
  const definitions = {};
  const local = (schema, file) => {
    if (Array.isArray(schema)) return schema.map((one) => local(one, file));
    if (typeof schema !== "object" || schema === null) return schema;
    const entries = Object.entries(schema).map(([key, own]) =>
      key === "$ref" ? [key, referred(own, file)] : [key, local(own, file)],
    );
    return Object.fromEntries(entries);
  };
  const referred = (reference, file) => {
    const foreign = FOREIGN.exec(reference);
    const [other, definition] = foreign?.slice(1) ?? [file, reference.split("/").at(-1)];
    if (!Object.hasOwn(definitions, definition)) {
      definitions[definition] = {}; // known from here on: a definition may refer to itself
      definitions[definition] = local(parsed(other).definitions[definition], other);
    }
    return `#/definitions/${definition}`;
  };
  const { definitions: own = {}, ...document } = parsed(name);
  const whole = local(document, name);
  for (const definition of Object.keys(own)) referred(`#/definitions/${definition}`, name);
  return Object.keys(definitions).length > 0 ? { ...whole, definitions } : whole;
}

const declared = schemas.map((name) => [name, declarations(name, parsed(name))]);
const words = Object.entries(parsed(VOCABULARIES).definitions);

// TypeScript

const typescriptWords = () =>
  [
    head("//", `contract/${VOCABULARIES}`),
    ...words.map(([name, schema]) => typescript(name, schema)),
  ].join("\n");

const typescriptRecords = () => {
  const parts = declared.flatMap(([file, own]) => [
    `// ${file}\n`,
    ...own.map(([name, schema]) => typescript(name, schema)),
  ]);
  const names = words.map(([name]) => name).filter((name) => uses(parts, name));
  return [
    head("//", "the schemas in contract/"),
    `import type {\n${names.map((name) => `  ${name},\n`).join("")}} from "./vocabularies.generated.js";\n`,
    ...parts,
  ].join("\n");
};

const uses = (parts, name) => parts.some((part) => new RegExp(`\\b${name}\\b`).test(part));

// Python

const pythonWords = () =>
  `${head("#", `contract/${VOCABULARIES}`)}"""Words that a run's configuration may hold, and what they are about."""

from __future__ import annotations

from typing import Literal

${words.map(([name, schema]) => python(name, schema)).join("\n")}`;

const pythonRecords = () => {
  const parts = declared.flatMap(([, own]) => own.map(([name, schema]) => python(name, schema)));
  const names = words.map(([name]) => name).filter((name) => uses(parts, name));
  return `${head("#", "the schemas in contract/")}"""What crosses from the compiler to a run: its constants, and the documents beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

if TYPE_CHECKING:
    from typing_extensions import NotRequired

from .vocabularies import (
${names
  .toSorted()
  .map((name) => `    ${name},\n`)
  .join("")})

${parts.map((part) => (/^(class|@)/.test(part) ? `\n${part}\n` : part)).join("\n")}`
    .replace(/\n{4,}/g, "\n\n\n")
    .trimEnd()
    .concat("\n");
};

// Limits: numbers on which both programs decide.

const { limits } = inContract(LIMITS);

const typescriptLimits = () =>
  [
    head("//", `contract/${LIMITS}`),
    ...Object.entries(limits).map(
      ([name, { doc, value }]) =>
        `/** ${doc} */\nexport const ${name} = ${JSON.stringify(value)};\n`,
    ),
  ].join("\n");

const pythonLimits = () =>
  `${head("#", `contract/${LIMITS}`)}"""Numbers on which both schedulers decide."""\n\n${pythonConstants(limits)}`;

const codes = inContract("exit-codes.json");

const testedKinds = () =>
  Object.fromEntries(
    Object.entries(inContract("models.json").taken).map(([type, { kinds }]) => [type, kinds]),
  );

const files = {
  "src/cli/exit-code.generated.ts": `${head("//", "contract/exit-codes.json")}\n${commandCodes(codes)}`,
  [`${RUNTIME}/exit_codes.py`]: `${head("#", "contract/exit-codes.json")}"""How a run has ended."""\n\n${pythonConstants(codes.run)}`,
  "src/catalogue/models.generated.ts": `${head("//", "contract/models.json")}
/** Why models of these types cannot be trained. */
export const REFUSED = ${json(inContract("models.json").refused).trim()} as const;

/** Of a configuration that trains: its text decoder's type, and kinds of layers and rotary embeddings. */
export interface TestedKinds {
  readonly text: string;
  readonly layers: readonly string[];
  readonly rope: readonly string[];
}

/** What has been tested of models of these types. */
export const TAKEN: Readonly<Record<string, readonly TestedKinds[]>> = ${json(testedKinds()).trim()};
`,
  "src/catalogue/refusals.generated.ts": moduleOf("contract/refusals.json", "REFUSALS"),
  "src/foundation/versions.generated.ts": moduleOf("contract/versions.json", "VERSIONS"),
  "src/foundation/vocabularies.generated.ts": typescriptWords(),
  "src/foundation/records.generated.ts": typescriptRecords(),
  "src/language/blocks/formats.generated.ts": `${head("//", "contract/data-names.json")}\n${formatColumns(names)}`,
  "src/language/blocks/learning-rates.generated.ts": `${head("//", "contract/learning-rates.json")}\n${learningRates(rates)}`,
  "src/foundation/limits.generated.ts": typescriptLimits(),
  "src/schedule/problem-schema.generated.ts":
    `${head("//", "contract/schedule-problem.schema.json")}\n` +
    `export const PROBLEM_SCHEMA = ${json(bundled("schedule-problem.schema.json")).trim()} as const;\n`,
  "src/catalogue/description-schema.generated.ts":
    `${head("//", "contract/model-description.schema.json")}\n` +
    `export const DESCRIPTION_SCHEMA = ${json(bundled("model-description.schema.json")).trim()} as const;\n`,
  "schemas/schedule-problem.schema.json": json(bundled("schedule-problem.schema.json")),
  [`${RUNTIME}/vocabularies.py`]: pythonWords(),
  [`${RUNTIME}/records.py`]: pythonRecords(),
  [`${RUNTIME}/limits.py`]: pythonLimits(),
  ...Object.fromEntries(schemas.map((name) => [`${RUNTIME}/${name}`, json(bundled(name))])),
  ...Object.fromEntries(
    contract
      .filter((name) => !name.endsWith(".schema.json") && !COMPILED.includes(name))
      .map((name) => [`${RUNTIME}/${name}`, read(`contract/${name}`)]),
  ),
  // Derived from the installed DeepSpeed.
  [`${RUNTIME}/deepspeed-config.schema.json`]: read("schemas/deepspeed-config.schema.json"),
};
const orphans = readdirSync(join(ROOT, RUNTIME))
  .filter((name) => name.endsWith(".json"))
  .map((name) => `${RUNTIME}/${name}`)
  .filter((path) => !Object.hasOwn(files, path));

const stale = Object.keys(files).filter(
  (path) => !existsSync(join(ROOT, path)) || read(path) !== files[path],
);
if (check && stale.length + orphans.length > 0)
  fail(`not current: ${[...stale, ...orphans].join(", ")}`);
for (const path of stale) writeFileSync(join(ROOT, path), files[path]);
for (const path of orphans) rmSync(join(ROOT, path));
