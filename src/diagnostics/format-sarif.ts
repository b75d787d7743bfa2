import { jsonText } from "../foundation/json.js";
import type { Range } from "../foundation/text.js";
import { CATALOGUE, type DiagnosticCode, type Severity } from "./catalogue.js";
import type { Diagnostic, Fix, Related } from "./diagnostic.js";
import { adviceOf, reasonOf, summaryOf } from "./page.js";

const LEVELS: Readonly<Record<Severity, string>> = {
  error: "error",
  warning: "warning",
  info: "note",
};

/** SARIF 2.1.0, for code scanning and editors. Files are relative to the folder that skrull ran in. */
export function formatSarif(diagnostics: readonly Diagnostic[], skrullVersion: string): string {
  const codes = [...new Set(diagnostics.map(({ code }) => code))].sort();
  const driver = {
    name: "skrull",
    version: skrullVersion,
    rules: codes.map(rule),
  };
  return jsonText({
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver },
        columnKind: "utf16CodeUnits",
        results: diagnostics.map((found) => result(found, codes.indexOf(found.code))),
      },
    ],
  });
}

function rule(code: DiagnosticCode) {
  const advice = adviceOf(code);
  return {
    id: code,
    shortDescription: { text: summaryOf(code) },
    fullDescription: { text: reasonOf(code) },
    help: {
      text: [
        reasonOf(code),
        ...(advice === undefined ? [] : [advice]),
        `With examples: skrull explain ${code}`,
      ].join("\n"),
    },
    defaultConfiguration: { level: LEVELS[CATALOGUE[code].severity] },
  };
}

function result(found: Diagnostic, ruleIndex: number) {
  const { code, severity, message, why, help, related, fix, file, range } = found;
  return {
    ruleId: code,
    ruleIndex,
    level: LEVELS[severity],
    message: { text: [message, why, ...(help === undefined ? [] : [help])].join("\n") },
    locations: [{ physicalLocation: location(file, range) }],
    ...(related ? { relatedLocations: related.map(relatedLocation) } : {}),
    ...(fix ? { fixes: [sarifFix(file, fix)] } : {}),
  };
}

const relatedLocation = ({ message, file, range }: Related, n: number) => ({
  id: n + 1,
  message: { text: message },
  physicalLocation: location(file, range),
});

const sarifFix = (file: string, { title, safe, edits }: Fix) => ({
  description: { text: title },
  artifactChanges: [
    {
      artifactLocation: artifact(file),
      replacements: edits.map(({ range, new_text }) => ({
        deletedRegion: region(range),
        insertedContent: { text: new_text },
      })),
    },
  ],
  properties: { safe },
});

const location = (file: string, range: Range) => ({
  artifactLocation: artifact(file),
  region: region(range),
});

const artifact = (file: string) => ({
  uri: file.toWellFormed().split("/").map(encodeURIComponent).join("/"),
  uriBaseId: "%SRCROOT%",
});

const region = ({ start, end }: Range) => ({
  startLine: start.line,
  startColumn: start.column,
  endLine: end.line,
  endColumn: end.column,
});
