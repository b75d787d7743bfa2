import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatSpec } from "../../src/format/format.js";
import { concreteSyntax } from "../../src/syntax/concrete.js";
import { parseSpec } from "../../src/syntax/parse.js";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const SPECS = readdirSync(EXAMPLES, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".skrull"))
  .map((file) => readFileSync(join(EXAMPLES, file), "utf8"));

/** The tree without positions. */
const meaning = (text: string): unknown =>
  JSON.parse(
    JSON.stringify(parseSpec("", text).tree, (key, value) =>
      key === "start" || key === "end" ? undefined : value,
    ),
  );

const comments = (text: string): readonly string[] =>
  concreteSyntax(text)
    .tokens.filter(({ kind }) => kind === "comment")
    .map((token) => token.text.replace(/[ \t]+$/, ""))
    .sort();

const tokens = (text: string): readonly string[] =>
  concreteSyntax(text)
    .tokens.filter(({ kind, text }) => kind !== "comment" && text !== ",")
    .map((token) => token.text);

/** Holds for every text: no exception, and what parses keeps its meaning and comments and is formatted once. */
function holds(text: string): boolean {
  const result = formatSpec(text);
  if (!("text" in result)) return false;
  expect(formatSpec(result.text)).toEqual(result);
  expect(meaning(result.text)).toEqual(meaning(text));
  expect(comments(result.text)).toEqual(comments(text));
  expect(tokens(result.text)).toEqual(tokens(text));
  expect(result.text).not.toMatch(/[ \t\r]\n|\n\n\n|^\n|\uFEFF|[^\n]$/);
  return true;
}

const name = fc.constantFrom("a", "gpus", "max_length", "powers-of-two", "K", "skrull");
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
const word = (text: string) => fc.constant(text);

/** Specs of every shape as their tokens. */
const { file } = fc.letrec<{
  value: Pieces;
  entry: Pieces;
  block: Pieces;
  body: Pieces;
  file: Pieces;
}>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    pieces(fc.oneof(name, text, amount)),
    pieces(word("["), many(pieces(tie("value"), word(","))), word("]")),
    pieces(word("["), tie("value"), word("]")),
    pieces(name, tie("body")),
  ),
  entry: pieces(name, word("="), tie("value")),
  block: fc.oneof(pieces(name, tie("body")), pieces(name, text, tie("body"))),
  body: pieces(word("{"), many(fc.oneof(tie("entry"), tie("block"))), word("}")),
  file: pieces(
    fc.constantFrom<Pieces>([], ["skrull", "1"]),
    many(fc.oneof(tie("entry"), tie("block"))),
  ),
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
      { numRuns: 1500 },
    );
    expect(formatted).toBeGreaterThan(1000);
  });

  it("holds on random sequences of tokens", () => {
    const token = fc.oneof(
      ...[name, text, amount, comment, space],
      fc.constantFrom(...'{}[]=,+-*/()"\\\u0000é', "import", "let", "run", "extends"),
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 25 }), (all) => void holds(all.join(" "))),
      { numRuns: 3000 },
    );
  });

  it("holds on any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (source) => void holds(source)),
      { numRuns: 1000 },
    );
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
      for (const { start } of concreteSyntax(spec).tokens) {
        for (const added of ["# put\n", "\n// put\n", "\n\n# put\n\n"]) {
          expect(holds(spec.slice(0, start) + added + spec.slice(start))).toBe(true);
        }
      }
    }
  });

  it("holds on every example on one line, and with a line for each token", () => {
    for (const spec of SPECS) {
      const all = tokensOnly(spec);
      expect(holds(all.join(" "))).toBe(true);
      expect(holds(all.join("\n"))).toBe(true);
    }
  });
});

const tokensOnly = (text: string): readonly string[] =>
  concreteSyntax(text)
    .tokens.filter(({ kind }) => kind !== "comment")
    .map((token) => token.text);
