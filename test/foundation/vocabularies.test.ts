import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import * as generated from "../../src/foundation/vocabularies.generated.js";

const { vocabularies } = JSON.parse(
  readFileSync(new URL("../../contract/vocabularies.json", import.meta.url), "utf8"),
) as { vocabularies: Record<string, { words: string[] }> };

it("every vocabulary of the contract is a list of the compiler", () => {
  const lists = Object.values(generated).map((words) => words.join());
  const expected = Object.values(vocabularies).map(({ words }) => words.join());
  expect(lists.toSorted()).toEqual(expected.toSorted());
});
