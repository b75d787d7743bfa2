import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  countOf,
  formatBytes,
  formatCount,
  formatSeconds,
  formatShare,
} from "../../src/foundation/format.js";
import { didYouMean, editDistance } from "../../src/foundation/suggest.js";
import { LineMap } from "../../src/foundation/text.js";

describe("a byte-order mark", () => {
  const lines = new LineMap("\uFEFFab\ncd");

  it("takes no column", () => {
    expect(lines.range(0, 2)).toEqual({
      start: { line: 1, column: 1 },
      end: { line: 1, column: 2 },
    });
    expect(lines.position(4)).toEqual({ line: 2, column: 1 });
    expect(lines.line(1)).toBe("ab");
  });

  it("stays before everything that is found by its position", () => {
    expect(lines.offset({ line: 1, column: 1 })).toBe(1);
    expect(lines.offset({ line: 2, column: 2 })).toBe(5);
  });
});

describe("an offset", () => {
  it("is found again by its position, and never lies outside", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(50), (text, at) => {
        const lines = new LineMap(text);
        const start = text.startsWith("\uFEFF") ? 1 : 0;
        const inside = Math.max(start, Math.min(at, text.length));
        // Between the two characters of a line's end is beyond its line.
        const between = text.slice(inside - 1, inside + 1) === "\r\n";
        expect(lines.offset(lines.position(at))).toBe(between ? inside - 1 : inside);
        expect(lines.offset({ line: at + 1, column: at + 1 })).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});

describe("a line map", () => {
  it("knows LF, CRLF and CR, and counts columns in UTF-16 units", () => {
    const lines = new LineMap("a\r\nb😀c\rd\n\ne");
    expect(lines.position(0)).toEqual({ line: 1, column: 1 });
    expect(lines.position(3)).toEqual({ line: 2, column: 1 });
    expect(lines.position(6)).toEqual({ line: 2, column: 4 });
    expect(lines.position(8)).toEqual({ line: 3, column: 1 });
    expect(lines.position(11)).toEqual({ line: 5, column: 1 });
    expect([1, 2, 3, 4, 5, 6].map((n) => lines.line(n))).toEqual(["a", "b😀c", "d", "", "e", ""]);
  });

  it("takes offsets outside the text as its ends", () => {
    const lines = new LineMap("ab\nc");
    expect(lines.position(-5)).toEqual({ line: 1, column: 1 });
    expect(lines.position(99)).toEqual({ line: 2, column: 2 });
  });

  it("finds every offset again", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "\n", "\r", "\r\n", "é", "😀") });
    fc.assert(
      fc.property(text, (source) => {
        const lines = new LineMap(source);
        const split = source.split(/(?<=\r\n|\n|\r(?!\n))/);
        for (let offset = 0; offset <= source.length; offset += 1) {
          const { line, column } = lines.position(offset);
          const before = split.slice(0, line - 1).join("").length;
          expect(before + column - 1).toBe(offset);
        }
      }),
    );
  });
});

describe("a suggestion", () => {
  it.each([
    ["contxt", "context"],
    ["CONTEXT", "context"],
    ["zer0", "zero"],
    ["q", undefined],
    ["budget", undefined],
    ["context".repeat(20), undefined],
  ])("for %s is %s", (name, expected) => {
    expect(didYouMean(name, ["context", "zero"])).toBe(expected);
  });

  it("is the nearest of several", () => {
    expect(didYouMean("stpes", ["step", "steps", "seed"])).toBe("steps");
    expect(didYouMean("epoch", ["eps", "epochs"])).toBe("epochs");
  });

  it("has the numbers that were written", () => {
    const known = ["len32", "len64", "llama3", "budget"];
    expect(didYouMean("lem64", known)).toBe("len64");
    expect(didYouMean("budget2", known)).toBe("budget");
    for (const name of ["len16", "len3", "len", "llama", "llama2", "llama4"])
      expect(didYouMean(name, known)).toBeUndefined();
  });

  it("is the only one that goes on where the name ends, if nothing is near", () => {
    const known = ["a100_sxm_40gb", "a100_sxm_80gb", "a10_24gb", "h100_sxm_80gb"];
    expect(didYouMean("H100", known)).toBe("h100_sxm_80gb");
    expect(didYouMean("a10", known)).toBe("a10_24gb");
    expect(didYouMean("RTX4090", [...known, "rtx_4090_24gb"])).toBe("rtx_4090_24gb");
    for (const name of ["", "a100", "h", "x100"]) expect(didYouMean(name, known)).toBeUndefined();
  });

  it("counts each slip of a finger once", () => {
    const distances = [
      ["kitten", "sitting"],
      ["epohcs", "epochs"],
      ["lr", "rl"],
      ["", "abc"],
    ].map(([a = "", b = ""]) => editDistance(a, b));
    expect(distances).toEqual([3, 1, 1, 3]);
  });

  it("measures a distance: symmetric, and zero for the same only", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
      }),
    );
  });
});

describe("a number for people", () => {
  it.each([
    [formatCount(1234567), "1,234,567"],
    [formatCount(-1234), "-1,234"],
    [formatCount(999.5), "1,000"],
    [countOf(1, "file"), "1 file"],
    [countOf(2000, "entry", "entries"), "2,000 entries"],
    [formatBytes(0), "0 B"],
    [formatBytes(512), "512 B"],
    [formatBytes(76 * 1024 ** 3), "76.0 GiB"],
    [formatBytes(1023 * 1024), "1.00 MiB"],
    [formatBytes(-1536), "-1.50 KiB"],
    [formatSeconds(0), "0 s"],
    [formatSeconds(0.0414), "41.4 ms"],
    [formatSeconds(2.305), "2.31 s"],
    [formatSeconds(5e-6), "5.00 us"],
    [formatShare(0.5231), "52.3%"],
  ])("%s is written as %s", (shown, expected) => expect(shown).toBe(expected));
});
