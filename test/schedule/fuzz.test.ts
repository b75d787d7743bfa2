import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { fuzzDocument, outcomeOf } from "./fuzz-problem.js";

// A million of them: npm run test:long -- schedules
const COUNT = 6000;
/** Of one problem: any has few sequences and few moves. */
const SLOWEST_MS = 5000;

it(`${COUNT} problems, tight and mutated, are scheduled soundly or refused with a code`, () => {
  const outcomes = new Map<string, number>();
  for (let n = 0; n < COUNT; n += 1) {
    const started = performance.now();
    let outcome: string;
    try {
      outcome = outcomeOf(fuzzDocument(2026, n));
    } catch (error) {
      throw new Error(`problem ${n}: ${String(error)}`, { cause: error });
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    expect(performance.now() - started, `problem ${n} takes long`).toBeLessThan(SLOWEST_MS);
  }
  // All kinds of answers were met, or the problems are not what they are meant to be.
  expect([...outcomes.keys()].sort()).toEqual(
    [
      ...["degree-unavailable", "invalid-problem", "policy-gave-up"],
      ...["schedule", "sequence-too-long"],
    ].sort(),
  );
  expect(outcomes.get("schedule")).toBeGreaterThan(COUNT / 3);
  expect(outcomes.get("invalid-problem")).toBeGreaterThan(COUNT / 5);
}, 120_000);

it("keeps a cell as another policy found it where the search would not place it again", () => {
  const path = fileURLToPath(new URL("../vectors/tight-pool.json", import.meta.url));
  expect(outcomeOf(JSON.parse(readFileSync(path, "utf8")))).toBe("schedule");
});
