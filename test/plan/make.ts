import { loadInputs } from "../../src/inputs/load-inputs.js";
import { makePlan } from "../../src/plan/make-plan.js";
import { analyze } from "../../src/semantics/analyze.js";
import { files } from "../cli/run.js";
import { diskHost } from "../disk-host.js";

const NOTHING = { plan: undefined, fit: undefined, inputs: undefined };

/** Plans the small spec of the command line's tests, with some blocks replaced, in this process. */
export async function planOf(
  parts: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, string>> = {},
) {
  const texts = { ...files(parts), ...more };
  const host = diskHost(texts);
  const { runs, diagnostics } = analyze("spec.skrull", texts["spec.skrull"] ?? "");
  const { spec, origins } = runs[0] ?? {};
  if (!spec || !origins) return { diagnostics, ...NOTHING };
  const loaded = await loadInputs(host, host.workingFolder, spec, origins);
  const found = [...diagnostics, ...loaded.diagnostics];
  if (!loaded.inputs) return { diagnostics: found, ...NOTHING };
  const { inputs } = loaded;
  const tokenizerSha256 = inputs.tokenizer.sha256;
  const result = makePlan(spec, origins, { ...inputs, tokenizerSha256, skrullVersion: "0" });
  const { plan, fit } = result;
  return { plan, fit, inputs, diagnostics: [...found, ...result.diagnostics] };
}

/** Codes of diagnostics that are no mere information. */
export const codes = ({ diagnostics }: Awaited<ReturnType<typeof planOf>>): readonly string[] =>
  diagnostics.filter(({ severity }) => severity !== "info").map(({ code }) => code);
