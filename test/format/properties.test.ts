import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatSpec } from "../../src/format/format.js";
import { concreteSyntax, type SourceToken } from "../../src/syntax/concrete.js";
import { parseSpec } from "../../src/syntax/parse.js";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const SPECS = readdirSync(EXAMPLES, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".skrull"))
  .map((file) => readFileSync(join(EXAMPLES, file), "utf8"));

/** The tree without positions, as text: quick to compare. */
const meaning = (text: string): string =>
  JSON.stringify(parseSpec("", text).tree, (key, value) =>
    key === "start" || key === "end" ? undefined : value,
  );

const comments = (text: string): string =>
  concreteSyntax(text)
    .tokens.filter(({ kind }) => kind === "comment")
    .map((token) => token.text.replace(/[ \t]+$/, ""))
    .sort()
    .join("\n");

const tokens = (text: string): string =>
  concreteSyntax(text)
    .tokens.filter(({ kind, text }) => kind !== "comment" && text !== ",")
    .map((token) => token.text)
    .join("\n");

/** Holds for every text: no exception, and what parses keeps its meaning and comments and is formatted once. */
function holds(text: string): boolean {
  const result = formatSpec(text);
  if (!("text" in result)) return false;
  expect(formatSpec(result.text)).toEqual(result);
  expect(meaning(result.text)).toBe(meaning(text));
  expect(comments(result.text)).toBe(comments(text));
  expect(tokens(result.text)).toBe(tokens(text));
  expect(result.text).not.toMatch(/[ \t\r]\n|\n\n\n|^\n|\uFEFF|[^\n]$/);
  return true;
}

const name = fc.constantFrom(
  "a",
  "gpus",
  "max_length",
  "powers-of-two",
  "K",
  "run",
  "let",
  "import",
);
const text = fc.constantFrom('""', '"x"', '"a # { [ , = \\" // b"', `"${"long ".repeat(12)}"`);
const amount = fc.constantFrom("1", "1e-5", "8K", "8 K", "3GiB", "3 GiB", "400 Gbit/s", "1_000");
const space = fc.constantFrom(" ", " ", " ", "  ", "\t", "\n", "\n\n", "\r\n", "\n\n\n\n");
const comment = fc.constantFrom(
  "# c\n",
  "// d \t\r\n",
  "#\n",
  "#{[\r",
  `# ${"wide ".repeat(25)}\n`,
);
const gap = fc.oneof({ weight: 9, arbitrary: space }, { weight: 1, arbitrary: comment });

type Pieces = readonly string[];
const pieces = (...parts: readonly fc.Arbitrary<string | Pieces>[]): fc.Arbitrary<Pieces> =>
  fc.tuple(...parts).map((all) => all.flat());
const many = (part: fc.Arbitrary<Pieces>): fc.Arbitrary<Pieces> =>
  fc.array(part, { maxLength: 4 }).map((all) => all.flat());
const word = <T extends string | Pieces>(text: T): fc.Arbitrary<string | Pieces> =>
  fc.constant(text);
const maybe = (...parts: readonly fc.Arbitrary<string | Pieces>[]) =>
  fc.oneof(word([]), pieces(...parts));

type Rules = {
  value: Pieces;
  sum: Pieces;
  entry: Pieces;
  member: Pieces;
  body: Pieces;
  file: Pieces;
};

/** Specs of every shape as their tokens. */
const { file } = fc.letrec<Rules>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    pieces(fc.oneof(name, text, amount)),
    tie("sum"),
    pieces(word("["), many(pieces(tie("value"), word(","))), word("]")),
    pieces(word("["), tie("value"), word("]")),
    pieces(name, tie("body")),
  ),
  sum: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    pieces(fc.oneof(name, amount)),
    pieces(fc.constantFrom("-", "+"), tie("sum")),
    pieces(word("("), tie("sum"), word(")")),
    pieces(tie("sum"), fc.constantFrom("+", "-", "*", "/"), tie("sum")),
  ),
  entry: pieces(maybe(word("let")), name, word("="), tie("value")),
  member: fc.oneof(
    tie("entry"),
    pieces(word("import"), text),
    pieces(name, maybe(name), maybe(text), maybe(word("extends"), name), tie("body")),
  ),
  body: pieces(word("{"), many(tie("member")), word("}")),
  file: pieces(fc.constantFrom<Pieces>([], ["skrull", "1"]), many(tie("member"))),
}));

const spaced = (all: fc.Arbitrary<Pieces>): fc.Arbitrary<string> =>
  all.chain((parts) =>
    fc
      .array(gap, { minLength: parts.length + 1, maxLength: parts.length + 1 })
      .map((gaps) => parts.map((part, n) => gaps[n] + part).join("") + gaps.at(-1)),
  );

describe("formatting", () => {
  it("keeps meaning and comments of random specs, and has nothing to do the second time", () => {
    let formatted = 0;
    fc.assert(
      fc.property(spaced(file), (source) => {
        if (holds(source)) formatted += 1;
      }),
      { numRuns: 300 },
    );
    expect(formatted).toBeGreaterThan(200);
  });

  it("holds on random sequences of tokens", () => {
    const token = fc.oneof(
      ...[name, text, amount, comment, space],
      fc.constantFrom(...'{}[]=,+-*/()"\\\u0000é', "import", "let", "run", "extends"),
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 25 }), (all) => void holds(all.join(" "))),
      { numRuns: 2000 },
    );
  });

  it("holds on any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (source) => void holds(source)),
      { numRuns: 1000 },
    );
  });

  it("holds on long and deep text", () => {
    expect(holds(`a = [${"1,".repeat(12_000)}]`)).toBe(true);
    expect(holds("a = 1 # b\n".repeat(5_000))).toBe(true);
    expect(holds(`${"a {\n".repeat(30)}b = 1${"}".repeat(30)}`)).toBe(true);
    expect(holds("a {".repeat(100_000))).toBe(false);
  });

  it("holds on every example cut at every token", () => {
    for (const spec of SPECS) {
      for (const { start, end } of concreteSyntax(spec).tokens) {
        holds(spec.slice(0, end));
        holds(spec.slice(start));
        holds(spec.slice(0, start) + spec.slice(end));
      }
    }
  });

  it("keeps a comment wherever one is put into an example", () => {
    for (const spec of SPECS) {
      for (const [token] of withUnits(spec)) {
        const start = token?.start ?? 0;
        for (const added of ["# put\n", "\n// put\n", "\n\n# put\n\n"]) {
          expect(holds(spec.slice(0, start) + added + spec.slice(start))).toBe(true);
        }
      }
    }
  });

  it("holds on every example on one line, and with a line for each token", () => {
    for (const spec of SPECS) {
      const all = withUnits(spec).map((parts) => parts.map((token) => token.text).join(" "));
      expect(holds(all.join(" "))).toBe(true);
      expect(holds(all.join("\n"))).toBe(true);
    }
  });
});

/** Tokens other than comments, each number together with its unit: they may not stand on two lines. */
function withUnits(text: string): readonly (readonly SourceToken[])[] {
  const { tokens, statements } = concreteSyntax(text);
  const found: SourceToken[][] = [];
  for (const token of tokens.filter(({ kind }) => kind !== "comment")) {
    const isUnit = /^[A-Za-z]/.test(token.text) && !statements.has(token.start);
    if (isUnit && found.at(-1)?.[0]?.kind === "number") found.at(-1)?.push(token);
    else found.push([token]);
  }
  return found;
}
