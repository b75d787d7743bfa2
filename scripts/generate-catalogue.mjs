// Puts the data files of catalogue/ into a module, so that the compiler needs no file system and no YAML to know them.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { fail, ROOT } from "./lib.mjs";

const TARGET = join(ROOT, "src", "catalogue", "data.generated.ts");

function table(folder, type, content = whole) {
  const files = readdirSync(join(ROOT, "catalogue", folder)).filter((name) =>
    name.endsWith(".yaml"),
  );
  const entries = files
    .map((name) => parse(readFileSync(join(ROOT, "catalogue", folder, name), "utf8")))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const lines = entries.map(
    (entry) => `  ${JSON.stringify(entry.name)}: ${JSON.stringify(content(entry, entries))},\n`,
  );
  return `Readonly<Record<string, ${type}>> = {\n${lines.join("")}};\n`;
}

/** An entry that says `like` is another model's but for what its own configuration says. */
function whole({ like, ...entry }, entries) {
  if (like === undefined) return entry;
  const base =
    entries.find(({ name }) => name === like) ?? fail(`${entry.name}: no model '${like}'`);
  return { ...base, ...entry, config: { ...base.config, ...entry.config } };
}

const text = `// Generated from catalogue/ by scripts/generate-catalogue.mjs. Do not edit.

import type { Gpu } from "./gpu.js";
import type { CatalogueModel } from "./model.js";
import type { ChatTemplate } from "./template.js";

export const MODELS: ${table("models", "CatalogueModel")}
export const GPUS: ${table("gpus", "Gpu")}
export const TEMPLATES: ${table("templates", "ChatTemplate", ({ begin = [], roles }) => ({ begin, roles }))}`;

if (!process.argv.includes("--check")) writeFileSync(TARGET, text);
else if (readFileSync(TARGET, "utf8") !== text)
  fail("src/catalogue/data.generated.ts is not current");
