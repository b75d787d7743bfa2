import { jsonText } from "../foundation/json.js";
import type { Host } from "../host/host.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { planReport } from "./plan-report.js";
import { planFile, type SpecRequest } from "./spec-file.js";
import type { Terminal } from "./terminal.js";

/** `skrull plan SPEC`: solves and explains, writes nothing. @throws HostError */
export async function planCommand(
  host: Host,
  terminal: Terminal,
  options: SpecRequest & { readonly format: "pretty" | "json" },
): Promise<ExitCode> {
  const planned = await planFile(host, terminal, options);
  if (!planned) return EXIT.findings;
  terminal.out(options.format === "json" ? jsonText(planned.plan) : planReport(planned.plan));
  return EXIT.clean;
}
