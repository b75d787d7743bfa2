import { type Diagnostic, hasErrors } from "../diagnostics/diagnostic.js";
import { concreteSyntax } from "../syntax/concrete.js";
import { parseSpec } from "../syntax/parse.js";
import { layOut } from "./layout.js";
import { print } from "./print.js";

export type Formatted =
  | { readonly text: string }
  | { readonly syntaxError: true; readonly diagnostics: readonly Diagnostic[] };

/**
 * A spec in canonical style. Its meaning and its comments stay; text with syntax errors is not touched.
 *
 * @param file name that diagnostics carry
 */
export function formatSpec(text: string, file = ""): Formatted {
  const { diagnostics } = parseSpec(file, text);
  if (hasErrors(diagnostics)) return { syntaxError: true, diagnostics };
  return { text: print(layOut(text, concreteSyntax(text))) };
}
