import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { analyzeFile, analyzeText } from "../../src/cli/analysis.js";
import { type ExampleReport, isOfCode, reportsOf } from "../../src/cli/example.js";
import { RETIRED_CODES } from "../../src/diagnostics/catalogue/retired.js";
import { CATALOGUE, type DiagnosticCode, type Entries } from "../../src/diagnostics/catalogue.js";
import { applyFixes } from "../../src/diagnostics/fixes.js";
import { DIAGNOSTIC_CODES, diagnosticPage, summaryOf } from "../../src/diagnostics/page.js";
import { NodeHost } from "../../src/host/node-host.js";
import { RULES } from "../../src/lint/rules/index.generated.js";
import { ROOT, skrull } from "../cli/run.js";

const EXAMPLES = fileURLToPath(new URL("../../docs/diagnostics/examples/", import.meta.url));
/** That the build wrote. */
const PAGES = join(ROOT, "dist", "pages");

const pageOf = (code: DiagnosticCode) => readFileSync(join(PAGES, `${code}.md`), "utf8");

/** Codes that no spec short enough for a page reports, or no spec alone: other tests have what does. */
const WITHOUT_EXAMPLE: readonly DiagnosticCode[] = [
  ...(["file-too-large", "too-many-errors", "chain-too-long"] as const),
  "stale-lengths",
  "no-engine",
];

/** Codes whose message says what to write. */
const SAYS_WHAT_TO_DO: readonly DiagnosticCode[] = ["unexpected-token", "out-of-range"];

let cache = "";
beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), "skrull-pages-"));
});
afterAll(() => rmSync(cache, { recursive: true, force: true }));

/** The spec of an example: `wrong.skrull`, or `wrong.skrull.yaml`; of one about a configuration, the spec beside that. */
function exampleFile(code: DiagnosticCode, start: string): string {
  if (existsSync(join(EXAMPLES, code, start))) return `${start}/spec.skrull`;
  const found = readdirSync(join(EXAMPLES, code)).filter((name) =>
    name.startsWith(`${start}.skrull`),
  );
  expect(found).toHaveLength(1);
  return found[0] ?? "";
}

async function reports(code: DiagnosticCode, start: string): Promise<readonly ExampleReport[]> {
  const host = new NodeHost(join(EXAMPLES, code), { SKRULL_CACHE: join(cache, code) });
  const all: ExampleReport[] = [];
  for await (const report of reportsOf(host, exampleFile(code, start), "0")) all.push(report);
  return all;
}

const ENTRIES: Entries = CATALOGUE;
const severityOf = (code: DiagnosticCode) => ENTRIES[code]?.severity;
const planOnly = (code: DiagnosticCode) => ENTRIES[code]?.planOnly ?? false;

const isLint = (code: DiagnosticCode) => (report: ExampleReport) =>
  report.verb === "lint" && shows(code, report);

const shows = (code: DiagnosticCode, { diagnostics }: ExampleReport) =>
  diagnostics.some((text) => isOfCode(text, code));

/** Where `lint` offers a fix for an example, the fix does away with the mistake. */
async function expectMended(code: DiagnosticCode): Promise<void> {
  const name = exampleFile(code, "wrong");
  const host = new NodeHost(join(EXAMPLES, code), { SKRULL_CACHE: "" });
  const { text, diagnostics } = await analyzeFile(host, name);
  const own = diagnostics.filter((found) => found.code === code && found.file === name);
  if (!own.some(({ fix }) => fix)) return;
  const mended = await analyzeText(host, name, applyFixes(text, own, { unsafe: true }));
  expect(mended.diagnostics.filter((found) => found.code === code)).toEqual([]);
}

describe("the examples", () => {
  it("are there for every code, and for no other", () => {
    expect(readdirSync(EXAMPLES).sort()).toEqual(DIAGNOSTIC_CODES);
    for (const code of WITHOUT_EXAMPLE) expect(existsSync(`${EXAMPLES}${code}/note.md`)).toBe(true);
  });

  for (const code of DIAGNOSTIC_CODES.filter((c) => !WITHOUT_EXAMPLE.includes(c))) {
    it(`of ${code}: the wrong one reports it, the right one is without it and without errors`, async () => {
      const wrong = await reports(code, "wrong");
      const stage = wrong.findIndex((report) => shows(code, report));
      expect(stage, `no verb reports ${code}`).toBeGreaterThanOrEqual(0);
      const told = wrong[stage]?.diagnostics.find((text) => isOfCode(text, code));
      if (!SAYS_WHAT_TO_DO.includes(code)) expect(told).toMatch(/^ +help: /m);
      expect(wrong[stage]?.exitCode).toBe(severityOf(code) === "error" ? 1 : 0);
      expect(planOnly(code)).toBe(severityOf(code) !== "error" && !wrong.some(isLint(code)));
      expect(pageOf(code)).toContain(`\n${told?.trimEnd()}\n`);
      await expectMended(code);
      const right = await reports(code, "right");
      for (const report of right.slice(0, stage + 1)) {
        expect(shows(code, report)).toBe(false);
        expect(report.exitCode).toBe(0);
      }
    });
  }
});

describe("the pages", () => {
  it("are there for every code", () => {
    expect(readdirSync(PAGES).sort()).toEqual(DIAGNOSTIC_CODES.map((code) => `${code}.md`).sort());
  });

  it.each(DIAGNOSTIC_CODES)("of %s shows its examples as they are", (code) => {
    const page = pageOf(code);
    expect(page).toContain(`# ${code}\n`);
    expect(page).toContain(summaryOf(code));
    if (WITHOUT_EXAMPLE.includes(code)) return;
    expect(page).toContain(`[${code}]\n`);
    for (const start of ["wrong", "right"]) {
      const shown = exampleFile(code, start).replace("/spec.skrull", "/skrull.config.yaml");
      const source = readFileSync(join(EXAMPLES, code, shown), "utf8");
      expect(page).toMatch(/^```(skrull|yaml)\n/m);
      expect(page).toContain(`\n${source.trimEnd()}\n\`\`\`\n`);
    }
  });

  it("leave nothing of a template open but an ellipsis", () => {
    for (const code of DIAGNOSTIC_CODES) {
      const page = diagnosticPage(code, {});
      expect(page).not.toMatch(/\{\w+\}/);
      expect(page).not.toMatch(/^(Error|Warning|Info): […\W]*$/m);
      expect(page).not.toMatch(/^[…\W]+$/m);
    }
  });
});

describe("retired codes", () => {
  const entries = Object.entries(RETIRED_CODES);

  it("are none of today's, and lead to one of today's if to any", () => {
    for (const [name, { successor, since, why }] of entries) {
      expect(DIAGNOSTIC_CODES).not.toContain(name);
      if (successor !== undefined) expect(DIAGNOSTIC_CODES).toContain(successor);
      expect(since).toMatch(/^\d+\.\d+\.\d+$/);
      expect(why).toMatch(/\.$/);
    }
  });

  it("have options that their successor has", () => {
    for (const [, { successor, options = {} }] of entries) {
      const rule = RULES.find(({ code }) => code === successor);
      for (const now of Object.values(options)) expect(rule?.options).toHaveProperty(now);
    }
  });
});

describe("the package", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "skrull-package-"));
    const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
    const [{ filename }] = JSON.parse(output("npm", pack)) as readonly [{ filename: string }];
    output("tar", ["-xzf", join(folder, filename), "-C", folder]);
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("has the pages and their index, and leaves the examples at home", () => {
    expect(readdirSync(join(folder, "package/docs/diagnostics"))).toEqual(["README.md"]);
    expect(readdirSync(join(folder, "package/dist/pages"))).toEqual(readdirSync(PAGES));
  });

  it("explains a code by itself", () => {
    const main = join(folder, "package/dist/cli/main.js");
    const page = output(process.execPath, [main, "explain", "duplicate-key"]);
    expect(page).toBe(skrull(["explain", "duplicate-key"]).stdout);
  });
});

function output(command: string, args: readonly string[]): string {
  const run = spawnSync(command, args, { cwd: ROOT, encoding: "utf8" });
  expect(run.status, run.stderr).toBe(0);
  return run.stdout;
}

describe("skrull explain", () => {
  it("shows the page of a code, without markup or colour where there is no terminal", () => {
    const run = skrull(["explain", "duplicate-key"]);
    expect(run).toMatchObject({ status: 0, stderr: "" });
    expect(run.stdout).toMatch(/^duplicate-key\n\nError: '…' is set twice\.\n/);
    expect(run.stdout).toContain("\nWrong\n\n    skrull 1\n");
    expect(run.stdout).not.toMatch(/```|<!--|^#/m);
    expect(run.stdout).not.toContain("\u001b");
  });

  it("lists all codes", () => {
    const { status, stdout } = skrull(["explain"]);
    expect(status).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(" ")[0]),
    ).toEqual(DIAGNOSTIC_CODES);
  });

  it("says what became of a code of an earlier version", () => {
    const merged = skrull(["explain", "adapter-rate-low"]);
    expect(merged).toMatchObject({ status: 0, stderr: "" });
    expect(merged.stdout).toMatch(
      /^adapter-rate-low\n\nPart of learning-rate-unusual since 0\.1\.0\./,
    );
    expect(merged.stdout).toContain(skrull(["explain", "learning-rate-unusual"]).stdout);
    const dropped = skrull(["explain", "gain-too-small"]);
    expect(dropped).toMatchObject({ status: 0, stderr: "" });
    expect(dropped.stdout).toMatch(/^gain-too-small\n\nDropped in 0\.1\.0\. .*\n\n.*\n$/);
  });

  it("suggests the nearest code for one there is not", () => {
    const near = skrull(["explain", "duplicte-key"]);
    expect(near).toMatchObject({ status: 2, stdout: "" });
    expect(near.stderr).toContain("did you mean duplicate-key?");
    const far = skrull(["explain", "../../package\u001b"]);
    expect(far.status).toBe(2);
    expect(far.stderr).toBe(
      "error: there is no diagnostic '../../package\uFFFD'; 'skrull explain' lists all codes\n",
    );
  });
});
