import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { beforeAll, describe, expect, it } from "vitest";
import oniguruma from "vscode-oniguruma";
import textmate, { type IGrammar } from "vscode-textmate";
import { expandGlob } from "../../src/host/files.js";
import { NodeHost } from "../../src/host/node-host.js";
import { ROOT } from "../cli/run.js";

const GRAMMAR = `${ROOT}editors/vscode/syntaxes/skrull.tmLanguage.json`;

let grammar: IGrammar;

beforeAll(async () => {
  const wasm = createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm");
  await oniguruma.loadWASM(readFileSync(wasm));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(readFileSync(GRAMMAR, "utf8"), GRAMMAR),
  });
  grammar = (await registry.loadGrammar("source.skrull")) as IGrammar;
});

/** Every piece of a text that is not white space, with its innermost scope. */
function scopes(text: string): readonly (readonly [string, string])[] {
  let stack = textmate.INITIAL;
  return text.split(/\r?\n/).flatMap((line) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
    stack = ruleStack;
    return tokens.flatMap(({ startIndex, endIndex, scopes: all }) => {
      const piece = line.slice(startIndex, endIndex);
      const scope = all.at(-1)?.replace(/\.skrull$/, "") ?? "";
      return piece.trim() === "" ? [] : [[piece.trim(), scope] as const];
    });
  });
}

const KEY = "variable.other.property";
const EQUALS = ["=", "keyword.operator.assignment"] as const;
const BRACES = "punctuation.section.braces";
const BLOCK = "storage.type.block";
const NUMBER = "constant.numeric";
const UNIT = "keyword.other.unit";
const STRING = "string.quoted.double";

describe("the TextMate grammar", () => {
  it("tells comments, keywords, strings, numbers and units apart", () => {
    expect(scopes("skrull 1 # the version\n// next")).toEqual([
      ["skrull", "keyword.control.version"],
      ["1", NUMBER],
      ["# the version", "comment.line.number-sign"],
      ["// next", "comment.line.double-slash"],
    ]);
    expect(scopes('model "Qwen/Qwen2.5-0.5B" { revision = "a\\n\\q" }')).toEqual([
      ["model", BLOCK],
      ['"Qwen/Qwen2.5-0.5B"', STRING],
      ["{", BRACES],
      ["revision", KEY],
      EQUALS,
      ['"', STRING],
      ["a", STRING],
      ["\\n", "constant.character.escape"],
      ["\\q", "invalid.illegal.escape"],
      ['"', STRING],
      ["}", BRACES],
    ]);
    expect(scopes("memory { budget = 76 GiB reserve = 1_024MiB bucket = 1.5e2K }")).toEqual([
      ["memory", BLOCK],
      ["{", BRACES],
      ["budget", KEY],
      EQUALS,
      ["76", NUMBER],
      ["GiB", UNIT],
      ["reserve", KEY],
      EQUALS,
      ["1_024", NUMBER],
      ["MiB", UNIT],
      ["bucket", KEY],
      EQUALS,
      ["1.5e2", NUMBER],
      ["K", UNIT],
      ["}", BRACES],
    ]);
  });

  it("takes a word after a number for a key where one begins", () => {
    expect(scopes("nodes = 4 gpus = 8 M = 2 GB/s")).toEqual([
      ...[["nodes", KEY], EQUALS, ["4", NUMBER]],
      ...[["gpus", KEY], EQUALS, ["8", NUMBER]],
      ...[["M", KEY], EQUALS, ["2", NUMBER], ["GB/s", UNIT]],
    ]);
  });

  it("knows the words of the language, whole", () => {
    const words = "degrees = powers-of-two export = true context = auto gpu = auto-matic";
    expect(scopes(words)).toEqual([
      ...[["degrees", KEY], EQUALS, ["powers-of-two", "support.constant"]],
      ...[["export", KEY], EQUALS, ["true", "constant.language"]],
      ...[["context", KEY], EQUALS, ["auto", "constant.language"]],
      ...[["gpu", KEY], EQUALS, ["auto-matic", "variable.other"]],
    ]);
    expect(scopes("optimizer = adamw { lr = 1e-5 }").slice(2)).toEqual([
      ["adamw", "support.constant"],
      ["{", BRACES],
      ["lr", KEY],
      EQUALS,
      ["1e-5", NUMBER],
      ["}", BRACES],
    ]);
  });

  it("knows imports, constants, named blocks and runs", () => {
    expect(scopes('import "clusters/h100.skrull"')).toEqual([
      ["import", "keyword.control.import"],
      ['"', STRING],
      ["clusters/h100.skrull", STRING],
      ['"', STRING],
    ]);
    expect(scopes("let steps = (2 * 500) - x")).toEqual([
      ["let", "storage.type.constant"],
      ["steps", "variable.other.constant"],
      EQUALS,
      ["(", "punctuation.section.brackets"],
      ["2", NUMBER],
      ["*", "keyword.operator.arithmetic"],
      ["500", NUMBER],
      [")", "punctuation.section.brackets"],
      ["-", "keyword.operator.arithmetic"],
      ["x", "variable.other"],
    ]);
    expect(scopes("cluster big extends h100x32 { nodes = 8 }").slice(0, 5)).toEqual([
      ["cluster", BLOCK],
      ["big", "entity.name.type"],
      ["extends", "keyword.other.extends"],
      ["h100x32", "entity.other.inherited-class"],
      ["{", BRACES],
    ]);
    expect(scopes('model qwen "Qwen/Qwen2.5-0.5B" extends base {').slice(0, 5)).toEqual([
      ["model", BLOCK],
      ["qwen", "entity.name.type"],
      ['"Qwen/Qwen2.5-0.5B"', STRING],
      ["extends", "keyword.other.extends"],
      ["base", "entity.other.inherited-class"],
    ]);
    expect(scopes("run long extends short { cluster = big }")).toEqual([
      ["run", "storage.type.run"],
      ["long", "entity.name.type"],
      ["extends", "keyword.other.extends"],
      ["short", "entity.other.inherited-class"],
      ["{", BRACES],
      ["cluster", KEY],
      EQUALS,
      ["big", "variable.other"],
      ["}", BRACES],
    ]);
  });

  it("ends a string with its line", () => {
    expect(scopes('path = "open\nnodes = 4').slice(-3)).toEqual([
      ["nodes", KEY],
      EQUALS,
      ["4", NUMBER],
    ]);
  });

  const examples = expandGlob(new NodeHost(ROOT), ROOT, "examples/**/*.skrull");

  it.each(examples)("leaves nothing of %s without a scope", (path) => {
    const found = scopes(readFileSync(`${ROOT}${path}`, "utf8"));
    expect(found.filter(([, scope]) => scope === "source")).toEqual([]);
    expect(found.filter(([, scope]) => scope.startsWith("invalid"))).toEqual([]);
    const kinds = new Set(found.map(([, scope]) => scope));
    for (const kind of ["comment.line.number-sign", BLOCK, KEY, NUMBER])
      expect(kinds).toContain(kind);
  });
});
