import { jsonText } from "../foundation/json.js";
import type { Host } from "../host/host.js";
import { type OutputFormat, refuse, withDocument } from "./document.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { planReport } from "./plan-report.js";
import { planFile, type SpecRequest } from "./spec-file.js";
import type { Terminal } from "./terminal.js";

/** `skrull plan SPEC`: solves and explains, writes nothing. */
export async function planCommand(
  host: Host,
  terminal: Terminal,
  options: SpecRequest & { readonly format: OutputFormat },
): Promise<ExitCode> {
  const { format } = options;
  return withDocument(terminal, format, async () => {
    const { result: planned, told } = await planFile(host, terminal, options);
    if (!planned) {
      refuse(terminal, format, told);
      return EXIT.findings;
    }
    const { plan } = planned;
    terminal.out(format === "json" ? jsonText({ ...plan, ...told }) : planReport(plan));
    return EXIT.clean;
  });
}
