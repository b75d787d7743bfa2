// Puts the data files of catalogue/ into a module, so that the compiler needs no file system to know them.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { fail, ROOT } from "./lib.mjs";

const TARGET = join(ROOT, "src", "catalogue", "data.generated.ts");

function table(folder) {
  const files = readdirSync(join(ROOT, "catalogue", folder)).filter((name) =>
    name.endsWith(".yaml"),
  );
  const texts = files.map((name) => readFileSync(join(ROOT, "catalogue", folder, name), "utf8"));
  const entries = texts
    .map((text) => [parse(text).name, text])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = entries.map(
    ([name, text]) => `  ${JSON.stringify(name)}: ${JSON.stringify(text)},\n`,
  );
  return `Readonly<Record<string, string>> = {\n${lines.join("")}};\n`;
}

const text = `// Generated from catalogue/ by scripts/generate-catalogue.mjs. Do not edit.

export const MODEL_FILES: ${table("models")}
export const GPU_FILES: ${table("gpus")}
export const TEMPLATE_FILES: ${table("templates")}`;

if (!process.argv.includes("--check")) writeFileSync(TARGET, text);
else if (readFileSync(TARGET, "utf8") !== text)
  fail("src/catalogue/data.generated.ts is not current");
