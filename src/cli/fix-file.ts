import { resolve } from "pathe";
import { applyFixes, chooseFixes, type FixOptions } from "../diagnostics/fixes.js";
import type { Host } from "../host/host.js";
import type { Analysis } from "../semantics/analyze.js";

/** One fix can make another possible; more rounds than any spec needs mean that two undo each other. */
const MOST_ROUNDS = 10;

/**
 * Applies the fixes of a spec until none is left, and writes it if any was.
 *
 * @param again looks at the text after fixes as `analysis` looked at the file
 * @throws HostError
 */
export async function fixFile(
  host: Host,
  path: string,
  analysis: Analysis,
  options: FixOptions,
  again: (text: string) => Promise<Analysis>,
): Promise<{ readonly analysis: Analysis; readonly fixed: number }> {
  let current = analysis;
  let fixed = 0;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const own = current.diagnostics.filter(({ file }) => file === current.file);
    const text = applyFixes(current.text, own, options);
    if (text === current.text) break;
    fixed += chooseFixes(own, options).length;
    current = await again(text);
  }
  if (fixed > 0) host.writeFile(resolve(host.workingFolder, path), current.text, { inPlace: true });
  return { analysis: current, fixed };
}
