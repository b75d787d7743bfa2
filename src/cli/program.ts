import { Command, CommanderError } from "commander";
import { EngineError } from "../engine/engine.js";
import { printable } from "../foundation/printable.js";
import { readText } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import { NodeHost } from "../host/node-host.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { processTerminal, type Terminal } from "./terminal.js";

/** What verbs are added to. */
export interface Program {
  readonly program: Command;
  readonly host: Host;
  readonly terminal: Terminal;
  readonly version: string;
  /** The command has run; the process ends with this when nothing is left to do. */
  readonly end: (code: ExitCode) => void;
}

/** Runs the verb that the process's arguments name. Never throws. */
export async function runProgram(addVerbs: (program: Program) => void): Promise<void> {
  const host = new NodeHost();
  const terminal = processTerminal(process.stdout, process.stderr, process.env);
  const { version } = JSON.parse(readText(host, host.assetPath("package.json"))) as {
    version: string;
  };
  const program = new Command("skrull")
    .description("Compiler for long-context fine-tuning on DeepSpeed.")
    .version(version)
    .showHelpAfterError("(see --help)")
    .exitOverride();
  const end = (code: ExitCode) => {
    process.exitCode = code;
  };
  addVerbs({ program, host, terminal, version, end });
  leaveQuietly();
  try {
    await program.parseAsync();
  } catch (error) {
    const code = explain(error, terminal);
    if (code !== EXIT.clean) end(code);
  }
}

/** A reader that has seen enough (`| head`) closes the pipe: no reason for a stack trace. */
function leaveQuietly(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.clean);
    throw error;
  });
}

function explain(error: unknown, terminal: Terminal): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.clean : EXIT.couldNotRun;
  if (error instanceof HostError) {
    terminal.remark(`error: ${printable(error.message)}\n`);
    return EXIT.couldNotRun;
  }
  if (error instanceof EngineError) {
    const help = error.help === undefined ? "" : `help: ${printable(error.help)}\n`;
    terminal.remark(`error: ${printable(error.message)}\n${help}`);
    return error.kind === "user" ? EXIT.findings : EXIT.couldNotRun;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  terminal.remark(
    `internal error: this is a bug in skrull, not in your input; please report it.\n${detail}\n`,
  );
  return EXIT.couldNotRun;
}
