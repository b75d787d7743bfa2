import { type Diagnostic, withoutRepeats } from "../diagnostics/diagnostic.js";
import type { Linter } from "../lint/linter.js";
import tokenizerWithoutMeaning from "../lint/rules/model/tokenizer-without-meaning.rule.js";
import secretInSpec from "../lint/rules/text/secret-in-spec.rule.js";
import { withoutSuppressed } from "../lint/suppressions.js";
import type { Analysis, RunAnalysis } from "../semantics/analyze.js";

/**
 * What is to be told of a run besides what was found: whoever plans or compiles it hears the rules' warnings, and is
 * stopped by their errors, as in lint. What the rules judged too is theirs to warn of; errors stay what they are.
 *
 * @throws HostError
 */
export async function withRuleFindings(
  linter: Linter,
  analysis: Analysis,
  run: RunAnalysis,
  found: readonly Diagnostic[],
): Promise<readonly Diagnostic[]> {
  const { diagnostics, judged } = await linter.ofRun(analysis, run);
  const own = found.filter(({ code, severity }) => severity !== "warning" || !judged.has(code));
  const kept = await withoutSuppressed(analysis.documents, own);
  const codes = new Set(kept.map(({ code }) => code));
  const ruled = [...diagnostics.map(secretsWarned), ...placeholders(analysis, run)];
  const added = ruled.filter(({ code, severity }) => severity !== "info" && !codes.has(code));
  return withoutRepeats([...kept, ...linter.diagnostics, ...added]);
}

/** What looks like a credential goes into plans and runs as it is: whoever makes them is told, and not stopped. */
const secretsWarned = (found: Diagnostic): Diagnostic =>
  found.code === secretInSpec.code ? { ...found, severity: "warning" } : found;

/** Whoever suppressed it in a starter may have forgotten it: a whole run on the wrong tokens is too dear. */
function placeholders(analysis: Analysis, { spec, origins }: RunAnalysis): readonly Diagnostic[] {
  const { file, text, documents } = analysis;
  return spec ? tokenizerWithoutMeaning.run({ file, text, documents, spec, origins }, {}) : [];
}
