import { Lexer } from "chevrotain";
import { describe, expect, it } from "vitest";
import { LineMap } from "../../src/foundation/text.js";
import { grammarEbnf } from "../../src/syntax/ebnf.js";
import { parseSpec } from "../../src/syntax/parse.js";
import { SpecParser } from "../../src/syntax/parser.js";
import { TOKENS } from "../../src/syntax/tokens.js";
import type { BodyNode, ValueNode } from "../../src/syntax/tree.js";

/** A value as plain data: what a reader of the tree needs, without spans. */
function plain(node: ValueNode | undefined): unknown {
  switch (node?.kind) {
    case "name":
      return { name: node.text };
    case "string":
      return node.value;
    case "number":
      return node.unit ? `${node.text} ${node.unit.text}` : node.value;
    case "list":
      return node.items.map(plain);
    case "chain":
      return [plain(node.first), ...node.rest.flatMap((o) => [o.operator, plain(o.operand)])];
    case "negative":
      return ["-", plain(node.operand)];
    case "scalar":
      return { scalar: node.text };
    case "tagged":
      return { [node.tag.text]: body(node.body) };
    case undefined:
      return undefined;
  }
}

const body = ({ entries, blocks }: Pick<BodyNode, "entries" | "blocks">): unknown => ({
  ...Object.fromEntries(entries.map((entry) => [entry.key.text, plain(entry.value)])),
  ...Object.fromEntries(blocks.map((block) => [block.name.text, body(block.body)])),
});

const readValue = (source: string) => {
  const { tree, diagnostics } = parseSpec("a", `b { k = ${source} }`);
  expect(diagnostics).toEqual([]);
  return plain(tree.blocks[0]?.body.entries[0]?.value);
};

const VALUES: readonly (readonly [string, unknown])[] = [
  ["4", 4],
  ["-1.5e-3", -0.0015],
  ["1_000_000", 1_000_000],
  ["80 GiB", "80 GiB"],
  ["128K", "128 K"],
  ["400Gbit/s", "400 Gbit/s"],
  ["skrull-paper", { name: "skrull-paper" }],
  ["[1, bf16, [],]", [1, { name: "bf16" }, []]],
  ["adamw { lr = 1e-5 betas = [0.9, 0.95] }", { adamw: { lr: 1e-5, betas: [0.9, 0.95] } }],
  ["2 * seq + 24K", [[2, "*", { name: "seq" }], "+", "24 K"]],
  ["(a - b) / -c", [[{ name: "a" }, "-", { name: "b" }], "/", ["-", { name: "c" }]]],
  ["-4", -4],
  ["+4", 4],
  ["4 - -2", [4, "-", -2]],
  ["1_000.000_1e-05", 1000.0001e-5],
  ["9 GB/s/2", ["9 GB/s", "/", 2]],
  ['"a # b // c"', "a # b // c"],
  [String.raw`"\"\\\n\r\t\u00e9\u{1F600}"`, '"\\\n\r\té😀'],
];

describe("the grammar", () => {
  it("passes the validations that a start leaves out", () => {
    expect(new Lexer([...TOKENS]).lexerDefinitionErrors).toEqual([]);
    expect(() => new SpecParser(false)).not.toThrow();
  });
});

describe("a value", () => {
  for (const [source, expected] of VALUES) {
    it(source, () => expect(readValue(source)).toEqual(expected));
  }

  it("ends where the next entry or block begins, also on the same line", () => {
    const { tree } = parseSpec("a", 'b { n = 4 g = 8 c { } m = 2 GiB d "x" { } }');
    expect(tree.blocks.map((block) => body(block.body))).toEqual([
      { n: 4, g: 8, m: "2 GiB", c: {}, d: {} },
    ]);
  });
});

describe("the tree", () => {
  const text = '\uFEFF# head\r\nskrull 1\r\nmodel "é" {\r\n  k = 2 GiB # tail\r\n}\r\n';
  const { tree, diagnostics } = parseSpec("a", text);
  const [block] = tree.blocks;
  const slice = (span: { start: number; end: number } | undefined) =>
    span && text.slice(span.start, span.end);

  it("knows the exact text of every node", () => {
    expect(diagnostics).toEqual([]);
    expect(slice(tree.version)).toBe("1");
    expect(slice(block?.name)).toBe("model");
    expect(slice(block?.label)).toBe('"é"');
    expect(slice(block?.body.entries[0])).toBe("k = 2 GiB");
    expect(slice(block?.body.entries[0]?.value)).toBe("2 GiB");
    expect(slice(block)).toBe('model "é" {\r\n  k = 2 GiB # tail\r\n}');
  });
});

/** Marks of the expected places: `«text»`. */
function marked(source: string): { text: string; places: readonly string[] } {
  const parts = source.split(/([«»])/);
  let text = "";
  const marks: number[] = [];
  for (const part of parts) {
    if (part === "«" || part === "»") marks.push(text.length);
    else text += part;
  }
  const lines = new LineMap(text);
  const ranges = marks.flatMap((start, n) =>
    n % 2 ? [] : [lines.range(start, marks[n + 1] ?? 0)],
  );
  return { text, places: ranges.map((range) => JSON.stringify(range)) };
}

/** Source with marked places, the messages there, and what is still read of the block. */
const MISTAKES: readonly (readonly [string, readonly string[], unknown])[] = [
  ["b { k «2» z = 1 }", ["expected '=', found '2'"], { k: 2, z: 1 }],
  ["b { k«:» 2 z = 1 }", ["the character ':' has no meaning here"], { k: 2, z: 1 }],
  ["b { k = «}»", ["expected a value, found '}'"], { k: undefined }],
  ["b { k = «z» = 1 }", ["expected a value, found 'z'"], { k: undefined, z: 1 }],
  ["b { k «z» = 1 }", ["expected '=', found 'z'"], { z: 1 }],
  ['b { k = ["a" «"b"»] }', ["expected ',' or ']', found '\"b\"'"], { k: ["a"] }],
  ["b { k = [1,«,»2] }", ["expected a value or ']', found ','"], { k: [1] }],
  ["b { k = 1«,» z = 2 }", ["expected a key or '}', found ','"], { k: 1, z: 2 }],
  ["b { k = 1 }«}» c { }", ["expected a block or the end of the file, found '}'"], { k: 1 }],
  ['b { k = «"open»\n z = 1 }', ["this string is not closed on its line"], { k: "open", z: 1 }],
  ['b { k = "a«\\q»b" }', ["\\q is not an escape sequence"], { k: "a\\qb" }],
  ['b { k = "«\\uD800»" }', ["\\uD800 is not an escape sequence"], { k: "\\uD800" }],
  [
    "b { k = 1 «\0\0» z = 2 }",
    ["the character 'U+0000U+0000' has no meaning here"],
    { k: 1, z: 2 },
  ],
  ["skrull «b» { k = 1 }", ["expected a number, found 'b'"], { k: 1 }],
  ["import «lib» b { k = 1 }", ["expected a string, found 'lib'"], { k: 1 }],
  ["b { k = 1 «/* a\n } */» z = 2 }", ["the character '/*' has no meaning here"], { k: 1, z: 2 }],
  ["b { k = 1 } «/* open»", ["the character '/*' has no meaning here"], { k: 1 }],
  ["b x extends «{» k = 1 }", ["expected a name, found '{'"], { k: 1 }],
  [
    "b { k = -«-»4 z = 1 }",
    ["expected a number, '(' or a constant, found '-'"],
    { k: undefined, z: 1 },
  ],
  [
    "b { k = «'a'» z = «“b”» }",
    Array(2)
      .fill(0)
      .map((_, n) => `the character '${"'“"[n]}' has no meaning here`),
    { k: "a", z: "b" },
  ],
  ...(
    [
      ["1__0", "an underscore stands between two digits"],
      ["1_", "an underscore stands between two digits"],
      ["1e_5", "an underscore stands between two digits"],
      [".5", "a decimal point stands between two digits"],
      ["5.", "a decimal point stands between two digits"],
      ["1.5.5", "it has more than one decimal point"],
      ["1..5", "it has more than one decimal point"],
      ["1e", "its exponent has no digits"],
      ["1e+", "its exponent has no digits"],
      ["010", "it begins with a needless 0"],
      ["0x1F", "numbers are decimal"],
    ] as const
  ).map(([number, problem]): (typeof MISTAKES)[number] => [
    `b { k = «${number}» z = 1 }`,
    [`'${number}' is not a number: ${problem}`],
    { k: undefined, z: 1 },
  ]),
];

describe("a mistake", () => {
  for (const [source, messages, rest] of MISTAKES) {
    it(`${JSON.stringify(source)} is told once, at its place, and the rest is read`, () => {
      const { text, places } = marked(source);
      const { tree, diagnostics } = parseSpec("a", text);
      expect(diagnostics.map((d) => d.message)).toEqual(messages);
      expect(diagnostics.map((d) => JSON.stringify(d.range))).toEqual(places);
      expect(tree.blocks[0] && body(tree.blocks[0].body)).toEqual(rest);
    });
  }

  it("at the end of the file is on the line break there, however that is written", () => {
    const end = (text: string) => parseSpec("a", text).diagnostics[0]?.range;
    for (const newLine of ["\n", "\r\n", "\r"])
      expect(end(`b { k = 1${newLine}`)).toEqual({
        start: { line: 1, column: 10 },
        end: { line: 2, column: 1 },
      });
  });

  it("of a brace that is not closed names the brace", () => {
    const { diagnostics } = parseSpec("a", "a { k = 1 }\nb {\nc { }\n");
    expect(diagnostics.map((d) => d.message)).toEqual([
      "expected a key or '}', found the end of the file",
    ]);
    expect(diagnostics[0]?.related?.[0]?.range.start).toEqual({ line: 2, column: 3 });
  });
});

describe("the limits", () => {
  it("are on nesting, at the brace that goes too deep", () => {
    const { diagnostics } = parseSpec("a", `${"a {".repeat(32)}\n[`);
    expect(diagnostics.map((d) => [d.code, d.range.start])).toEqual([
      ["nesting-too-deep", { line: 2, column: 1 }],
    ]);
    expect(parseSpec("a", `${"a {".repeat(32)}${"}".repeat(32)}`).diagnostics).toEqual([]);
  });

  it("are on size", () => {
    const full = `# ${"x".repeat(256 * 1024 - 2)}`;
    expect(parseSpec("a", full).diagnostics).toEqual([]);
    expect(parseSpec("a", `${full}x`).diagnostics.map((d) => d.code)).toEqual(["file-too-large"]);
  });

  it("keep the stack on thousands of members in one block", () => {
    expect(() => parseSpec("a", `b { ${"k = 1 ".repeat(40_000)}}`)).not.toThrow();
  });
});

describe("the grammar", () => {
  it("is written from the parser's own rules", () => {
    const grammar = grammarEbnf();
    expect(grammar).toContain("member        = ( import | constant | block | entry ) ;");
    expect(grammar).toContain('body          = "{", { member }, "}" ;');
    const defined = new Set([...grammar.matchAll(/^(\w+) +=/gm)].map(([, name]) => name));
    const code = grammar.replace(/\(\*[\s\S]*?\*\)/g, "").replace(/"[^"]*"|'[^']*'/g, "");
    const used = new Set([...code.matchAll(/[A-Za-z]\w*/g)].map(([name]) => name));
    const letters = ["character", "digit", "letter", "hex"];
    expect([...used].filter((name) => !defined.has(name) && !letters.includes(name))).toEqual([]);
  });
});

describe("a slip of the pen", () => {
  const told = (text: string) =>
    parseSpec("a.skrull", `skrull 1\n${text}\n`).diagnostics.map(({ help, fix }) => [
      help,
      fix?.title,
    ]);

  it("is told with the advice that its fix follows", () => {
    expect(told('data { train: ["a"] }')).toEqual([["Write =.", "Write ="]]);
    expect(told("train { epochs = 2; }")).toEqual([
      ["Remove it: nothing stands between entries.", "Remove ;"],
    ]);
    expect(told("train { epochs = 2, steps = 3 }")).toEqual([
      ["Remove it: nothing stands between entries.", "Remove ,"],
    ]);
  });

  it("between digits is only mended where it parts thousands", () => {
    const help = "Write a fraction as 0.5, and thousands as 1_000.";
    expect(told("data { max_length = 32,768 }")[0]).toEqual([help, "Write 32_768"]);
    expect(told("train { clip_norm = 0,768 }")[0]).toEqual([help, undefined]);
    expect(told("train { clip_norm = 1,5 }")[0]).toEqual([help, undefined]);
    expect(told("train { clip_norm = 1,2345 }")[0]).toEqual([help, undefined]);
  });

  it("leaves a path without its quotes, which is told as a whole", () => {
    const help = "Put paths and names of models in double quotes.";
    for (const path of ["data/chat.jsonl", "../x.json", "/m/x.json", "~/x.json", "data/*.jsonl"])
      expect(told(`data { train = [${path}] }`)).toEqual([[help, `Write "${path}"`]]);
    expect(told("model Qwen/Qwen2.5-7B {}")).toEqual([[help, 'Write "Qwen/Qwen2.5-7B"']]);
  });

  it.each([
    "x/2.5",
    "x/y*2.5",
    "2*x/y",
    "x/y/2 # a.b",
    "2.5/x",
    "x / 2.5",
    "8K/1.5",
  ])("is none in the calculation %s", (value) => {
    expect(told(`let a = ${value}`)).toEqual([]);
  });
});
