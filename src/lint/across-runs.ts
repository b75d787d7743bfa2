import type { Diagnostic, Place } from "../diagnostics/diagnostic.js";
import { type RunFindings, runNamer } from "../semantics/name-runs.js";
import { RULES } from "./rules/index.generated.js";

const OF_EVERY_RUN = new Set(RULES.filter(({ ofEveryRun }) => ofEveryRun).map(({ code }) => code));

/** What is left to say of a file whose runs share values: no fix of one run is safe where another is well with it. */
export function acrossRuns(runs: readonly RunFindings[]): readonly Diagnostic[] {
  const named = runNamer(runs);
  return runs.flatMap(({ diagnostics }) =>
    diagnostics.flatMap((found) => {
      const wanted = runs.some(
        (run) => run.origins.uses(found) && !run.diagnostics.some(isAs(found)),
      );
      if (!wanted) return [named(found)];
      if (OF_EVERY_RUN.has(found.code)) return [];
      const { fix } = found;
      return [fix ? { ...named(found), fix: { ...fix, safe: false } } : named(found)];
    }),
  );
}

const isAs = (one: Diagnostic) => (other: Diagnostic) =>
  one.code === other.code && isSamePlace(one, other);

const isSamePlace = (a: Place, b: Place): boolean =>
  a.file === b.file && JSON.stringify(a.range) === JSON.stringify(b.range);
