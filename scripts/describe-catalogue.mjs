// Writes catalogue/descriptions.json: what models of the catalogue tell of themselves, where the compiler's own reader does
// not know their family. Needs the runtime's Python; half a minute. test/catalogue/known-models.test.ts says when it is not current.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { catalogueModels } from "./catalogue-models.mjs";
import { fail, PYTHON, ROOT } from "./lib.mjs";

const { families } = JSON.parse(readFileSync(join(ROOT, "contract/refusals.json"), "utf8"));
const models = catalogueModels().filter(({ config }) => !families.includes(config.model_type));
const made = spawnSync(PYTHON, [join(ROOT, "python/tools/describe_models.py")], {
  input: models.map(({ config }) => `${JSON.stringify(config)}\n`).join(""),
  encoding: "utf8",
  maxBuffer: 64 << 20,
  env: { ...process.env, PYTHONPATH: join(ROOT, "python"), PYTHONWARNINGS: "ignore" },
});
if (made.status !== 0) fail(made.stderr);
const described = made.stdout
  .trim()
  .split("\n")
  .map((line, at) => {
    const { notes: _, ...description } = JSON.parse(line);
    return `  ${JSON.stringify(models[at].name)}: ${JSON.stringify(description)}`;
  });
writeFileSync(join(ROOT, "catalogue/descriptions.json"), `{\n${described.join(",\n")}\n}\n`);
