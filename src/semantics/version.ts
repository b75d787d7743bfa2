import type { Extra } from "../diagnostics/diagnostic.js";
import { LANGUAGE_VERSION } from "../language/language.js";
import type { FileNode } from "../syntax/tree.js";
import type { Report } from "./report.js";

/** The word before the language's version. */
export const VERSION = "skrull";
const START = { start: 0, end: 0 };

/** @param broken the parser found errors: the line may only be unreadable */
export function checkVersion({ version }: FileNode, report: Report, broken: boolean): void {
  if (!version) {
    if (broken) return;
    report.at("missing-version", {}, START, versionLine(report));
    return;
  }
  const { keyword } = version;
  if (keyword.text !== VERSION) {
    report.at(
      "unexpected-token",
      { expected: `'${VERSION}'`, found: `'${keyword.text}'` },
      keyword,
    );
  } else if (version.text !== String(LANGUAGE_VERSION)) {
    const known = String(LANGUAGE_VERSION);
    const same = version.value === LANGUAGE_VERSION && report.written(version) === version.text;
    const fix = same && report.replacement(`Write ${known}`, version, known, true);
    report.at("unsupported-version", { found: version.text }, version, fix ? { fix } : {});
  }
}

/** The line that says the language's version, safe as it is; a map of YAML in braces has no place for one. */
function versionLine(report: Report): Extra {
  const yaml = report.isYaml;
  const line = yaml ? `${VERSION}: ${LANGUAGE_VERSION}` : `${VERSION} ${LANGUAGE_VERSION}`;
  const help = `Begin the file with the line: ${line}`;
  const lines = report.text.replace(/^\uFEFF/, "").split(/\r\n?|\n/);
  const first = lines.find((one) => !/^\s*(#|$)/.test(one));
  if (yaml && first !== undefined && !/^[\w"']/.test(first)) return { help };
  const after = report.newLine.repeat(yaml ? 1 : 2);
  return { help, fix: report.replacement(`Add ${line}`, START, line + after, true) };
}

/** What to do about a key that stands where blocks do. */
export const keyAdvice = (key: string): string =>
  key === VERSION
    ? `Begin the file with ${VERSION} ${LANGUAGE_VERSION}, without =.`
    : "Put it into one of the blocks.";
