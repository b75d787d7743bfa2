import type { Connection, Diagnostic as LspDiagnostic } from "vscode-languageserver";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { carriedOver } from "./carry.js";
import { type Addresses, lspDiagnostic } from "./diagnostics.js";
import type { AnalysedDocument } from "./document.js";
import type { Workspace } from "./workspace.js";

/** What is known to be wrong with a document and what it imports. */
interface Findings {
  readonly document: AnalysedDocument;
  readonly found: readonly Diagnostic[];
}

/**
 * Shows diagnostics: at once what the checker finds, later all that lint does. Checking one document may find something
 * in a file that it imports: what is shown of a file is what all open documents found in it.
 */
export class Publisher {
  readonly #findings = new Map<string, Findings>();
  /** What each file was last shown with. */
  readonly #shown = new Map<string, string>();

  constructor(
    private readonly connection: Connection,
    private readonly workspace: Workspace,
    private readonly addresses: Addresses,
  ) {}

  /** Checks documents again, and shows every file anew that this is about. */
  show(uris: readonly string[]): void {
    for (const uri of uris) {
      const document = this.workspace.analysed(uri);
      if (document) this.#findings.set(uri, this.#checked(uri, document));
    }
    this.#publish(uris);
  }

  /** Lint has come to its end with a document. */
  showLinted(uri: string, document: AnalysedDocument, found: readonly Diagnostic[]): void {
    if (this.workspace.analysed(uri) !== document) return;
    this.#findings.set(uri, { document, found });
    this.#publish([]);
  }

  /** A document is not open any more: what it found is taken back. */
  close(uri: string): void {
    this.#findings.delete(uri);
    this.#publish([uri]);
  }

  /** What is known to be wrong with an open document, to be fixed. */
  diagnosticsOf(uri: string): readonly Diagnostic[] {
    const document = this.workspace.analysed(uri);
    return document ? this.#checked(uri, document).found : [];
  }

  /** What the checker finds, and what lint found before on lines that are the same. */
  #checked(uri: string, document: AnalysedDocument): Findings {
    const before = this.#findings.get(uri);
    if (before?.document === document) return before;
    const { diagnostics, file } = document.analysis;
    const known = new Set(before?.document.analysis.diagnostics.map(keyOf));
    const ofLint = before?.found.filter((one) => one.file === file && !known.has(keyOf(one))) ?? [];
    const carried = carriedOver(ofLint, before?.document.text ?? "", document.text);
    return { document, found: [...diagnostics, ...carried] };
  }

  /** @param always files that are shown again even where nothing has changed */
  #publish(always: readonly string[]): void {
    const byFile = new Map<string, Map<string, LspDiagnostic>>();
    for (const { found } of this.#findings.values()) {
      for (const one of found) {
        const uri = this.addresses.uriOf(one.file);
        const known = byFile.get(uri) ?? new Map<string, LspDiagnostic>();
        byFile.set(uri, known.set(JSON.stringify(one), lspDiagnostic(one, this.addresses)));
      }
    }
    for (const uri of new Set([...always, ...byFile.keys(), ...this.#shown.keys()])) {
      const diagnostics = [...(byFile.get(uri)?.values() ?? [])];
      this.#send(uri, diagnostics, always.includes(uri));
    }
  }

  #send(uri: string, diagnostics: LspDiagnostic[], always: boolean): void {
    const text = JSON.stringify(diagnostics);
    if (!always && (this.#shown.get(uri) ?? "[]") === text) return;
    if (diagnostics.length > 0) this.#shown.set(uri, text);
    else this.#shown.delete(uri);
    const version = this.workspace.documents.get(uri)?.version;
    void this.connection.sendDiagnostics({
      uri,
      diagnostics,
      ...(version === undefined ? {} : { version }),
    });
  }
}

const keyOf = (one: Diagnostic): string => JSON.stringify(one);
