import { type CodeAction, CodeActionKind, type Range, type TextEdit } from "vscode-languageserver";
import type { Diagnostic, Fix } from "../diagnostics/diagnostic.js";
import { chooseFixes } from "../diagnostics/fixes.js";
import { type Addresses, lspDiagnostic } from "./diagnostics.js";
import type { AnalysedDocument } from "./document.js";
import { lspRange } from "./positions.js";

export const CODE_ACTION_KINDS = [CodeActionKind.QuickFix, CodeActionKind.SourceFixAll];

export interface CodeActionScope {
  readonly uri: string;
  readonly addresses: Addresses;
  readonly range: Range;
  /** Kinds that the client asks for; all where it does not say. */
  readonly only: readonly string[] | undefined;
  /** What is known to be wrong with the document. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The fixes of the diagnostics in a range, safe ones preferred; and all safe ones of the file at once. */
export function codeActions(
  document: AnalysedDocument,
  scope: CodeActionScope,
): readonly CodeAction[] {
  const wanted = (kind: string) =>
    scope.only?.some((asked) => kind === asked || kind.startsWith(`${asked}.`)) ?? true;
  const { file } = document.analysis;
  const own = scope.diagnostics.filter((one) => one.file === file && one.fix);
  const here = own.filter((one) => overlaps(lspRange(one.range), scope.range));
  const fixes = wanted(CodeActionKind.QuickFix) ? here.flatMap((one) => quickFix(one, scope)) : [];
  const all = wanted(CodeActionKind.SourceFixAll) ? fixAll(own, scope) : [];
  return [...fixes, ...all];
}

function quickFix(found: Diagnostic, { uri, addresses }: CodeActionScope): readonly CodeAction[] {
  const { fix } = found;
  if (!fix) return [];
  return [
    {
      title: fix.title,
      kind: CodeActionKind.QuickFix,
      diagnostics: [lspDiagnostic(found, addresses)],
      ...(fix.safe ? { isPreferred: true } : {}),
      edit: { changes: { [uri]: editsOf(fix) } },
    },
  ];
}

/** What `skrull lint --fix` would do. */
function fixAll(found: readonly Diagnostic[], { uri }: CodeActionScope): readonly CodeAction[] {
  const edits = chooseFixes(found, { unsafe: false }).flatMap(editsOf);
  if (edits.length === 0) return [];
  const title = "Apply all safe fixes of skrull";
  return [{ title, kind: CodeActionKind.SourceFixAll, edit: { changes: { [uri]: edits } } }];
}

const editsOf = ({ edits }: Fix): TextEdit[] =>
  edits.map(({ range, new_text }) => ({ range: lspRange(range), newText: new_text }));

const before = (a: Range["start"], b: Range["start"]): boolean =>
  a.line < b.line || (a.line === b.line && a.character < b.character);

/** Whether two ranges have a place in common, ends included. */
const overlaps = (a: Range, b: Range): boolean =>
  !before(a.end, b.start) && !before(b.end, a.start);
