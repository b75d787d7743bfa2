import { lstatSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Diagnostic, diagnostic, type Fix } from "../../src/diagnostics/diagnostic.js";
import { applyFixes, chooseFixes } from "../../src/diagnostics/fixes.js";
import { LineMap } from "../../src/foundation/text.js";
import { analyze } from "../../src/semantics/analyze.js";
import { project, skrull, spec } from "../cli/run.js";

/** A diagnostic that replaces stretches of a text, given by their offsets. */
function mending(
  text: string,
  edits: readonly (readonly [number, number, string])[],
  safe = true,
): Diagnostic {
  const lines = new LineMap(text);
  const fix: Fix = {
    title: "Mend",
    safe,
    edits: edits.map(([start, end, new_text]) => ({ range: lines.range(start, end), new_text })),
  };
  const [first] = fix.edits;
  if (!first) throw new Error("an edit is needed");
  return diagnostic("duplicate-block", { name: "x" }, { file: "a", range: first.range }, { fix });
}

describe("fixes", () => {
  const text = "one two\r\nthree 😀 four";

  it("apply in any order, over lines and beyond the basic plane", () => {
    const found = [
      mending(text, [[18, 22, "4"]]),
      mending(text, [[0, 3, "1"]]),
      mending(text, [[9, 14, "3"]]),
    ];
    expect(applyFixes(text, found, { unsafe: false })).toBe("1 two\r\n3 😀 4");
  });

  it("that are unsafe wait until they are asked for", () => {
    const found = [mending(text, [[0, 3, "1"]], false), mending(text, [[4, 7, "2"]])];
    expect(applyFixes(text, found, { unsafe: false })).toBe("one 2\r\nthree 😀 four");
    expect(applyFixes(text, found, { unsafe: true })).toBe("1 2\r\nthree 😀 four");
  });

  it("that get in each other's way wait for the next round, whole", () => {
    const found = [
      mending(text, [[0, 5, "x"]]),
      mending(text, [
        [3, 7, "y"],
        [9, 14, "z"],
      ]),
      mending(text, [[0, 0, "insert"]]),
    ];
    expect(chooseFixes(found, { unsafe: false })).toEqual([found[0]?.fix]);
    expect(applyFixes(text, found, { unsafe: false })).toBe("xwo\r\nthree 😀 four");
  });

  it("may touch where neither is an insertion", () => {
    const found = [mending(text, [[0, 3, "1"]]), mending(text, [[3, 7, "2"]])];
    expect(applyFixes(text, found, { unsafe: false })).toBe("12\r\nthree 😀 four");
  });

  it("keep a byte-order mark in front", () => {
    const marked = "\uFEFFmodel";
    expect(applyFixes(marked, [mending(marked, [[0, 0, "skrull 1\n"]])], { unsafe: false })).toBe(
      "\uFEFFskrull 1\nmodel",
    );
  });

  it("never lose text outside their ranges", () => {
    const edit = fc.tuple(fc.nat(20), fc.nat(5), fc.string());
    fc.assert(
      fc.property(fc.string({ maxLength: 25 }), fc.array(edit), (source, edits) => {
        const clean = source.replace(/[\r\uFEFF]/g, "");
        const found = edits.map(([start, length, added]) =>
          mending(clean, [
            [Math.min(start, clean.length), Math.min(start + length, clean.length), added],
          ]),
        );
        const chosen = chooseFixes(found, { unsafe: false }).flatMap((fix) => fix.edits);
        const lines = new LineMap(clean);
        const size = ({ range }: Fix["edits"][number]) =>
          lines.offset(range.end) - lines.offset(range.start);
        const expected =
          clean.length + chosen.reduce((sum, e) => sum + e.new_text.length - size(e), 0);
        expect(applyFixes(clean, found, { unsafe: false })).toHaveLength(expected);
      }),
    );
  });
});

describe("the fixes of specs that are cut anywhere", () => {
  it("come to an end, and leave fewer mistakes that have a fix", () => {
    const whole = spec({ parallel: "{ contxt = 2  zero = 2 }", memory: "{ budget = 2 Gib }" });
    for (let end = 0; end <= whole.length; end += 1) {
      let text = whole.slice(0, end);
      for (let round = 0; round < 10; round += 1) {
        const fixed = applyFixes(text, analyze("a", text).diagnostics, { unsafe: true });
        if (fixed === text) break;
        text = fixed;
      }
      expect(chooseFixes(analyze("a", text).diagnostics, { unsafe: true })).toEqual([]);
    }
  });
});

describe("lint --fix", () => {
  const text = (folder: string, name: string) => readFileSync(join(folder, name), "utf8");
  const broken = spec({ parallel: "{ contxt = 2 }" }).replace("skrull 1\n", "");

  it("applies what is safe, says so, and reports the rest", () => {
    const folder = project({ "a.skrull": broken, "b.skrull": spec() });
    const run = skrull(["lint", ".", "--fix"], { cwd: folder });
    expect(run.status).toBe(1);
    expect(run.stderr).toBe("1 fix applied in 1 file\n");
    expect(run.stdout).toContain("[unknown-key]");
    expect(run.stdout).not.toContain("[missing-version]");
    expect(run.stdout).toContain(
      "2 files checked: 1 error, 0 warnings; 1 fixable with --unsafe-fixes\n",
    );
    expect(text(folder, "a.skrull")).toBe(`skrull 1\n\n${broken}`);
    expect(text(folder, "b.skrull")).toBe(spec());
  });

  it("applies the others when told to, until nothing is left", () => {
    const folder = project({ "a.skrull": broken });
    const run = skrull(["lint", "a.skrull", "--unsafe-fixes"], { cwd: folder });
    expect(run.status).toBe(0);
    expect(run.stderr).toBe("2 fixes applied in 1 file\n");
    expect(skrull(["lint", "a.skrull"], { cwd: folder }).stdout).toBe(
      "1 file checked: 0 errors, 0 warnings\n",
    );
  });

  it("changes no file without the option, and offers it", () => {
    const folder = project({ "a.skrull": broken });
    const run = skrull(["lint", "a.skrull"], { cwd: folder });
    expect(run.stdout).toContain("; 1 fixable with --fix, 1 more with --unsafe-fixes\n");
    expect(text(folder, "a.skrull")).toBe(broken);
  });

  it("writes what a link leads to, and leaves the link", () => {
    const folder = project({ "real/a.txt": "" });
    writeFileSync(join(folder, "real/a.txt"), broken);
    symlinkSync("real/a.txt", join(folder, "a.skrull"));
    skrull(["lint", "a.skrull", "--fix"], { cwd: folder });
    expect(lstatSync(join(folder, "a.skrull")).isSymbolicLink()).toBe(true);
    expect(text(folder, "real/a.txt")).toMatch(/^skrull 1\n/);
  });
});
