import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { RETIRED_CODES } from "../../src/diagnostics/catalogue/retired.js";
import { CATALOGUE } from "../../src/diagnostics/catalogue.js";
import {
  boundDiagnostics,
  type Diagnostic,
  diagnostic,
  hasErrors,
  MOST_DIAGNOSTICS,
  type Place,
  type PlaceholdersOf,
} from "../../src/diagnostics/diagnostic.js";
import { formatJson } from "../../src/diagnostics/format-json.js";
import { formatPretty } from "../../src/diagnostics/format-pretty.js";

const at = (line: number, from: number, to: number, file = "a.skrull"): Place => ({
  file,
  range: { start: { line, column: from }, end: { line, column: to } },
});

describe("the catalogue", () => {
  it.each(Object.entries(CATALOGUE))("has %s in the house style", (code, entry) => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(entry.message).toMatch(/^[^A-Z].*[^.]$/s);
    expect(entry.why).toMatch(/\.$|^\{\w+\}$/);
    if ("help" in entry) expect(entry.help).toMatch(/\S$/);
    // A page needs a sentence where the message is made elsewhere.
    if (!/[a-z]/.test(entry.message.replace(/\{\w+\}/g, ""))) expect(entry).toHaveProperty("about");
  });
});

describe("the areas of the catalogue", () => {
  it("declare every code once", () => {
    const folder = new URL("../../src/diagnostics/", import.meta.url);
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
    const declared = files.flatMap((name) => {
      if (!name.endsWith(".ts")) return [];
      const text = readFileSync(new URL(name, folder), "utf8");
      return [...text.matchAll(/^ {2}"?([a-z]+(?:-[a-z]+)+)"?: \{$/gm)].map((match) => match[1]);
    });
    const all = [...Object.keys(CATALOGUE), ...Object.keys(RETIRED_CODES)];
    expect(declared.sort()).toEqual(all.sort());
  });
});

describe("a diagnostic", () => {
  it("fills in its placeholders, and nothing inside the values", () => {
    const found = diagnostic(
      "missing-key",
      { owner: "{name}", name: "$&", reason: "It is {owner}." },
      at(1, 1, 2),
    );
    expect(found).toEqual({
      code: "missing-key",
      severity: "error",
      message: "'{name}' needs the key '$&'",
      why: "It is {owner}.",
      ...at(1, 1, 2),
    });
  });

  it("has the noun that goes with a count", () => {
    const message = (count: number) =>
      diagnostic("malformed-data-tolerated", { count, first: "" }, at(1, 1, 2)).message;
    expect(message(1)).toBe("1 malformed line is left out; ");
    expect(message(2)).toBe("2 malformed lines are left out; ");
  });

  it("does not compile with a wrong code or without a placeholder", () => {
    const place = at(1, 1, 2);
    // @ts-expect-error no such code
    expect(() => diagnostic("no-such-code", {}, place)).toThrow();
    // @ts-expect-error 'name' is missing
    expect(diagnostic("unknown-block", {}, place).message).toContain("{name}");
    // @ts-expect-error 'nam' is no placeholder
    diagnostic("unknown-block", { name: "x", nam: "y" }, place);
  });

  it("does not compile without a placeholder of the advice either", () => {
    const declared = {
      message: "{file:x|y}: {problem}",
      why: "No reason.",
      help: "Write data { malformed = {count} }, or \\u{XXXXXX}; see { ... } of {page}.",
    } as const;
    const names: Record<PlaceholdersOf<typeof declared>, true> = {
      file: true,
      problem: true,
      count: true,
      page: true,
    };
    // @ts-expect-error 'page' is missing
    const fewer: typeof names = { file: true, problem: true, count: true };
    // @ts-expect-error 'malformed' is no placeholder
    const more: typeof names = { ...names, malformed: true };
    expect(Object.keys({ ...fewer, ...more })).toContain("page");
  });

  it("prefers the place's own advice", () => {
    const values = { name: "x" };
    expect(diagnostic("duplicate-block", values, at(1, 1, 2)).help).toBe("Merge them into one.");
    expect(diagnostic("duplicate-block", values, at(1, 1, 2), { help: "Own." }).help).toBe("Own.");
  });
});

describe("the diagnostics of a file", () => {
  const on = (line: number) => diagnostic("unknown-block", { name: `b${line}` }, at(line, 1, 3));

  it("come in its order", () => {
    const found = [on(3), on(1), on(2)];
    expect(boundDiagnostics(found).map((d) => d.range.start.line)).toEqual([1, 2, 3]);
  });

  it("end with a remark where there are too many", () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => on(count - n));
    expect(boundDiagnostics(many(MOST_DIAGNOSTICS)).at(-1)?.code).toBe("unknown-block");
    const bounded = boundDiagnostics(many(MOST_DIAGNOSTICS + 5));
    expect(bounded).toHaveLength(MOST_DIAGNOSTICS + 1);
    expect(bounded.at(-1)).toMatchObject({
      code: "too-many-errors",
      range: { start: { line: MOST_DIAGNOSTICS + 1 } },
    });
  });
});

const WARNING: Diagnostic = diagnostic(
  "group-crosses-nodes",
  { context: 16, gpus: 8 },
  at(2, 3, 5),
);
const ERROR: Diagnostic = diagnostic("duplicate-key", { name: "k" }, at(3, 2, 4), {
  related: [{ message: "first set here", ...at(1, 1, 2) }],
  fix: {
    title: "Remove it",
    safe: true,
    edits: [{ range: at(3, 2, 4).range, new_text: "" }],
  },
});

describe("as JSON", () => {
  it("is the contract's document", () => {
    expect(JSON.parse(formatJson([WARNING, ERROR]))).toEqual({
      format_version: 1,
      diagnostics: [
        {
          code: "group-crosses-nodes",
          severity: "warning",
          message: "a context-parallel group of 16 spans nodes of 8 GPUs",
          file: "a.skrull",
          range: { start: { line: 2, column: 3 }, end: { line: 2, column: 5 } },
          why: CATALOGUE["group-crosses-nodes"].why,
          help: CATALOGUE["group-crosses-nodes"].help.replace("{gpus}", "8"),
        },
        {
          code: "duplicate-key",
          severity: "error",
          message: "'k' is set twice",
          file: "a.skrull",
          range: { start: { line: 3, column: 2 }, end: { line: 3, column: 4 } },
          why: CATALOGUE["duplicate-key"].why,
          help: CATALOGUE["duplicate-key"].help,
          related: ERROR.related,
          fix: ERROR.fix,
        },
      ],
      summary: { errors: 1, warnings: 1 },
    });
    expect(hasErrors([WARNING])).toBe(false);
    expect(hasErrors([WARNING, ERROR])).toBe(true);
  });
});

const pretty = (found: Diagnostic, text: string, colour = false) =>
  formatPretty([found], { colour, textOf: () => text });

describe("for people", () => {
  it("shows place, message, the line with its fault marked, related places, why and help", () => {
    expect(pretty(ERROR, "k = 1\nx\n\tk = 2\n")).toBe(
      [
        "a.skrull:3:2 error [duplicate-key]",
        "  'k' is set twice",
        "  3 |  k = 2",
        "    |  ^^",
        "  a.skrull:1:1: first set here",
        "  why: Only one of the values could take effect.",
        "  help: Remove one of them.",
        "",
        "More about a code: skrull explain duplicate-key",
        "",
        "",
      ].join("\n"),
    );
  });

  it("cuts long lines around the fault", () => {
    const text = `${"a".repeat(500)}FAULT${"b".repeat(500)}`;
    const lines = pretty(diagnostic("duplicate-key", { name: "k" }, at(1, 501, 506)), text).split(
      "\n",
    );
    const [source = "", marks = ""] = lines.slice(2, 4);
    expect(source.length).toBeLessThan(130);
    expect(source.slice(marks.indexOf("^"), marks.lastIndexOf("^") + 1)).toBe("FAULT");
  });

  it("marks to the end of the line where the fault goes on", () => {
    const place = {
      file: "a",
      range: { start: { line: 1, column: 3 }, end: { line: 2, column: 2 } },
    };
    const shown = pretty(diagnostic("duplicate-key", { name: "k" }, place), "ab{ c\n}\n");
    expect(shown).toContain("    |   ^^^\n");
  });

  it("lets nothing of the file or its name reach the terminal as a command", () => {
    const hostile = "\u001b[31m\u0007\u009b2J\u202e";
    const found = diagnostic("unknown-block", { name: hostile }, at(1, 1, 3, `${hostile}.skrull`));
    expect(pretty(found, hostile)).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  });

  it("colours only when asked to", () => {
    expect(pretty(ERROR, "k")).not.toContain("\u001b");
    expect(pretty(ERROR, "k", true)).toContain("\u001b[31;1merror\u001b[0m");
  });

  it("names the first error where the first finding is a warning", () => {
    const warning = diagnostic("malformed-data-tolerated", { count: 1, first: "" }, at(1, 1, 2));
    const shown = formatPretty([warning, ERROR], { colour: false, textOf: () => undefined });
    expect(shown).toContain(`More about a code: skrull explain ${ERROR.code}\n`);
  });

  it("shows no frame where the text is not known", () => {
    const shown = formatPretty([ERROR], { colour: false, textOf: () => undefined });
    expect(shown).not.toContain("|");
  });
});
