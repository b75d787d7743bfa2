import type { Host, Program } from "../host/host.js";
import { findPython } from "./python.js";

/** Without the working folder among those that modules come from, where anybody may have put some. */
const SAFELY = "import sys; sys.path[:] = [p for p in sys.path if p]";

/** Of folders in PYTHONPATH. */
const SEPARATOR = ":";

/** The package may lie where nothing can be written. */
const QUIETLY = { PYTHONDONTWRITEBYTECODE: "1" };

/** What a program of the runtime answered to one line. */
export interface Said {
  readonly python: string;
  /** `undefined` where it has ended without an answer. */
  readonly line: string | undefined;
  /** The last line that it wrote on standard error; empty where it wrote none. */
  readonly complaint: string;
}

/**
 * Has a program of the runtime answer one line.
 *
 * @param folder of the spec: Python is looked for from there
 * @param statements that import and run it
 */
export async function askRuntime(
  host: Host,
  folder: string,
  statements: string,
  request: unknown,
): Promise<Said> {
  const python = findPython(host, folder);
  const program = startRuntime(host, python, statements);
  program.send(JSON.stringify(request));
  const line = await program.receive();
  program.stop();
  return { python, line, complaint: program.complaints.trim().split("\n").at(-1) ?? "" };
}

/**
 * Starts a program of the runtime that ships with the compiler.
 *
 * @param python command that starts Python
 * @param statements that import and run it
 */
export function startRuntime(host: Host, python: string, statements: string): Program {
  const own = host.assetPath("python");
  const more = host.variable("PYTHONPATH");
  return host.startProgram(python, {
    arguments: ["-c", `${SAFELY}; ${statements}`],
    variables: { PYTHONPATH: more ? `${own}${SEPARATOR}${more}` : own, ...QUIETLY },
  });
}
