import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { analyzeFile } from "../../src/cli/analysis.js";
import { LINT_CODES } from "../../src/diagnostics/catalogue/lint.js";
import type { Diagnostic } from "../../src/diagnostics/diagnostic.js";
import { NodeHost } from "../../src/host/node-host.js";
import { importLoader } from "../../src/inputs/import-loader.js";
import { loadInputs } from "../../src/inputs/load-inputs.js";
import { Linter } from "../../src/lint/linter.js";

import { analyze } from "../../src/semantics/analyze.js";
import { apply } from "./apply.js";

const EXAMPLES = fileURLToPath(new URL("../../docs/diagnostics/examples/", import.meta.url));
const SPECS = fileURLToPath(new URL("../../examples/", import.meta.url));

const cache = mkdtempSync(join(tmpdir(), "skrull-lint-"));
afterAll(() => rmSync(cache, { recursive: true, force: true }));

/** What lint says of a spec once its data, where there is any, has been measured. */
async function lintMeasured(folder: string, file: string): Promise<readonly Diagnostic[]> {
  const host = new NodeHost(folder, { SKRULL_CACHE: cache });
  const analysis = await analyzeFile(host, file);
  for (const { spec, origins } of analysis.runs) {
    if (spec) await loadInputs(host, join(folder, file, ".."), spec, origins);
  }
  return (await new Linter(host).lint(analysis)).diagnostics;
}

/** What lint says of another text in a spec's place. */
async function lintText(folder: string, file: string, text: string) {
  const host = new NodeHost(folder, { SKRULL_CACHE: cache });
  const analysis = analyze(file, text, { load: importLoader(host, folder) });
  return (await new Linter(host).lint(analysis)).diagnostics;
}

/** Codes whose examples are of other files, that have none, or that are of no use once data has been measured. */
const OTHERS = ["invalid-config", "unknown-rule", "stale-lengths", "model-undescribed"];

describe("the examples of the rules' pages", () => {
  const codes = Object.keys(LINT_CODES).filter((code) => readdirSync(EXAMPLES).includes(code));

  it.each(
    codes.filter((code) => !OTHERS.includes(code)),
  )("of %s say what they should", async (code) => {
    const folder = join(EXAMPLES, code);
    const of = async (name: string) =>
      (await lintMeasured(folder, name)).filter((found) => found.code === code);
    const [wrong, ...more] = await of("wrong.skrull");
    expect([wrong?.code, more]).toEqual([code, []]);
    expect(await of("right.skrull")).toEqual([]);
    if (!wrong?.fix) return;
    const mended = apply(readFileSync(join(folder, "wrong.skrull"), "utf8"), wrong.fix);
    const after = await lintText(folder, "wrong.skrull", mended);
    expect(after.filter((found) => found.code === code || found.severity === "error")).toEqual([]);
  });

  it("never show a secret", async () => {
    const text = readFileSync(join(EXAMPLES, "secret-in-spec/wrong.skrull"), "utf8");
    const [, secret = ""] = /"(glpat[^"]*)"/.exec(text) ?? [];
    const found = await lintMeasured(join(EXAMPLES, "secret-in-spec"), "wrong.skrull");
    expect(secret).not.toBe("");
    expect(JSON.stringify(found)).not.toContain(secret);
  });
});

describe("the specs of examples/", () => {
  const files = readdirSync(SPECS, { recursive: true, encoding: "utf8" });

  it.each(
    files.filter((file) => /\.skrull(\.ya?ml|\.json)?$/.test(file)),
  )("%s has nothing to warn of, data and all", async (file) => {
    const found = await lintMeasured(SPECS, file);
    expect(found.filter(({ severity }) => severity !== "info")).toEqual([]);
  });
});
