import type { SourceDocument } from "../../../semantics/document.js";
import { importedFile } from "../../../semantics/imports.js";
import type { SymbolUse } from "../../../semantics/symbols.js";
import { removal } from "../../edits.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "unused-import",
  needs: "names",
  check({ names: { document, documents, symbols } }, report) {
    const seen = new Set<string>();
    for (const node of document.tree.imports) {
      const file = importedFile(document, node);
      const again = seen.has(file);
      seen.add(file);
      if (!again && isUsed(reachedFrom(file, documents), symbols)) continue;
      const path = node.path.value;
      const reason = again ? "It is imported above." : "No name that it declares is used.";
      const fix = removal(document, node, `the import of ${path}`, true);
      report.span(document, node.start, node.end, { path, reason }, fix);
    }
  },
});

/** A file and everything that it imports. */
function reachedFrom(file: string, documents: readonly SourceDocument[]): ReadonlySet<string> {
  const byFile = new Map(documents.map((document) => [document.file, document]));
  const reached = new Set([file]);
  for (const each of reached) {
    const document = byFile.get(each);
    for (const node of document?.tree.imports ?? [])
      reached.add(importedFile(document as SourceDocument, node));
  }
  return reached;
}

/** Whether another file uses what these declare: the spec, or a file that relies on the spec's imports. */
const isUsed = (files: ReadonlySet<string>, symbols: readonly SymbolUse[]): boolean =>
  symbols.some(
    ({ definition, uses }) =>
      files.has(definition.file) && uses.some(({ file }) => !files.has(file)),
  );
