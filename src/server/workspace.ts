import { basename, dirname, join, normalize, resolve } from "pathe";
import { type Location, TextDocuments, type TextEdit } from "vscode-languageserver";
import { TextDocument } from "vscode-languageserver-textdocument";
import { URI } from "vscode-uri";
import type { Place } from "../diagnostics/diagnostic.js";
import { pagePath } from "../diagnostics/page.js";
import { readText } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import { projectFolder } from "../inputs/project-folder.js";
import type { Analysis } from "../semantics/analyze.js";
import { importedFile } from "../semantics/imports.js";
import { analyse } from "./analyse.js";
import { AnalysedDocument } from "./document.js";
import { ParsedFiles } from "./parsed-files.js";
import { lspRange } from "./positions.js";
import { specFiles } from "./project.js";

/** The open documents, and what is known of each; everything else is read through the host. */
export class Workspace {
  readonly documents = new TextDocuments(TextDocument);
  readonly #known = new Map<
    string,
    { readonly version: number; readonly made: AnalysedDocument }
  >();

  readonly #imports = new ParsedFiles();

  constructor(private readonly host: Host) {}

  /** A document as it is now, analysed; `undefined` where it is not open. */
  analysed(uri: string): AnalysedDocument | undefined {
    const document = this.documents.get(uri);
    if (!document) return undefined;
    const known = this.#known.get(uri);
    if (known?.version === document.version) return known.made;
    const made = this.#analyse(this.pathOf(uri), document.getText());
    this.#known.set(uri, { version: document.version, made });
    return made;
  }

  /**
   * The specs of the project that a document belongs to, open or saved.
   *
   * @param words only specs that hold one of them are read further
   */
  project(uri: string, words: readonly string[]): readonly AnalysedDocument[] {
    const folder = dirname(this.pathOf(uri));
    const saved = [...specFiles(this.host, projectFolder(this.host, folder).folder)];
    const open = new Map(this.documents.keys().map((one) => [this.pathOf(one), one]));
    const documents = new Map<string, AnalysedDocument>();
    for (const path of [...open.keys(), ...saved]) {
      const known = open.get(path);
      const document = known === undefined ? this.#read(path, words) : this.analysed(known);
      if (document) documents.set(path, document);
    }
    return [...documents.values()];
  }

  #read(path: string, words: readonly string[]): AnalysedDocument | undefined {
    try {
      const text = readText(this.host, path);
      return words.some((word) => text.includes(word)) ? this.#analyse(path, text) : undefined;
    } catch (error) {
      if (error instanceof HostError) return undefined;
      throw error;
    }
  }

  #analyse(path: string, text: string): AnalysedDocument {
    const analysis = analyse(this.host, path, text, (one) => this.openText(one), this.#imports);
    return new AnalysedDocument(path, text, analysis);
  }

  /** Text of an open document by its path. */
  openText(path: string): string | undefined {
    const uri = this.documents.keys().find((one) => this.pathOf(one) === path);
    return uri === undefined ? undefined : this.documents.get(uri)?.getText();
  }

  /** Forgets a document and those that import it; says which open ones are to be looked at again. */
  touch(uri: string): readonly string[] {
    for (const other of this.#dependents(uri)) this.#known.delete(other);
    return this.documents.keys().filter((open) => !this.#known.has(open));
  }

  /** The same for files that changed on the disk. Who depends on others than specs is not known: then everyone does. */
  touchSaved(uris: readonly string[]): readonly string[] {
    if (uris.some((uri) => this.#dependents(uri).length === 0)) return this.touchAll();
    return [...new Set(uris.flatMap((uri) => this.touch(uri)))];
  }

  /** A document and those that import it. */
  #dependents(uri: string): readonly string[] {
    const path = this.pathOf(uri);
    return [...this.#known].flatMap(([other, { made }]) =>
      other === uri || importsOf(made.analysis).includes(path) ? [other] : [],
    );
  }

  /** Forgets everything that was read from files. */
  touchAll(): readonly string[] {
    this.#known.clear();
    this.#imports.clear();
    return this.documents.keys();
  }

  /** Absolute path of a document; one that was never saved and has no folder yet counts as in the working folder. */
  pathOf(uri: string): string {
    const parsed = URI.parse(uri);
    const placed = parsed.scheme === "untitled" && parsed.path.startsWith("/");
    if (parsed.scheme === "file" || placed)
      return normalize(parsed.with({ scheme: "file" }).fsPath);
    return join(this.host.workingFolder, basename(parsed.path) || "untitled.skrull");
  }

  /** The address that the client knows a path by. */
  uriOf(file: string): string {
    const path = resolve(this.host.workingFolder, file);
    const open = this.documents.keys().find((uri) => this.pathOf(uri) === path);
    return open ?? URI.file(path).toString();
  }

  /** Address of the page of a diagnostic's code. */
  pageOf(code: string): string {
    return URI.file(this.host.assetPath(pagePath(code))).toString();
  }

  location({ file, range }: Place): Location {
    return { uri: this.uriOf(file), range: lspRange(range) };
  }

  /** The same new text at several places, by document. */
  edits(places: readonly Place[], newText: string): Record<string, TextEdit[]> {
    const changes: Record<string, TextEdit[]> = {};
    for (const { file, range } of places) {
      const uri = this.uriOf(file);
      changes[uri] = [...(changes[uri] ?? []), { range: lspRange(range), newText }];
    }
    return changes;
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

/** Absolute paths of everything that an analysis wanted to read besides its own file, whether or not it is there. */
const importsOf = ({ documents }: Analysis): readonly string[] =>
  documents.flatMap((document) =>
    document.tree.imports.map((node) => importedFile(document, node)),
  );
