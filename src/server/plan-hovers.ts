import type { CancellationToken } from "vscode-languageserver";
import type { Host } from "../host/host.js";
import type { AnalysedDocument } from "./document.js";
import type { HoverText } from "./hover.js";
import { degreesText, memoryText } from "./plan-text.js";
import type { PlanAnswer, PlanTask } from "./plan-worker.js";

interface Asked {
  readonly document: AnalysedDocument;
  readonly run: string | undefined;
  readonly stop: AbortController;
  readonly answer: Promise<PlanAnswer | undefined>;
}

/**
 * Plans for hovers, made in a worker thread: planning takes long, typing must not wait for it. One plan a document,
 * kept until it changes; why there is none
 * is looked at each time, for nobody tells of new data.
 */
export class PlanHovers {
  readonly #asked = new Map<string, Asked>();

  constructor(
    private readonly host: Host,
    private readonly skrullVersion: string,
  ) {}

  /** Markdown of a part of the document's plan; `undefined` where there is none, or nobody waits for it any more. */
  async text(
    uri: string,
    document: AnalysedDocument,
    wants: NonNullable<HoverText["wants"]>,
    cancelled: CancellationToken,
  ): Promise<string | undefined> {
    if (document.analysis.runs.every(({ spec }) => !spec)) return undefined;
    const asked = this.#ask(uri, document, wants.run);
    const given = new Promise<undefined>((resolve) => {
      cancelled.onCancellationRequested(() => resolve(undefined));
    });
    const answer = await Promise.race([asked.answer, given]);
    if (!answer) return undefined;
    return wants.part === "memory" ? memoryText(answer) : degreesText(answer);
  }

  /** The document is another one now: nobody wants the plan of what it was. */
  cancel(uri: string): void {
    this.#asked.get(uri)?.stop.abort();
    this.#asked.delete(uri);
  }

  #ask(uri: string, document: AnalysedDocument, run: string | undefined): Asked {
    const known = this.#asked.get(uri);
    if (known?.document === document && known.run === run) return known;
    this.cancel(uri);
    const stop = new AbortController();
    const { path, text, analysis } = document;
    const openTexts = Object.fromEntries(analysis.documents.map((one) => [one.file, one.text]));
    const task: PlanTask = {
      path,
      text,
      openTexts,
      ...(run === undefined ? {} : { run }),
      workingFolder: this.host.workingFolder,
      skrullVersion: this.skrullVersion,
    };
    const asked = { document, run, stop, answer: this.#answer(task, stop.signal) };
    this.#asked.set(uri, asked);
    const forget = () => {
      if (this.#asked.get(uri) === asked) this.#asked.delete(uri);
    };
    asked.answer.then((answer) => answer?.problem !== undefined && forget(), forget);
    return asked;
  }

  async #answer(task: PlanTask, signal: AbortSignal): Promise<PlanAnswer | undefined> {
    try {
      const [answer] = await this.host.runInWorkers<PlanTask, PlanAnswer>(
        "server/plan-worker.js",
        [task],
        () => {},
        signal,
      );
      return answer;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }
}
