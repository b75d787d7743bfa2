import { jsonText } from "../foundation/json.js";
import type { Host } from "../host/host.js";
import { type Saving, savings } from "../plan/cheaper.js";
import { tune } from "../plan/tune.js";
import { type OutputFormat, refuse, withDocument } from "./document.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { fitLine, hoursName } from "./plan-answers.js";
import { planReport } from "./plan-report.js";
import { savingLines } from "./savings.js";
import { type PlannedSpec, planFile, type SpecRequest } from "./spec-file.js";
import type { Terminal } from "./terminal.js";

export interface PlanOptions extends SpecRequest {
  readonly format: OutputFormat;
  /** Also say what would make it cheaper. */
  readonly advice?: boolean;
}

/** `skrull plan SPEC`: solves and explains, writes nothing. */
export async function planCommand(
  host: Host,
  terminal: Terminal,
  options: PlanOptions,
): Promise<ExitCode> {
  const { format } = options;
  return withDocument(terminal, format, async () => {
    const { result: planned, fit, told } = await planFile(host, terminal, options);
    if (!planned) {
      refuse(terminal, format, told, undefined, fit && { fit });
      if (format === "pretty" && fit?.fits === false) terminal.out(`${fitLine(fit)}\n`);
      return EXIT.findings;
    }
    const { plan } = planned;
    const advice = options.advice ? adviceOf(planned) : undefined;
    if (format === "json")
      terminal.out(jsonText({ ...plan, ...(advice && { advice }), ...checkOf(planned), ...told }));
    else terminal.out(planReport(plan) + (advice ? adviceText(planned, advice) : ""));
    return EXIT.clean;
  });
}

/** Not in the plan itself, which is a part of what compile writes: the same spec gives the same bytes everywhere. */
const checkOf = ({ inputs }: PlannedSpec) => ({ model_check: inputs.modelCheck });

const adviceOf = ({ spec, origins, planInputs }: PlannedSpec): readonly Saving[] =>
  savings(tune(spec, origins, planInputs));

const adviceText = ({ plan }: PlannedSpec, advice: readonly Saving[]): string => {
  const hours = hoursName(plan.topology.device === "cuda");
  return `\n${savingLines(advice, hours).join("\n")}\n`;
};
