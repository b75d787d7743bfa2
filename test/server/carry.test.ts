import { expect, it } from "vitest";
import { type Diagnostic, diagnostic } from "../../src/diagnostics/diagnostic.js";
import { LineMap } from "../../src/foundation/text.js";
import { carriedOver } from "../../src/server/carry.js";

const TEXT = "one\ntwo\nthree\nfour\n";
const place = (word: string) => {
  const at = TEXT.indexOf(word);
  return { file: "a", range: new LineMap(TEXT).range(at, at + word.length) };
};
const found = (word: string, extra = {}): Diagnostic =>
  diagnostic("invalid-yaml", { problem: word }, place(word), extra);

const carried = (one: Diagnostic, after: string) => carriedOver([one], TEXT, after)[0];

it("carries a finding with its fix, while nothing of it has moved", () => {
  const edits = [{ range: place("two").range, new_text: "2" }];
  const one = found("one", { fix: { title: "t", safe: true, edits } });
  expect(carried(one, TEXT.replace("three", "3"))).toEqual(one);
});

it("carries it without a fix and related places that stand further down", () => {
  const edits = [{ range: place("four").range, new_text: "4" }];
  const fixed = found("one", { fix: { title: "t", safe: true, edits } });
  const after = TEXT.replace("three", "3\n3");
  expect(carried(fixed, after)).toEqual(found("one"));
  const related = [{ message: "there", ...place("four") }];
  expect(carried(found("one", { related }), after)).toEqual(found("one"));
  const elsewhere = [{ message: "there", ...place("four"), file: "b" }];
  expect(carried(found("one", { related: elsewhere }), after)?.related).toEqual(elsewhere);
});

it("moves what stands below the change, and drops what stands in it", () => {
  const after = TEXT.replace("two", "2\n2");
  expect(carried(found("four"), after)?.range.start).toEqual({ line: 5, column: 1 });
  expect(carried(found("two"), after)).toBeUndefined();
});
