import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { project, skrull, spec } from "./run.js";

interface Found {
  readonly code: string;
  readonly message: string;
  readonly range: { readonly start: { readonly line: number; readonly column: number } };
}

/** What `lint` makes of a file with this content. */
function lintOf(content: string | Uint8Array) {
  const folder = project({ "a.skrull": content });
  const run = skrull(["lint", "a.skrull", "--format", "json"], { cwd: folder });
  expect(run.stderr).toBe("");
  expect(JSON.stringify(run.stdout)).not.toMatch(/\\u00[01]/);
  const found: readonly Found[] = JSON.parse(run.stdout).diagnostics;
  return { status: run.status, found, codes: [...new Set(found.map(({ code }) => code))] };
}

const utf16 = (text: string, mark: boolean, bigEndian: boolean): Uint8Array => {
  const bytes = Buffer.from(mark ? `\uFEFF${text}` : text, "utf16le");
  return bigEndian ? bytes.swap16() : bytes;
};

describe("a file that is", () => {
  it("empty lacks everything, its version first of all", () => {
    const { status, found } = lintOf("");
    expect(status).toBe(1);
    expect(found.map(({ code }) => code)).toContain("missing-version");
    expect(found.map(({ message }) => message)).toContain("the spec has no block 'model'");
  });

  it("10 MB large is no spec", () => {
    const { status, found } = lintOf("model { }\n".repeat(1_000_000));
    expect(status).toBe(1);
    expect(found.map(({ code, message }) => [code, message])).toContainEqual([
      "file-too-large",
      "the file has 10000000 characters; a spec has at most 262144",
    ]);
  });

  it("nothing but errors ends with a remark", () => {
    const { status, codes, found } = lintOf(`skrull 1\n${"x { }\n".repeat(5000)}`);
    expect(status).toBe(1);
    expect(codes).toContain("too-many-errors");
    expect(found).toHaveLength(101);
  });

  for (const [name, nested] of [
    ["blocks", "a {".repeat(10_000)],
    ["blocks that are closed", `${"a {".repeat(10_000)}${"}".repeat(10_000)}`],
    ["lists", `model { config = ${"[".repeat(10_000)} }`],
    ["variants", `train { optimizer = ${"a { b = ".repeat(10_000)}`],
  ] as const) {
    it(`10,000 nested ${name} is refused where it gets too deep`, () => {
      const { status, found } = lintOf(`skrull 1\n${nested}`);
      expect(status).toBe(1);
      const deep = found.filter(({ code }) => code === "nesting-too-deep");
      expect(deep).toHaveLength(1);
      expect(deep[0]?.range.start.line).toBe(2);
    });
  }

  const chain = (link: (n: number) => string) => Array.from({ length: 3000 }, (_, n) => link(n));
  for (const [name, links] of [
    ["constants", chain((n) => `let k${n} = k${n + 1} + 1`)],
    ["blocks", chain((n) => `cluster c${n} extends c${n + 1} { gpus = 1 }`)],
    ["runs", chain((n) => `run r${n} extends r${n + 1} { }`)],
  ] as const) {
    it(`a chain of 3,000 ${name} is refused where it gets too long`, () => {
      const { status, codes } = lintOf(`skrull 1\n${links.join("\n")}`);
      expect(status).toBe(1);
      expect(codes).toContain("chain-too-long");
    });
  }

  for (const [name, nested] of [
    ["maps", "{ a: ".repeat(10_000)],
    ["lists", `\n${"- ".repeat(10_000)}`],
    ["keys", "? ".repeat(10_000)],
  ] as const) {
    it(`10,000 nested ${name} of YAML is refused`, () => {
      const folder = project({ "a.skrull.yaml": `skrull: 1\nmodel: ${nested}` });
      const run = skrull(["lint", "a.skrull.yaml", "--format", "json"], { cwd: folder });
      expect(run.status).toBe(1);
      expect(JSON.parse(run.stdout).diagnostics[0].code).toBe("invalid-yaml");
    });
  }

  it("cut by a NUL byte is told its place", () => {
    const { status, found } = lintOf(spec({ parallel: "{ zero = 1\0 }" }));
    expect(status).toBe(1);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      code: "invalid-character",
      message: "the character 'U+0000' has no meaning here",
      range: { start: { line: 5, column: 20 } },
    });
  });

  it("nothing but NUL bytes is refused", () => {
    const { status, codes } = lintOf(new Uint8Array(4096));
    expect(status).toBe(1);
    expect(codes).toContain("invalid-character");
  });

  for (const mark of [true, false]) {
    for (const bigEndian of [true, false]) {
      const name = `UTF-16 (${bigEndian ? "big" : "little"} endian)`;
      it(`${name} ${mark ? "with" : "without"} a mark is named`, () => {
        const { status, found } = lintOf(utf16(spec(), mark, bigEndian));
        expect(status).toBe(1);
        expect(found).toMatchObject([
          {
            code: "wrong-encoding",
            message: `the file is not UTF-8 text: it looks like ${name}`,
            range: { start: { line: 1, column: 1 } },
          },
        ]);
      });
    }
  }

  it("Latin-1 is told the first byte at fault", () => {
    // A replacement character of the file's own is no fault.
    const bytes = Buffer.concat([
      Buffer.from("# \uFFFD\n# "),
      Buffer.from("für Größe", "latin1"),
      Buffer.from(`\n${spec()}`),
    ]);
    const { status, found } = lintOf(bytes);
    expect(status).toBe(1);
    expect(found).toMatchObject([
      {
        code: "wrong-encoding",
        message: "the file is not UTF-8 text: byte 10 is 0xFC",
        range: { start: { line: 2, column: 4 } },
      },
    ]);
  });

  it("marked as UTF-8 is read, and the mark takes no column", () => {
    expect(lintOf(`\uFEFF${spec()}`)).toMatchObject({ status: 0, found: [] });
    const { found } = lintOf(`\uFEFF${spec().replace("skrull 1", "skrull 2")}`);
    expect(found).toMatchObject([
      { code: "unsupported-version", range: { start: { line: 1, column: 8 } } },
    ]);
  });

  it("written with other line ends is read, line for line", () => {
    for (const end of ["\r\n", "\r"]) {
      const lines = (parts = {}) => spec(parts).replaceAll("\n", end);
      expect(lintOf(lines())).toMatchObject({ status: 0, found: [] });
      expect(lintOf(lines({ parallel: "{ zero = 9 }" })).found).toMatchObject([
        { code: "out-of-range", range: { start: { line: 5, column: 19 } } },
      ]);
    }
  });
});

describe("a path that", () => {
  const problem = (path: string, folder: string) => {
    const run = skrull(["lint", path], { cwd: folder });
    expect(run.status).toBe(2);
    return run.stderr;
  };

  it("is not there is named", () => {
    expect(problem("no.skrull", project({}))).toBe("error: no.skrull: no such file or folder\n");
  });

  it("is a folder without specs is named", () => {
    const folder = project({ "docs/a.txt": "", "docs/node_modules/x/a.skrull": "" });
    expect(problem("docs", folder)).toBe("error: docs: no .skrull file in this folder\n");
  });

  it("leads round in a circle is named", () => {
    const folder = project({});
    symlinkSync("b.skrull", join(folder, "a.skrull"));
    symlinkSync("a.skrull", join(folder, "b.skrull"));
    expect(problem("a.skrull", folder)).toBe("error: a.skrull: too many symbolic links\n");
  });

  it("cannot be read keeps no other file of its folder from being checked", () => {
    const folder = project({ "sub/good.skrull": spec({ parallel: "{ zero = 9 }" }) });
    symlinkSync("nowhere", join(folder, "sub/dead.skrull"));
    symlinkSync("nowhere", join(folder, "sub/dead.txt"));
    const run = skrull(["lint", "sub"], { cwd: folder });
    expect(run.status).toBe(2);
    expect(run.stderr).toBe("error: sub/dead.skrull: no such file or folder\n");
    expect(run.stdout).toContain("sub/good.skrull:5:19 error [out-of-range]");
  });

  it.skipIf(process.getuid?.() === 0)("may not be read says so", () => {
    const folder = project({ "a.skrull": spec(), "shut/b.skrull": spec() });
    chmodSync(join(folder, "a.skrull"), 0);
    chmodSync(join(folder, "shut"), 0);
    expect(problem("a.skrull", folder)).toBe("error: a.skrull: permission denied\n");
    expect(problem(".", folder)).toContain("permission denied");
    chmodSync(join(folder, "shut"), 0o755);
  });

  it("is a folder named like a spec is one", () => {
    const folder = project({ "x.skrull/a.skrull": spec() });
    expect(skrull(["lint", "x.skrull"], { cwd: folder })).toMatchObject({ status: 0 });
  });

  it("is named twice is checked once", () => {
    const folder = project({ "a.skrull": spec() });
    const run = skrull(["lint", "a.skrull", "./a.skrull", "."], { cwd: folder });
    expect(run.stdout).toBe("1 file checked: 0 errors, 0 warnings\n");
  });

  it("holds a link back to itself is walked once", () => {
    const folder = project({ "a/x.skrull": spec(), "b/y.skrull": spec() });
    mkdirSync(join(folder, "a/deep"));
    symlinkSync("../..", join(folder, "a/deep/up"));
    symlinkSync(".", join(folder, "a/here"));
    symlinkSync("here", join(folder, "a/there"));
    const run = skrull(["lint", "a"], { cwd: folder });
    expect(run).toMatchObject({ status: 0, stderr: "" });
    expect(run.stdout).toBe("2 files checked: 0 errors, 0 warnings\n");
  });
});

describe("an import that", () => {
  const importing = (path: string) => spec().replace("skrull 1\n", `skrull 1\nimport "${path}"\n`);
  const LIBRARY = "skrull 1\nlet seq = 1K\n";

  /** Code and message of what is found in `top/a.skrull` of a project. */
  function lintTop(folder: string) {
    const run = skrull(["lint", "top/a.skrull", "--format", "json"], { cwd: folder });
    expect(run.stderr).toBe("");
    expect(run.status).toBe(1);
    const found: readonly Found[] = JSON.parse(run.stdout).diagnostics;
    return found.map(({ code, message }) => `${code}: ${message}`);
  }

  const MARK = { "top/skrull.config.yaml": "" };

  it("is missing is named", () => {
    const folder = project({ ...MARK, "top/a.skrull": importing("lib/no.skrull") });
    expect(lintTop(folder)).toEqual([
      "import-failed: 'lib/no.skrull' cannot be imported: no such file or folder",
    ]);
  });

  it("lies outside the project is not read", () => {
    const files = { ...MARK, "top/a.skrull": importing("../out.skrull"), "out.skrull": LIBRARY };
    expect(lintTop(project(files))).toEqual([
      "import-failed: '../out.skrull' cannot be imported: it lies outside the project's folder 'top', the outermost with a skrull.config.yaml",
    ]);
  });

  it("leaves the project by a link is not read", () => {
    const folder = project({
      ...MARK,
      "top/a.skrull": importing("in.skrull"),
      "out.skrull": LIBRARY,
    });
    symlinkSync("../out.skrull", join(folder, "top/in.skrull"));
    expect(lintTop(folder)).toEqual([
      "import-failed: 'in.skrull' cannot be imported: it lies outside the project's folder 'top', the outermost with a skrull.config.yaml",
    ]);
  });

  it("leads round in a circle of links is named", () => {
    const folder = project({ ...MARK, "top/a.skrull": importing("x.skrull") });
    symlinkSync("y.skrull", join(folder, "top/x.skrull"));
    symlinkSync("x.skrull", join(folder, "top/y.skrull"));
    expect(lintTop(folder)).toEqual([
      "import-failed: 'x.skrull' cannot be imported: too many symbolic links",
    ]);
  });

  it("imports what imports it is named", () => {
    const folder = project({
      ...MARK,
      "top/a.skrull": importing("b.skrull"),
      "top/b.skrull": 'skrull 1\nimport "a.skrull"\nlet seq = 1K\n',
    });
    expect(lintTop(folder)).toEqual([
      "import-cycle: this import is circular: top/a.skrull → top/b.skrull → top/a.skrull",
    ]);
  });

  it("is a folder, too large or in another encoding is named", () => {
    const folder = project({ ...MARK, "top/lib/x.skrull": LIBRARY });
    const found = (content: string | Uint8Array, path = "b.skrull") => {
      writeFileSync(join(folder, "top/a.skrull"), importing(path));
      writeFileSync(join(folder, "top/b.skrull"), content);
      return lintTop(folder);
    };
    expect(found("", "lib")).toEqual([
      "import-failed: 'lib' cannot be imported: is a folder, not a file",
    ]);
    expect(found(utf16(LIBRARY, true, false))).toEqual([
      "import-failed: 'b.skrull' cannot be imported: is not UTF-8 text: it looks like UTF-16 (little endian)",
    ]);
    expect(found("# \n".repeat(4_000_000))).toEqual(["broken-import: 'b.skrull' has errors"]);
    expect(found("a {".repeat(10_000))).toEqual(["broken-import: 'b.skrull' has errors"]);
  });

  it("begins an endless chain is cut off", () => {
    const chain = Array.from({ length: 300 }, (_, n) => [
      `top/c${n}.skrull`,
      `skrull 1\nimport "c${n + 1}.skrull"\n`,
    ]);
    const folder = project({
      ...MARK,
      ...Object.fromEntries(chain),
      "top/a.skrull": importing("c0.skrull"),
    });
    expect(lintTop(folder)).toEqual([
      "import-failed: 'c255.skrull' cannot be imported: more than 256 files are imported",
    ]);
  });
});

describe("the other verbs", () => {
  it("tell of a wrong encoding as `lint` does", () => {
    const folder = project({ "a.skrull": utf16(spec(), true, false) });
    for (const verb of ["plan", "compare", "tune"]) {
      const run = skrull([verb, "a.skrull"], { cwd: folder });
      expect(run.status).toBe(1);
      expect(run.stderr).toContain("[wrong-encoding]");
    }
  });

  it("tell of a spec that is not there", () => {
    const folder = project({});
    for (const arguments_ of [["plan"], ["compare"], ["tune"], ["compile", "--out", "x"]]) {
      const run = skrull([...arguments_, "no.skrull"], { cwd: folder });
      expect(run.status).toBe(2);
      expect(run.stderr).toMatch(/^error: .*no\.skrull: no such file or folder\n$/);
    }
  });
});
