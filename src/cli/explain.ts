import { CATALOGUE, type DiagnosticCode } from "../diagnostics/catalogue.js";
import { DIAGNOSTIC_CODES, pagePath, summaryOf } from "../diagnostics/page.js";
import { retiredCode, retiredPage } from "../diagnostics/retired.js";
import { printable } from "../foundation/printable.js";
import { didYouMean } from "../foundation/suggest.js";
import { readText } from "../host/files.js";
import type { Host } from "../host/host.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { markdownText } from "./markdown-text.js";
import type { Terminal } from "./terminal.js";

/** `skrull explain [CODE]`: the page of a diagnostic, or the list of all. @throws HostError */
export function explainCommand(host: Host, terminal: Terminal, code: string | undefined): ExitCode {
  if (code === undefined) {
    terminal.out(listOfCodes());
    return EXIT.clean;
  }
  const retired = retiredCode(code);
  const now = retired ? retired.successor : code;
  const pages = [
    ...(retired ? [retiredPage(code, retired)] : []),
    ...(now !== undefined && isCode(now) ? [readText(host, host.assetPath(pagePath(now)))] : []),
  ];
  if (pages.length === 0) {
    const near = didYouMean(code, DIAGNOSTIC_CODES);
    const advice = near ? `did you mean ${near}?` : "'skrull explain' lists all codes";
    terminal.remark(`error: there is no diagnostic '${printable(code)}'; ${advice}\n`);
    return EXIT.couldNotRun;
  }
  terminal.out(pages.map((page) => markdownText(page, terminal.colour)).join("\n"));
  return EXIT.clean;
}

const isCode = (text: string): text is DiagnosticCode =>
  DIAGNOSTIC_CODES.includes(text as DiagnosticCode);

function listOfCodes(): string {
  const width = Math.max(...DIAGNOSTIC_CODES.map((code) => code.length));
  return DIAGNOSTIC_CODES.map((code) => {
    const { severity } = CATALOGUE[code];
    return `${code.padEnd(width)}  ${severity.padEnd(7)}  ${summaryOf(code)}\n`;
  }).join("");
}
