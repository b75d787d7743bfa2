import type { DiagnosticCode } from "../diagnostics/catalogue.js";
import type { Diagnostic, Place } from "../diagnostics/diagnostic.js";
import { type RunFindings, runNamer } from "../semantics/name-runs.js";

/** Rules that say of a value that it does nothing: one run in which it does is enough for it to stand there. */
const OF_EVERY_RUN: readonly DiagnosticCode[] = ["key-without-effect", "interval-beyond-run"];

/** What is left to say of a file whose runs share values: no fix of one run is safe where another is well with it. */
export function acrossRuns(runs: readonly RunFindings[]): readonly Diagnostic[] {
  const named = runNamer(runs);
  return runs.flatMap(({ diagnostics }) =>
    diagnostics.flatMap((found) => {
      const wanted = runs.some(
        (run) => run.origins.uses(found) && !run.diagnostics.some(isAs(found)),
      );
      if (!wanted) return [named(found)];
      if (OF_EVERY_RUN.includes(found.code)) return [];
      const { fix } = found;
      return [fix ? { ...named(found), fix: { ...fix, safe: false } } : named(found)];
    }),
  );
}

const isAs = (one: Diagnostic) => (other: Diagnostic) =>
  one.code === other.code && isSamePlace(one, other);

const isSamePlace = (a: Place, b: Place): boolean =>
  a.file === b.file && JSON.stringify(a.range) === JSON.stringify(b.range);
