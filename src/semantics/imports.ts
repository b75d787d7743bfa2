import { dirname, join } from "pathe";
import { hasErrors } from "../diagnostics/diagnostic.js";
import type { ParsedFile } from "../syntax/parse.js";
import type { ImportNode } from "../syntax/tree.js";
import { type DocumentReader, isYamlPath, readDocument, type SourceDocument } from "./document.js";
import { pathProblem } from "./paths.js";
import type { Report } from "./report.js";

/**
 * Text of an imported file, or why there is none; with what was parsed of the same text before, where that is known.
 * Paths are written as the spec's own path is.
 */
export type Loader = (
  path: string,
) => { readonly text: string; readonly parsed?: ParsedFile } | { readonly problem: string };

/** More than any project has; a spec that imports more was made to exhaust memory. */
const MOST_DOCUMENTS = 256;

export interface LoadedDocuments {
  /** The spec itself first, then what it imports, each file once. */
  readonly documents: readonly SourceDocument[];
  /** A file in YAML is among them, and there was no reader for it. */
  readonly wantsYaml: boolean;
}

/** Everything that a spec imports, directly or through another import; what cannot be is reported where it is asked for. */
export function loadImports(
  root: SourceDocument,
  load: Loader | undefined,
  yaml: DocumentReader | undefined,
  report: Report,
): LoadedDocuments {
  const walk = new ImportWalk(root, load, yaml, report);
  walk.visit(root, []);
  return { documents: [...walk.documents.values()], wantsYaml: walk.wantsYaml };
}

/** The file that an import names, written as its document's own path is. */
export const importedFile = ({ file }: SourceDocument, { path }: ImportNode): string =>
  join(dirname(file), path.value);

class ImportWalk {
  readonly documents = new Map<string, SourceDocument>();
  wantsYaml: boolean;

  constructor(
    root: SourceDocument,
    private readonly load: Loader | undefined,
    private readonly yaml: DocumentReader | undefined,
    private readonly report: Report,
  ) {
    this.documents.set(root.file, root);
    this.wantsYaml = !yaml && isYamlPath(root.file);
  }

  visit(document: SourceDocument, above: readonly string[]): void {
    const path = [...above, document.file];
    for (const node of document.tree.imports) this.#follow(node, document, path);
  }

  #follow(node: ImportNode, document: SourceDocument, path: readonly string[]): void {
    const report = this.report.in(document);
    const written = node.path.value;
    const problem = pathProblem(written, false);
    if (problem) {
      report.at("unsafe-path", { problem: problem.text }, node.path, { help: problem.help });
      return;
    }
    const file = importedFile(document, node);
    if (path.includes(file)) {
      const names = [...path.slice(path.indexOf(file)), file].join(" → ");
      report.at("import-cycle", { path: names }, node.path);
      return;
    }
    const known = this.documents.get(file);
    const imported = known ?? this.#read(file, node, document, report);
    if (!imported) return;
    const broken = imported.diagnostics.find((d) => d.severity === "error");
    if (broken) {
      const related = [{ message: broken.message, file, range: broken.range }];
      report.at("broken-import", { path: written }, node.path, { related });
    }
    if (!known) this.visit(imported, path);
  }

  #read(
    file: string,
    node: ImportNode,
    document: SourceDocument,
    report: Report,
  ): SourceDocument | undefined {
    const fail = (problem: string) => {
      report.at("import-failed", { path: node.path.value, problem }, node.path);
      return undefined;
    };
    if (!this.load) return fail("imports cannot be read here");
    if (this.documents.size >= MOST_DOCUMENTS)
      return fail(`more than ${MOST_DOCUMENTS} files are imported`);
    const loaded = this.load(file);
    if ("problem" in loaded) return fail(loaded.problem);
    if (isYamlPath(file) && !this.yaml) {
      this.wantsYaml = true;
      return undefined;
    }
    const folder = join(document.folder, dirname(node.path.value));
    const { text, parsed } = loaded;
    const imported = parsed
      ? { ...parsed, text, folder }
      : readDocument(file, text, folder, this.yaml);
    this.documents.set(file, imported);
    return imported;
  }
}

/** Whether anything of the documents could not be read: what seems to be missing may be there. */
export const anyBroken = (documents: readonly SourceDocument[]): boolean =>
  documents.some(({ diagnostics }) => hasErrors(diagnostics));
