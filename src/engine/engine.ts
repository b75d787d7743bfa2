import type { Host, Program } from "../host/host.js";
import { findPython, PACKAGES } from "./python.js";
import { startRuntime } from "./start.js";

/** Why the engine has no result. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  constructor(
    /** `user`: the data or the spec; `python`: there is no engine on this machine. */
    readonly kind: "user" | "python",
    message: string,
    readonly help?: string,
  ) {
    super(message);
  }
}

/** Told of a request that takes long. */
export type OnProgress = (progress: {
  readonly file: number;
  readonly done: number;
  readonly total: number;
}) => void;

const START = "from skrull_runtime.data.engine import main; main()";

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly progress?: Parameters<OnProgress>[0];
  readonly error?: { readonly kind: "user" | "package" | "fault"; readonly message: string };
}

/** The engine reads, renders and tokenises data: a Python program (`skrull_runtime.data.engine`) beside this one. */
export class Engine {
  #program: Program | undefined;
  #requests = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** @param python command that starts Python */
  constructor(
    private readonly host: Host,
    private readonly python: string,
  ) {}

  /**
   * The engine's answer to a request; requests wait for the ones before them.
   *
   * @throws EngineError where it has none
   */
  request(
    op: string,
    fields: Readonly<Record<string, unknown>>,
    onProgress?: OnProgress,
  ): Promise<unknown> {
    const answer = this.#last.then(() => this.#ask(op, fields, onProgress));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #ask(op: string, fields: object, onProgress: OnProgress | undefined): Promise<unknown> {
    this.#program ??= startRuntime(this.host, this.python, START);
    const program = this.#program;
    this.#requests += 1;
    const id = this.#requests;
    program.send(JSON.stringify({ ...fields, id, op }));
    for (;;) {
      const line = await program.receive();
      if (line === undefined) throw this.#ended(program);
      const answer = JSON.parse(line) as Answer;
      if (answer.progress) onProgress?.(answer.progress);
      else if (answer.error) throw this.#refused(answer.error);
      else return answer.result;
    }
  }

  #ended(program: Program): EngineError {
    this.#program = undefined;
    const said = program.complaints.trim().split("\n").at(-1) ?? "";
    const reason = said === "" ? "it was ended" : said;
    return new EngineError(
      "python",
      `the engine that reads data cannot run in '${this.python}' (${reason})`,
      `Name a Python 3.10 or newer by SKRULL_PYTHON, with: pip install ${PACKAGES}`,
    );
  }

  #refused({ kind, message }: NonNullable<Answer["error"]>): Error {
    if (kind === "user") return new EngineError("user", message);
    if (kind === "fault")
      return new Error(`the engine failed, which is a fault of skrull:\n${message}`);
    return new EngineError(
      "python",
      `'${this.python}' lacks the package ${message}`,
      `Install what the engine needs: ${this.python} -m pip install ${PACKAGES}`,
    );
  }
}

const engines = new WeakMap<object, Map<string, Engine>>();

/** The one engine of a machine, which starts with its first request. @param folder of the spec, or the working folder */
export function engineOf(host: Host, folder: string): Engine {
  const python = findPython(host, folder);
  const known = engines.get(host.machine) ?? new Map<string, Engine>();
  engines.set(host.machine, known);
  const engine = known.get(python) ?? new Engine(host, python);
  known.set(python, engine);
  return engine;
}
