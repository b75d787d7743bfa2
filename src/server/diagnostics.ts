import {
  type DiagnosticRelatedInformation,
  DiagnosticSeverity,
  DiagnosticTag,
  type Diagnostic as LspDiagnostic,
} from "vscode-languageserver";
import type { Severity } from "../diagnostics/catalogue.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { lspRange } from "./positions.js";

const SEVERITIES: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
};

/** Addresses that the client knows things by. */
export interface Addresses {
  readonly uriOf: (file: string) => string;
  /** The page of a code; none for a client that makes no link of it. */
  readonly pageOf: (code: string) => string | undefined;
}

/** A diagnostic for the editor: message, reason and advice in one text. */
export function lspDiagnostic(found: Diagnostic, { uriOf, pageOf }: Addresses): LspDiagnostic {
  const href = pageOf(found.code);
  const { message, why, help, related = [] } = found;
  return {
    range: lspRange(found.range),
    severity: SEVERITIES[found.severity],
    code: found.code,
    ...(href === undefined ? {} : { codeDescription: { href } }),
    source: "skrull",
    // Editors fade it.
    ...(found.code.startsWith("unused-") ? { tags: [DiagnosticTag.Unnecessary] } : {}),
    message: [message, why, ...(help === undefined ? [] : [help])].join("\n"),
    ...(related.length > 0
      ? { relatedInformation: related.map((one) => information(one, uriOf)) }
      : {}),
  };
}

type Related = NonNullable<Diagnostic["related"]>[number];

function information(
  { message, file, range }: Related,
  uriOf: (file: string) => string,
): DiagnosticRelatedInformation {
  return { message, location: { uri: uriOf(file), range: lspRange(range) } };
}
