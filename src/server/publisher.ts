import type { Connection, Diagnostic as LspDiagnostic } from "vscode-languageserver";
import { lspDiagnostic } from "./diagnostics.js";
import type { Workspace } from "./workspace.js";

/**
 * Shows diagnostics. Checking one document may find something in a file that it imports: what is shown of a file is
 * what all open documents found in it.
 */
export class Publisher {
  /** By document that was checked, by file that it is about. */
  readonly #found = new Map<string, ReadonlyMap<string, readonly LspDiagnostic[]>>();

  constructor(
    private readonly connection: Connection,
    private readonly workspace: Workspace,
  ) {}

  /** Checks documents again, and shows every file anew that this is about. */
  show(uris: readonly string[]): void {
    const about = new Set<string>(uris);
    for (const uri of uris) {
      for (const file of this.#found.get(uri)?.keys() ?? []) about.add(file);
      const found = this.#check(uri);
      this.#found.set(uri, found);
      for (const file of found.keys()) about.add(file);
    }
    for (const uri of about) this.#publish(uri);
  }

  /** A document is not open any more: what it found is taken back. */
  close(uri: string): void {
    const about = new Set([uri, ...(this.#found.get(uri)?.keys() ?? [])]);
    this.#found.delete(uri);
    for (const file of about) this.#publish(file);
  }

  #check(uri: string): ReadonlyMap<string, readonly LspDiagnostic[]> {
    const found = new Map<string, LspDiagnostic[]>();
    const uriOf = (file: string) => this.workspace.uriOf(file);
    for (const one of this.workspace.analysed(uri)?.analysis.diagnostics ?? []) {
      const about = uriOf(one.file);
      const shown = lspDiagnostic(one, uriOf);
      found.set(about, [...(found.get(about) ?? []), shown]);
    }
    return found;
  }

  #publish(uri: string): void {
    const all = [...this.#found.values()].flatMap((found) => found.get(uri) ?? []);
    const distinct = new Map(all.map((one) => [JSON.stringify(one), one]));
    const version = this.workspace.documents.get(uri)?.version;
    void this.connection.sendDiagnostics({
      uri,
      diagnostics: [...distinct.values()],
      ...(version === undefined ? {} : { version }),
    });
  }
}
