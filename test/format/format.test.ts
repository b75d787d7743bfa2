import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { formatSpec } from "../../src/format/format.js";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));

/** Formats what must have no syntax errors; also holds every example to idempotence. */
function format(text: string): string {
  const once = formatSpec(text);
  if (!("text" in once)) throw new Error(`syntax error in ${text}`);
  expect(formatSpec(once.text)).toEqual(once);
  return once.text;
}

const lines = (...all: readonly string[]) => all.map((line) => `${line}\n`).join("");

describe("the canonical style", () => {
  it("puts an entry on each line, indents by two and aligns '=' in runs", () => {
    const text = 'model{precision=bf16 config="a"\n\n\n\n  revision    =   "b" }';
    expect(format(text)).toBe(
      lines("model {", "  precision = bf16", '  config    = "a"', "", '  revision = "b"', "}"),
    );
  });

  it("aligns comments at line ends in the same runs", () => {
    expect(format("a = 1 # one\nlong = 22    // two\nb = 3\n\nc = 4 # four\n")).toBe(
      lines("a    = 1   # one", "long = 22  // two", "b    = 3", "", "c = 4  # four"),
    );
  });

  it("aligns over comments between entries, but not over blank lines and entries of several lines", () => {
    expect(format("a = 1\n# note\nlong = 2\n\nb = 3\nlonger = [\n4]\nc = 5\nlast = 6")).toBe(
      lines(
        ...["a    = 1", "# note", "long = 2", "", "b = 3"],
        ...["longer = [", "  4,", "]", "c    = 5", "last = 6"],
      ),
    );
  });

  it("writes scales onto the number and other units after a space", () => {
    expect(format("a = 8 K\nb = 3GiB\nc = 400Gbit/s\nd = 2 M")).toBe(
      lines("a = 8K", "b = 3 GiB", "c = 400 Gbit/s", "d = 2M"),
    );
  });

  it("spaces calculations, and binds signs to what they change", () => {
    expect(format("let a=2*500+24\nlet b = -1\nlet c = - ( a+ -b )/2\nlet d = [ -1,- 2 ]")).toBe(
      lines("let a = 2 * 500 + 24", "let b = -1", "let c = -(a + -b) / 2", "let d = [-1, -2]"),
    );
    expect(format("let a = 128 K/2\nlet b = 1GB/s * 8")).toBe(
      lines("let a = 128K / 2", "let b = 1 GB/s * 8"),
    );
  });

  it("keeps imports, constants and references together, and named blocks apart", () => {
    const text = lines(
      ...["skrull 1", 'import "a.skrull"', 'import "b.skrull"', "let seq   = 128K"],
      ...["let steps = 2", "", "cluster = h100", "memory  = big"],
    );
    expect(format(text.replaceAll("  =", "="))).toBe(text);
    expect(format("cluster  small{gpus=1}\ncluster big extends   small {\ngpus = 2}")).toBe(
      lines("cluster small { gpus = 1 }", "", "cluster big extends small {", "  gpus = 2", "}"),
    );
  });

  it("aligns the bodies of neighbouring blocks on one line", () => {
    expect(format('run a { train { steps = 1 } }\nmodel q "Q/q"   { }')).toBe(
      lines("run a         { train { steps = 1 } }", 'model q "Q/q" {}'),
    );
  });

  it("leaves bodies beside their headers where these differ much in length", () => {
    const text = lines(
      "memory { budget = 76 GiB }",
      "cluster big extends h100x32 { nodes = 8 }",
      "memory   { budget = 76 GiB }",
      "schedule { global_batch = 8 }",
      "train    {}",
    );
    expect(format(text.replaceAll(/ +\{/g, " {"))).toBe(text);
    // The long header leaves its neighbours when its block does not fit: they stay where they were.
    const wide = `cluster big extends h100x32 { gpu = "${"x".repeat(70)}" }`;
    expect(format(`memory { a = 1 }\nmodel { a = 1 }\n${wide}`)).toBe(
      lines(
        ...["memory { a = 1 }", "model  { a = 1 }", ""],
        ...["cluster big extends h100x32 {", `  gpu = "${"x".repeat(70)}"`, "}"],
      ),
    );
  });

  it("keeps a block on one line that was written so and fits", () => {
    expect(format("memory{budget=76GiB reserve=6GiB}\nschedule { global_batch=256 }\nx{ }")).toBe(
      lines(
        "memory   { budget = 76 GiB  reserve = 6 GiB }",
        "schedule { global_batch = 256 }",
        "x        {}",
      ),
    );
  });

  it("breaks a block that was written over lines, or does not fit, or holds a comment", () => {
    const long = `train { optimizer = adamw { lr = 1 } output = "${"x".repeat(70)}" }`;
    expect(format(long)).toBe(
      lines("train {", "  optimizer = adamw { lr = 1 }", `  output    = "${"x".repeat(70)}"`, "}"),
    );
    expect(format("a { b = 1\n}")).toBe(lines("a {", "  b = 1", "}"));
    expect(format("a { b = 1 # c\n}")).toBe(lines("a {", "  b = 1  # c", "}"));
  });

  it("breaks a list that does not fit or was begun on a new line, an item a line", () => {
    const item = `"${"x".repeat(60)}"`;
    expect(format(`a = [${item}, ${item}]`)).toBe(lines("a = [", `  ${item},`, `  ${item},`, "]"));
    expect(format("a = [\n1, 2]")).toBe(lines("a = [", "  1,", "  2,", "]"));
    expect(format("a = [1,\n2,]")).toBe(lines("a = [1, 2]"));
  });

  it("measures what fits with the run aligned: no line grows over 100 columns by it", () => {
    const text = `a = ["${"x".repeat(45)}", "${"y".repeat(41)}"]\nlonger = 1\n`;
    const longest = Math.max(
      ...format(text)
        .split("\n")
        .map((line) => line.length),
    );
    expect(longest).toBeLessThanOrEqual(100);
  });

  it("sets blocks of several lines apart, with the comments right above them", () => {
    expect(format("skrull 1\n# a\n# b\nx {\n}\ny {\nz = 1\n}\n# c\nw = 2")).toBe(
      lines("skrull 1", "# a", "# b", "x {}", "", "y {", "  z = 1", "}", "", "# c", "w = 2"),
    );
    expect(format("a = 1\n# above\ny {\nz = 1\n}")).toBe(
      lines("a = 1", "", "# above", "y {", "  z = 1", "}"),
    );
  });

  it("uses LF, one final newline and no byte order mark", () => {
    expect(format("\uFEFFskrull 1\r\na = 1 \r\n# b\t\r\n\r\n\r\n")).toBe("skrull 1\na = 1\n# b\n");
    expect(format("")).toBe("");
    expect(format(" \n\n")).toBe("");
    expect(format("\n\n# only\n")).toBe("# only\n");
  });
});

describe("comments", () => {
  it("stay where they are between items, at the ends of blocks and of the file", () => {
    const text = lines(
      "# first",
      "",
      "skrull 1  # version",
      "",
      "a {  # opens",
      "  # before",
      "  b = 1",
      "",
      "  # at the end",
      "}  # closes",
      "",
      "# last",
    );
    expect(format(text)).toBe(text);
  });

  it("stay in lists", () => {
    const text = lines(
      "a = [  # opens",
      "  # before",
      "  1,    # one",
      "  200,  # two",
      "",
      "  # at the end",
      "]  # closes",
    );
    expect(format(text)).toBe(text);
    expect(format("a = [1 # one\n, # other\n2 # two\n]")).toBe(
      lines("a = [", "  1,  # one", "  # other", "  2,  # two", "]"),
    );
  });

  it("in the middle of a statement move above it", () => {
    expect(format("x = 1\n\na # one\n= # two\n 2 # three\n")).toBe(
      lines("x = 1", "", "# one", "# two", "a = 2  # three"),
    );
  });
});

describe("text with syntax errors", () => {
  it("is not formatted, and says where", () => {
    const result = formatSpec("a = = 1", "a.skrull");
    expect(result).toMatchObject({
      syntaxError: true,
      diagnostics: [{ code: "unexpected-token", file: "a.skrull" }],
    });
  });
});

describe("every example", () => {
  const specs = readdirSync(EXAMPLES, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".skrull"),
  );
  for (const spec of specs) {
    it(`${spec} is formatted`, () => {
      const text = readFileSync(join(EXAMPLES, spec), "utf8");
      expect(format(text)).toBe(text);
    });
  }
});
