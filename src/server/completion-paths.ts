import { dirname, join } from "pathe";
import { CompletionItemKind } from "vscode-languageserver";
import type { AnalysedDocument } from "./document.js";
import type { CompletionOptions, Proposal } from "./proposal.js";

/** Files and folders below what was typed of a path. */
export function paths(
  typed: string,
  { path }: AnalysedDocument,
  { list }: CompletionOptions,
  inside: boolean,
): readonly Proposal[] {
  const folder = typed.slice(0, typed.lastIndexOf("/") + 1);
  if (folder.startsWith("/") || (inside && folder.split("/").includes(".."))) return [];
  const hidden = typed.slice(folder.length).startsWith(".");
  return list(join(dirname(path), folder))
    .filter((name) => hidden || !name.startsWith("."))
    .map((name) => ({
      label: name,
      kind: name.endsWith("/") ? CompletionItemKind.Folder : CompletionItemKind.File,
      text: JSON.stringify(name).slice(1, -1),
      kept: folder.length,
    }));
}

const SPEC_FILE = /(\/|\.skrull(\.ya?ml|\.json)?)$/;

/** What may be imported; in quotes of its own where none were typed. */
export function imports(
  quoted: string | undefined,
  document: AnalysedDocument,
  options: CompletionOptions,
): readonly Proposal[] {
  const typed = quoted ?? "";
  const folder = join(dirname(document.path), typed.slice(0, typed.lastIndexOf("/") + 1));
  const found = paths(typed, document, options, false).filter(
    ({ label }) => SPEC_FILE.test(label) && join(folder, label) !== document.path,
  );
  if (quoted !== undefined) return found;
  return found.map((one) => ({ ...one, text: JSON.stringify(one.label) }));
}
