import type { Diagnostic, Related } from "../diagnostics/diagnostic.js";
import type { Origins } from "./report.js";

/** What was found in one run of a file, told before or not. */
export interface RunFindings {
  /** Absent for a file that is one spec. */
  readonly name?: string | undefined;
  readonly origins: Origins;
  readonly diagnostics: readonly Diagnostic[];
}

/** Of the runs that a finding is about; the rest are counted. */
const MOST_NAMED = 8;

/** Says of a finding which runs it is about, where another run reads the same place and is well with it. */
export function runNamer(runs: readonly RunFindings[]): (found: Diagnostic) => Diagnostic {
  const keyOf = keys();
  const runsWith = new Map<string, Set<RunFindings>>();
  for (const run of runs) {
    for (const found of run.diagnostics) {
      const key = keyOf(found);
      const known = runsWith.get(key);
      if (known) known.add(run);
      else runsWith.set(key, new Set([run]));
    }
  }
  return (found) => {
    const about = runsWith.get(keyOf(found));
    const isWell = (run: RunFindings) => !about?.has(run) && run.origins.uses(found);
    if (!about || about.size === runs.length || !runs.some(isWell)) return found;
    return { ...found, related: [...(found.related ?? []), ...named([...about])] };
  };
}

function named(runs: readonly RunFindings[]): readonly Related[] {
  const rest = runs.length - MOST_NAMED;
  return runs.slice(0, MOST_NAMED).flatMap(({ name, origins }, n) => {
    const more = rest > 0 && n === MOST_NAMED - 1 ? ` and in ${rest} more` : "";
    const message = `found in the run '${name}'${more}`;
    return name === undefined ? [] : [{ message, ...origins.start }];
  });
}

/** What is the same of a mistake that is met twice. Runs that share a block share its findings themselves. */
function keys(): (found: Diagnostic) => string {
  const known = new Map<Diagnostic, string>();
  return (found) => {
    const key = known.get(found) ?? JSON.stringify(found);
    known.set(found, key);
    return key;
  };
}
