// Puts what both programs go by (contract/) into each: a module for the compiler, copies beside the runtime's code.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, ROOT } from "./lib.mjs";

const check = process.argv.includes("--check");
const RUNTIME = "python/skrull_runtime/contract";
const read = (path) => readFileSync(join(ROOT, path), "utf8");
const contract = readdirSync(join(ROOT, "contract")).filter((name) => name.endsWith(".json"));

/** A document of the contract as a module of the compiler. */
const moduleOf = (
  path,
  constant,
) => `// Generated from ${path} by scripts/generate-contract.mjs. Do not edit.

export const ${constant} = ${JSON.stringify(JSON.parse(read(path)), null, 2)} as const;
`;

const files = {
  "src/catalogue/refusals.generated.ts": moduleOf("contract/refusals.json", "REFUSALS"),
  "src/foundation/versions.generated.ts": moduleOf("contract/versions.json", "VERSIONS"),
  ...Object.fromEntries(contract.map((name) => [`${RUNTIME}/${name}`, read(`contract/${name}`)])),
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
