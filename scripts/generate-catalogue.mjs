// Puts the data files of catalogue/ into a module, so that the compiler needs no file system and no YAML to know them.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { catalogueModels, compiled } from "./catalogue-models.mjs";
import { fail, ROOT } from "./lib.mjs";

const read = (...path) => readFileSync(join(ROOT, "catalogue", ...path), "utf8");

function table(folder, type, content = (entry) => entry) {
  const entries = readdirSync(join(ROOT, "catalogue", folder))
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => parse(read(folder, name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return record(
    type,
    entries.map((entry) => [entry.name, JSON.stringify(content(entry))]),
  );
}

function record(type, entries) {
  const lines = entries.map(([name, text]) => `  ${JSON.stringify(name)}: ${text},\n`);
  return `Readonly<Record<string, ${type}>> = {\n${lines.join("")}};\n`;
}

const host = parse(read("host.yaml"));
const figures = Object.entries(host).map(
  ([name, figure]) => `  ${name}: ${JSON.stringify(figure)},\n`,
);

const HEAD = "// Generated from catalogue/ by scripts/generate-catalogue.mjs. Do not edit.\n";

const data = `${HEAD}
import type { Gpu } from "./gpu.js";
import type { HostFigure, HostFigureName } from "./host-figure.js";
import type { ChatTemplate } from "./template.js";

export const GPUS: ${table("gpus", "Gpu")}
export const TEMPLATES: ${table("templates", "ChatTemplate", ({ begin = [], roles }) => ({ begin, roles }))}
export const HOST: Readonly<Record<HostFigureName, HostFigure>> = {\n${figures.join("")}};\n`;

/** Models as text: a start that asks for none, or for one, parses no other. */
const quoted = (value) => `'${JSON.stringify(value).replaceAll(/[\\']/g, "\\$&")}'`;
const models = catalogueModels();
const stretched = models.flatMap(({ yarn_original: original, config }) =>
  original === undefined
    ? []
    : [
        {
          type: config.model_type,
          positions: config.max_position_embeddings,
          theta: config.rope_theta,
          original,
        },
      ],
);
const distinct = [...new Map(stretched.map((one) => [JSON.stringify(one), one])).values()];

const known = `${HEAD}
import type { StretchedModel } from "./model.js";

/** Each a \`CatalogueModel\` as JSON. */
export const MODELS: ${record(
  "string",
  models.map((model) => [model.name, quoted(compiled(model))]),
)}
/** Each a \`ModelDescription\` as JSON: dimensions that no configuration tells. */
export const DESCRIPTIONS: ${record(
  "string",
  Object.entries(JSON.parse(read("descriptions.json"))).map(([name, own]) => [name, quoted(own)]),
)}
/** Models whose published recipe stretches other positions than their configuration has. */
export const STRETCHED: readonly StretchedModel[] = [\n${distinct.map((one) => `  ${JSON.stringify(one)},\n`).join("")}];
`;

const files = { "data.generated.ts": data, "known-models.generated.ts": known };
for (const [name, text] of Object.entries(files)) {
  const target = join(ROOT, "src", "catalogue", name);
  if (!process.argv.includes("--check")) writeFileSync(target, text);
  else if (!existsSync(target) || readFileSync(target, "utf8") !== text)
    fail(`src/catalogue/${name} is not current`);
}
