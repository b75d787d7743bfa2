// What the built compiler knows about itself, as files: pages, schemas, grammars. --check only says which are not current.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { cataloguePage } from "./catalogue-page.mjs";
import { indexPage, writePages } from "./diagnostic-pages.mjs";
import { SHOWN } from "./example-files.mjs";
import { fail, ROOT, say } from "./lib.mjs";
import { railroadFiles } from "./railroad.mjs";
import { shownExamples } from "./shown-examples.mjs";

const check = process.argv.includes("--check");
const built = (path) => import(pathToFileURL(join(ROOT, "dist", path)).href);

const { DIAGNOSTIC_CODES } = await built("diagnostics/page.js");
const { referencePage } = await built("language/reference-page.js");
const { specSchema } = await built("language/json-schema.js");
const { PROFILE_SCHEMA } = await built("catalogue/profile.js");
const { CONFIGURATION_SCHEMA } = await built("lint/configuration-schema.js");
const { versionsPage } = await built("emit/versions-page.js");
const { figuresPage } = await built("plan/figures-page.js");
const { rulesPage } = await built("lint/rules-page.js");
const { TEMPLATE_SCHEMA } = await built("catalogue/read-template.js");
const { textmateGrammar } = await built("language/textmate.js");
const { CONTEXTUAL_WORDS, grammarEbnf } = await built("syntax/ebnf.js");
const { SPEC_PARSER } = await built("syntax/parser.js");

const rope = await built("catalogue/rope.js");
const { isTested } = await built("catalogue/tested.js");

const ebnf = grammarEbnf();
const drawn = railroadFiles(SPEC_PARSER.getSerializedGastProductions(), ebnf, CONTEXTUAL_WORDS);
const grammar = Object.entries({ "skrull.ebnf": ebnf, ...drawn });

const json = (value) => `${JSON.stringify(value, null, 2)}\n`;
const files = {
  "docs/reference/language.md": referencePage(),
  "docs/reference/lint-rules.md": rulesPage(),
  "docs/reference/versions.md": versionsPage(),
  "docs/reference/figures.md": figuresPage(),
  "docs/reference/catalogue.md": cataloguePage({ ...rope, isTested }),
  "docs/diagnostics/README.md": indexPage(),
  [SHOWN]: await shownExamples(DIAGNOSTIC_CODES),
  ...Object.fromEntries(grammar.map(([name, text]) => [`grammar/${name}`, text])),
  "editors/vscode/syntaxes/skrull.tmLanguage.json": json(textmateGrammar()),
  "schemas/spec.schema.json": json(specSchema()),
  "schemas/config.schema.json": json(CONFIGURATION_SCHEMA),
  "schemas/profile.schema.json": json(PROFILE_SCHEMA),
  "schemas/template.schema.json": json(TEMPLATE_SCHEMA),
};

const stale = [];
for (const [path, text] of Object.entries(files)) {
  const target = join(ROOT, path);
  if (existsSync(target) && readFileSync(target, "utf8") === text) continue;
  stale.push(path);
  if (check) continue;
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
  say(`wrote ${path}`);
}

if (!check) writePages();

// The diagram of a rule that is gone.
for (const name of readdirSync(join(ROOT, "grammar/diagrams"))) {
  const path = `grammar/diagrams/${name}`;
  if (Object.hasOwn(files, path)) continue;
  stale.push(path);
  if (!check) rmSync(join(ROOT, path));
}

if (check && stale.length > 0) fail(`not current: ${stale.join(", ")}; run 'npm run generate'`);
