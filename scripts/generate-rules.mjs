// Lists the lint rules of src/lint/rules, whose folders are topics, so that a new rule is one new file.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, ROOT } from "./lib.mjs";

const FOLDER = join(ROOT, "src", "lint", "rules");
const ENDING = ".rule.ts";
const HEAD =
  "// Generated from the files of this folder by scripts/generate-rules.mjs. Do not edit.";

const topics = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();
const rulesOf = (topic) =>
  readdirSync(join(FOLDER, topic))
    .filter((name) => name.endsWith(ENDING))
    .map((name) => name.slice(0, -ENDING.length))
    .sort();
const rules = topics
  .flatMap((topic) => rulesOf(topic).map((name) => ({ topic, name })))
  .sort((a, b) => (a.name < b.name ? -1 : 1));
const variable = (name) => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());

const files = {
  "index.generated.ts": `${HEAD}
import type { Rule } from "../rule.js";
${rules.map(({ topic, name }) => `import ${variable(name)} from "./${topic}/${name}.rule.js";\n`).join("")}
export const RULES: readonly Rule[] = [
${rules.map(({ name }) => `  ${variable(name)},\n`).join("")}];
`,
  "topics.generated.ts": `${HEAD}
import type { DiagnosticCode } from "../../diagnostics/catalogue.js";
import type { Topic } from "../topics.js";

/** Codes of the rules of every topic; who only shows them need not load the rules. */
export const RULES_OF_TOPIC: Readonly<Record<Topic, readonly DiagnosticCode[]>> = {
${topics.map((topic) => `  ${topic}: ${JSON.stringify(rulesOf(topic))},\n`).join("")}};
`,
};

for (const [name, text] of Object.entries(files)) {
  const target = join(FOLDER, name);
  if (!process.argv.includes("--check")) writeFileSync(target, text);
  else if (readFileSync(target, "utf8") !== text) fail(`src/lint/rules/${name} is not current`);
}
