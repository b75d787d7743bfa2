// npm run generate: writes every generated file; --check only says which are not current.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { diagnosticPages, orphanedPages } from "./diagnostic-pages.mjs";
import { fail, PYTHON, ROOT, run, say } from "./lib.mjs";
import { railroadFiles } from "./railroad.mjs";

const check = process.argv.includes("--check");
const built = (path) => import(pathToFileURL(join(ROOT, "dist", path)).href);

const { referencePage } = await built("language/reference-page.js");
const { specSchema } = await built("language/json-schema.js");
const { PROFILE_SCHEMA } = await built("catalogue/profile.js");
const { TEMPLATE_SCHEMA } = await built("catalogue/read-template.js");
const { textmateGrammar } = await built("language/textmate.js");
const { grammarEbnf } = await built("syntax/ebnf.js");
const { SPEC_PARSER } = await built("syntax/parser.js");

const ebnf = grammarEbnf();
const drawn = railroadFiles(SPEC_PARSER.getSerializedGastProductions(), ebnf);
const grammar = Object.entries({ "skrull.ebnf": ebnf, ...drawn });

const files = {
  "docs/reference/language.md": referencePage(),
  ...(await diagnosticPages()),
  ...Object.fromEntries(grammar.map(([name, text]) => [`grammar/${name}`, text])),
  "editors/vscode/syntaxes/skrull.tmLanguage.json": `${JSON.stringify(textmateGrammar(), null, 2)}\n`,
  "schemas/spec.schema.json": `${JSON.stringify(specSchema(), null, 2)}\n`,
  "schemas/profile.schema.json": `${JSON.stringify(PROFILE_SCHEMA, null, 2)}\n`,
  "schemas/template.schema.json": `${JSON.stringify(TEMPLATE_SCHEMA, null, 2)}\n`,
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

for (const page of await orphanedPages()) {
  stale.push(`docs/diagnostics/${page}`);
  if (!check) rmSync(join(ROOT, "docs/diagnostics", page));
}

// The diagram of a rule that is gone.
for (const name of readdirSync(join(ROOT, "grammar/diagrams"))) {
  const path = `grammar/diagrams/${name}`;
  if (Object.hasOwn(files, path)) continue;
  stale.push(path);
  if (!check) rmSync(join(ROOT, path));
}

for (const script of [["scripts/generate-catalogue.mjs"], ["scripts/schedule-vectors.mjs"]]) {
  if (!check) run(process.execPath, script);
  else if (
    spawnSync(process.execPath, [...script, "--check"], { cwd: ROOT, stdio: "inherit" }).status !==
    0
  )
    stale.push(script[0]);
}
const schema = ["python/tools/deepspeed_schema.py", ...(check ? ["--check"] : [])];
const made = spawnSync(PYTHON, schema, {
  cwd: ROOT,
  stdio: "inherit",
  env: { ...process.env, DS_ACCELERATOR: "cpu" },
});
if (made.status !== 0) stale.push("schemas/deepspeed-config.schema.json");

if (check && stale.length > 0) fail(`not current: ${stale.join(", ")}; run 'npm run generate'`);
