import { basename, join, normalize } from "pathe";
import { TextDocuments } from "vscode-languageserver";
import { TextDocument } from "vscode-languageserver-textdocument";
import { URI } from "vscode-uri";
import { type Host, HostError } from "../host/host.js";
import { type Analysis, analyze } from "../semantics/analyze.js";
import { AnalysedDocument } from "./document.js";

/** The open documents, and what is known of each; everything else is read through the host. */
export class Workspace {
  readonly documents = new TextDocuments(TextDocument);
  readonly #known = new Map<
    string,
    { readonly version: number; readonly made: AnalysedDocument }
  >();

  constructor(private readonly host: Host) {}

  /** A document as it is now, analysed; `undefined` where it is not open. */
  analysed(uri: string): AnalysedDocument | undefined {
    const document = this.documents.get(uri);
    if (!document) return undefined;
    const known = this.#known.get(uri);
    if (known?.version === document.version) return known.made;
    const path = this.pathOf(uri);
    const text = document.getText();
    const made = new AnalysedDocument(path, text, analyze(path, text));
    this.#known.set(uri, { version: document.version, made });
    return made;
  }

  /** Forgets a document and those that import it; says which open ones are to be looked at again. */
  touch(uri: string): readonly string[] {
    const path = this.pathOf(uri);
    const touched = [...this.#known].filter(
      ([other, { made }]) => other === uri || importsOf(made.analysis).includes(path),
    );
    for (const [other] of touched) this.#known.delete(other);
    return this.documents.keys().filter((open) => !this.#known.has(open));
  }

  /** Forgets everything that was read from files. */
  touchAll(): readonly string[] {
    this.#known.clear();
    return this.documents.keys();
  }

  /** Absolute path of a document; one that was never saved counts as in the working folder. */
  pathOf(uri: string): string {
    const parsed = URI.parse(uri);
    if (parsed.scheme === "file") return normalize(parsed.fsPath);
    return join(this.host.workingFolder, basename(parsed.path) || "untitled.skrull");
  }

  /** The address that the client knows a path by. */
  uriOf(path: string): string {
    const open = this.documents.keys().find((uri) => this.pathOf(uri) === path);
    return open ?? URI.file(path).toString();
  }

  /** Names in a folder, those of folders with a `/` at the end. */
  list(folder: string): readonly string[] {
    try {
      const names = this.host.list(folder);
      return names.map((name) =>
        this.host.status(join(folder, name))?.kind === "folder" ? `${name}/` : name,
      );
    } catch (error) {
      if (error instanceof HostError) return [];
      throw error;
    }
  }
}

/** Absolute paths of what an analysis read besides its own file. */
const importsOf = (analysis: Analysis): readonly string[] =>
  ((analysis as { documents?: readonly { file: string }[] }).documents ?? [])
    .slice(1)
    .map(({ file }) => file);
