// Puts what both programs go by (contract/) into each: a module for the compiler, copies beside the runtime's code.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, ROOT } from "./lib.mjs";

const check = process.argv.includes("--check");
const RUNTIME = "python/skrull_runtime/contract";
const read = (path) => readFileSync(join(ROOT, path), "utf8");
const contract = readdirSync(join(ROOT, "contract")).filter((name) => name.endsWith(".json"));

const HEAD = (comment) =>
  `${comment} Generated from contract/vocabularies.json by scripts/generate-contract.mjs. Do not edit.`;

/** A document of the contract as a module of the compiler. */
const moduleOf = (
  path,
  constant,
) => `// Generated from ${path} by scripts/generate-contract.mjs. Do not edit.

export const ${constant} = ${JSON.stringify(JSON.parse(read(path)), null, 2)} as const;
`;

const { vocabularies } = JSON.parse(read("contract/vocabularies.json"));

/** CamelCase of a type as the name of its list: `DegreeClass` is `DEGREE_CLASS_WORDS`. */
const listOf = (type) => `${type.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase()}_WORDS`;

const typescriptVocabularies = () => {
  const parts = Object.entries(vocabularies).map(
    ([type, { doc, words }]) =>
      `/** ${doc} */\nexport const ${listOf(type)} = ${JSON.stringify(words)} as const;\n` +
      `export type ${type} = (typeof ${listOf(type)})[number];\n`,
  );
  return `${HEAD("//")}\n\n${parts.join("\n")}`;
};

const pythonVocabularies = () => {
  const parts = Object.entries(vocabularies).map(
    ([type, { doc, words }]) =>
      `# ${doc}\n${type} = Literal[${words.map((word) => JSON.stringify(word)).join(", ")}]\n`,
  );
  return (
    `${HEAD("#")}\n"""Words that a run's configuration may hold, and what they are about."""\n\n` +
    `from __future__ import annotations\n\nfrom typing import Literal\n\n${parts.join("\n")}`
  );
};

const files = {
  "src/catalogue/refusals.generated.ts": moduleOf("contract/refusals.json", "REFUSALS"),
  "src/foundation/versions.generated.ts": moduleOf("contract/versions.json", "VERSIONS"),
  "src/foundation/vocabularies.generated.ts": typescriptVocabularies(),
  [`${RUNTIME}/vocabularies.py`]: pythonVocabularies(),
  ...Object.fromEntries(
    contract
      .filter((name) => name !== "vocabularies.json")
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
