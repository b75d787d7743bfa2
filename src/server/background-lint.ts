import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { Host } from "../host/host.js";
import type { AnalysedDocument } from "./document.js";
import type { LintTask } from "./lint-worker.js";

/** Rules wait for a pause in typing: some of them schedule batches. */
const PAUSE = 300;
/** Threads at once: a change of one file may ask for every open document, and a thread takes tens of megabytes. */
const MOST_RUNNING = 2;

interface Task {
  readonly uri: string;
  readonly document: AnalysedDocument;
  readonly timer: ReturnType<typeof setTimeout>;
  readonly stop: AbortController;
}

/** Runs the lint rules beside the editor's requests, in worker threads; a change of the document ends its own. */
export class BackgroundLint {
  readonly #tasks = new Map<string, Task>();
  /** Documents whose pause is over, those that changed last at the end. */
  readonly #waiting = new Set<Task>();
  #running = 0;

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
    const timer = setTimeout(() => {
      this.#waiting.add(task);
      this.#next();
    }, PAUSE);
    const task = { uri, document, timer, stop: new AbortController() };
    this.#tasks.set(uri, task);
  }

  cancel(uri: string): void {
    const task = this.#tasks.get(uri);
    if (!task) return;
    clearTimeout(task.timer);
    task.stop.abort();
    this.#waiting.delete(task);
    this.#tasks.delete(uri);
  }

  /** What someone has just changed comes before what waits because of it. */
  #next(): void {
    const task = [...this.#waiting].at(-1);
    if (!task || this.#running >= MOST_RUNNING) return;
    this.#waiting.delete(task);
    this.#running += 1;
    void this.#run(task).finally(() => {
      this.#running -= 1;
      this.#next();
    });
  }

  async #run({ uri, document, stop: { signal } }: Task): Promise<void> {
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
