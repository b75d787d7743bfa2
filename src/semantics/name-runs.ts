import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { Origins } from "./report.js";

/** What was found in one run of a file, told before or not. */
export interface RunFindings {
  /** Absent for a file that is one spec. */
  readonly name?: string | undefined;
  readonly origins: Origins;
  readonly diagnostics: readonly Diagnostic[];
}

/** Says of a finding which runs it is about, where another run reads the same place and is well with it. */
export function runNamer(runs: readonly RunFindings[]): (found: Diagnostic) => Diagnostic {
  const keys = runs.map(({ diagnostics }) => new Set(diagnostics.map(keyOf)));
  return (found) => {
    const key = keyOf(found);
    const isAbout = (n: number) => keys[n]?.has(key) === true;
    if (!runs.some(({ origins }, n) => !isAbout(n) && origins.uses(found))) return found;
    const about = runs.flatMap(({ name, origins }, n) =>
      name !== undefined && isAbout(n)
        ? [{ message: `found in the run '${name}'`, ...origins.start }]
        : [],
    );
    if (about.length === 0) return found;
    return { ...found, related: [...(found.related ?? []), ...about] };
  };
}

const keyOf = (found: Diagnostic): string => JSON.stringify(found);
