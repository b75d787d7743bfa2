import type { jsonDiagnostics } from "../diagnostics/format-json.js";
import { jsonText } from "../foundation/json.js";
import { printable } from "../foundation/printable.js";
import { HostError } from "../host/host.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import type { Terminal } from "./terminal.js";

export type OutputFormat = "pretty" | "json";

/** What was found in a spec, as JSON documents hold it. */
export type Told = ReturnType<typeof jsonDiagnostics>;

const NOTHING_TOLD: Told = { diagnostics: [], summary: { errors: 0, warnings: 0 } };

/** Why a verb has no result; with its first error, unless it says more than the diagnostics do. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/**
 * Writes the document of a verb that refuses; for people, diagnostics have said it already.
 *
 * @param known what is known all the same
 */
export function refuse(
  terminal: Terminal,
  format: OutputFormat,
  told: Told = NOTHING_TOLD,
  error: Refusal = firstError(told),
  known: Readonly<Record<string, unknown>> = {},
): void {
  if (format === "json") terminal.out(jsonText({ format_version: 1, error, ...known, ...told }));
}

function firstError({ diagnostics }: Told): Refusal {
  const first = diagnostics.find(({ severity }) => severity === "error");
  return { code: first?.code ?? "unknown", message: first?.message ?? "nothing was found" };
}

/** Runs a verb; a file that cannot be read is told in a document too, where one was asked for. */
export async function withDocument(
  terminal: Terminal,
  format: OutputFormat,
  verb: () => Promise<ExitCode>,
): Promise<ExitCode> {
  try {
    return await verb();
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    terminal.remark(`error: ${printable(error.message)}\n`);
    refuse(terminal, format, NOTHING_TOLD, { code: "unreadable-file", message: error.message });
    return EXIT.couldNotRun;
  }
}
