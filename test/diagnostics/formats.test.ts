import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import { CATALOGUE, type DiagnosticCode } from "../../src/diagnostics/catalogue.js";
import { type Diagnostic, diagnostic, type Place } from "../../src/diagnostics/diagnostic.js";
import { formatGithub } from "../../src/diagnostics/format-github.js";
import { formatSarif } from "../../src/diagnostics/format-sarif.js";
import { analyze } from "../../src/semantics/analyze.js";
import { project, skrull, spec } from "../cli/run.js";

const at = (file: string, line: number, from: number, to: number): Place => ({
  file,
  range: { start: { line, column: from }, end: { line, column: to } },
});

/** The schema that OASIS publishes, as Microsoft's tools ship it. */
function sarifProblems(document: unknown): readonly unknown[] {
  const tools = createRequire(import.meta.url).resolve("@microsoft/sarif-multitool-ts");
  const schema = join(dirname(tools), "..", "assets", "sarif-2.1.0.schema.json");
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const validate = ajv.compile(JSON.parse(readFileSync(schema, "utf8")));
  return validate(document) ? [] : (validate.errors ?? []);
}

/** One diagnostic of every code, at a file whose name is no URI. */
const ALL: readonly Diagnostic[] = (Object.keys(CATALOGUE) as DiagnosticCode[]).map((code, n) => {
  const place = at("sub folder/ä#1.skrull", n + 1, 3, 5);
  return diagnostic(code, { name: "k" } as never, place, {
    related: [{ message: "here", ...at("other.skrull", 1, 1, 2) }],
    fix: { title: "Mend it", safe: n % 2 === 0, edits: [{ range: place.range, new_text: "" }] },
  });
});

describe("as SARIF", () => {
  it("is valid for every code, with related places and fixes", () => {
    expect(sarifProblems(JSON.parse(formatSarif(ALL, "1.2.3")))).toEqual([]);
    expect(sarifProblems(JSON.parse(formatSarif([], "1.2.3")))).toEqual([]);
    expect(sarifProblems({ version: "2.1.0", runs: [{ results: [] }] })).not.toEqual([]);
  });

  const found = diagnostic(
    "context-chosen",
    { context: 2, speed: 1, next: "x" },
    at("a b.skrull", 2, 3, 7),
    {
      related: [{ message: "see", ...at("c.skrull", 1, 1, 4) }],
      fix: {
        title: "Pin it",
        safe: false,
        edits: [{ range: at("", 2, 3, 7).range, new_text: "2" }],
      },
    },
  );
  const { runs } = JSON.parse(formatSarif([found], "1.2.3"));
  const region = { startLine: 2, startColumn: 3, endLine: 2, endColumn: 7 };
  const artifactLocation = { uri: "a%20b.skrull", uriBaseId: "%SRCROOT%" };

  it("has UTF-16 columns, and a note for what is no mistake", () => {
    expect(runs).toHaveLength(1);
    expect(runs[0].columnKind).toBe("utf16CodeUnits");
    expect(runs[0].results).toEqual([
      {
        ruleId: "context-chosen",
        ruleIndex: 0,
        level: "note",
        message: { text: `${found.message}\n${found.why}\n${found.help}` },
        locations: [{ physicalLocation: { artifactLocation, region } }],
        relatedLocations: [
          {
            id: 1,
            message: { text: "see" },
            physicalLocation: {
              artifactLocation: { uri: "c.skrull", uriBaseId: "%SRCROOT%" },
              region: { startLine: 1, startColumn: 1, endLine: 1, endColumn: 4 },
            },
          },
        ],
        fixes: [
          {
            description: { text: "Pin it" },
            artifactChanges: [
              {
                artifactLocation,
                replacements: [{ deletedRegion: region, insertedContent: { text: "2" } }],
              },
            ],
            properties: { safe: false },
          },
        ],
      },
    ]);
  });

  it("explains each rule that has results, and no other", () => {
    const { driver } = runs[0].tool;
    expect(driver).toMatchObject({ name: "skrull", version: "1.2.3" });
    expect(driver.rules).toHaveLength(1);
    expect(driver.rules[0]).toMatchObject({
      id: "context-chosen",
      help: { text: expect.stringMatching(/skrull tune[\s\S]*skrull explain context-chosen$/) },
      defaultConfiguration: { level: "note" },
    });
  });

  it("names a rule for every result that `lint` gives", () => {
    const folder = project({
      "a.skrull": spec({ parallel: "{ context = 3 zero = 9 contxt = 1 }" }),
    });
    const run = skrull(["lint", ".", "--format", "sarif"], { cwd: folder });
    expect(run.status).toBe(1);
    const document = JSON.parse(run.stdout);
    expect(sarifProblems(document)).toEqual([]);
    const [{ tool, results }] = document.runs;
    expect(results.map((r: { ruleId: string }) => r.ruleId)).toEqual([
      "out-of-range",
      "unknown-key",
    ]);
    for (const { ruleId, ruleIndex } of results)
      expect(tool.driver.rules[ruleIndex].id).toBe(ruleId);
  });
});

describe("for GitHub", () => {
  it("escapes what would end a property or the command", () => {
    const place = at("a,b:c%\n.skrull", 2, 3, 7);
    const reason = "50 %, so: no\r\n::error::forged\rx\u001b[31m";
    const found = diagnostic("missing-key", { owner: "o", name: "n", reason }, place, {});
    expect(formatGithub([found])).toBe(
      "::error file=a%2Cb%3Ac%25%0A.skrull,line=2,endLine=2,col=3,endColumn=7,title=skrull%3A missing-key" +
        "::'o' needs the key 'n'%0A50 %25, so: no%0A::error::forged%0Dx\uFFFD[31m\n",
    );
  });

  it("names related places in the text: an annotation has one place", () => {
    const related = [{ message: "found in the run 'b'", ...at("a.skrull", 9, 5, 6) }];
    const found = diagnostic("missing-name", { what: "run" }, at("a.skrull", 2, 3, 7), { related });
    expect(formatGithub([found])).toContain("has no name%0Aa.skrull:9:5: found in the run 'b'%0A");
  });

  it("has a command for each severity, one line each", () => {
    const lines = formatGithub(ALL).trimEnd().split("\n");
    expect(lines).toHaveLength(ALL.length);
    const commands = { error: "::error ", warning: "::warning ", info: "::notice " };
    for (const [n, { severity }] of ALL.entries())
      expect(lines[n]?.startsWith(commands[severity])).toBe(true);
  });

  it("leaves columns out where a fault spans lines", () => {
    const place = {
      file: "a",
      range: { start: { line: 1, column: 3 }, end: { line: 2, column: 2 } },
    };
    const shown = formatGithub([diagnostic("duplicate-key", { name: "k" }, place)]);
    expect(shown).toMatch(/^::error file=a,line=1,endLine=2,title=/);
  });

  it("is a format of `lint`, and nothing else is printed with it", () => {
    const folder = project({ "a.skrull": spec({ parallel: "{ zero = 9 }" }) });
    const run = skrull(["lint", "a.skrull", "--format", "github"], { cwd: folder });
    expect(run.status).toBe(1);
    expect(run.stdout).toBe(
      formatGithub(analyze("a.skrull", spec({ parallel: "{ zero = 9 }" })).diagnostics),
    );
    expect(run.stdout).toMatch(
      /^::error file=a\.skrull,line=5,endLine=5,col=19,endColumn=20,title=/,
    );
  });
});
