import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { NodeHost } from "../host/node-host.js";
import { Linter } from "../lint/linter.js";
import { analyse } from "./analyse.js";

export interface LintTask {
  /** Absolute, of the spec. */
  readonly path: string;
  /** As it is in the editor. */
  readonly text: string;
  /** Documents by path: an import may be one of them. */
  readonly openTexts: Readonly<Record<string, string>>;
  readonly workingFolder: string;
}

/** The entry point of a worker thread: everything that `skrull lint` finds in a text. */
export default async function lint(task: LintTask): Promise<readonly Diagnostic[]> {
  const host = new NodeHost(task.workingFolder);
  const linter = new Linter(host);
  const analysis = analyse(host, task.path, task.text, (path) => task.openTexts[path]);
  const { diagnostics } = await linter.lint(analysis);
  return [...linter.diagnostics, ...diagnostics];
}
