import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { Host } from "../host/host.js";
import type { AnalysedDocument } from "./document.js";
import type { LintTask } from "./lint-worker.js";

/** Rules wait for a pause in typing: some of them schedule batches. */
const PAUSE = 300;

interface Task {
  readonly timer: ReturnType<typeof setTimeout>;
  readonly stop: AbortController;
}

/** Runs the lint rules beside the editor's requests, in a worker thread; a change of the document ends it. */
export class BackgroundLint {
  readonly #tasks = new Map<string, Task>();

  /**
   * @param done told what lint found in a document that is still the same
   * @param failed told of a fault: of ours, or of the machine's
   */
  constructor(
    private readonly host: Host,
    private readonly done: (
      uri: string,
      document: AnalysedDocument,
      found: readonly Diagnostic[],
    ) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  start(uri: string, document: AnalysedDocument): void {
    this.cancel(uri);
    const stop = new AbortController();
    const timer = setTimeout(() => void this.#run(uri, document, stop.signal), PAUSE);
    this.#tasks.set(uri, { timer, stop });
  }

  cancel(uri: string): void {
    const task = this.#tasks.get(uri);
    if (!task) return;
    clearTimeout(task.timer);
    task.stop.abort();
    this.#tasks.delete(uri);
  }

  async #run(uri: string, document: AnalysedDocument, signal: AbortSignal): Promise<void> {
    const { path, text, analysis } = document;
    const openTexts = Object.fromEntries(analysis.documents.map((one) => [one.file, one.text]));
    const { workingFolder } = this.host;
    const task: LintTask = { path, text, openTexts, workingFolder };
    try {
      const [found] = await this.host.runInWorkers<LintTask, readonly Diagnostic[]>(
        "server/lint-worker.js",
        [task],
        () => {},
        signal,
      );
      if (found && !signal.aborted) this.done(uri, document, found);
    } catch (error) {
      // What the checker found is shown already; a rule that fails must not end the server.
      if (!signal.aborted) this.failed(error);
    }
  }
}
