// Lists the lint rules of src/lint/rules in a module, so that a new rule is one new file.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, ROOT } from "./lib.mjs";

const FOLDER = join(ROOT, "src", "lint", "rules");
const TARGET = join(FOLDER, "index.generated.ts");
const ENDING = ".rule.ts";

const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith(ENDING))
  .map((name) => name.slice(0, -ENDING.length))
  .sort();
const variable = (name) => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());

const text = `// Generated from the files of this folder by scripts/generate-rules.mjs. Do not edit.
import type { Rule } from "../rule.js";
${names.map((name) => `import ${variable(name)} from "./${name}.rule.js";\n`).join("")}
export const RULES: readonly Rule[] = [
${names.map((name) => `  ${variable(name)},\n`).join("")}];
`;

if (!process.argv.includes("--check")) writeFileSync(TARGET, text);
else if (readFileSync(TARGET, "utf8") !== text)
  fail("src/lint/rules/index.generated.ts is not current");
