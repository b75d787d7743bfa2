import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Program, ProgramOptions } from "./host.js";

/** Characters of standard error that are kept. */
const KEPT = 16_384;

/** A {@link Program} as a child process. */
export class NodeProgram implements Program {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: string[] = [];
  #waiting: ((line: string | undefined) => void) | undefined;
  #ended = false;
  #complaints = "";

  constructor(command: string, options: ProgramOptions, environment: NodeJS.ProcessEnv) {
    this.#child = spawn(command, [...options.arguments], {
      env: { ...environment, ...options.variables },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { stdin, stdout, stderr } = this.#child;
    // A program that is gone is told by its end, not by the pipe to it.
    stdin.on("error", () => undefined);
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-KEPT);
    });
    createInterface({ input: stdout }).on("line", (line) => this.#add(line));
    this.#child.on("error", (error) => {
      this.#complaints += error.message;
      this.#end();
    });
    this.#child.on("close", () => this.#end());
    this.#hold(false);
  }

  get complaints(): string {
    return this.#complaints;
  }

  send(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  receive(): Promise<string | undefined> {
    const line = this.#lines.shift();
    if (line !== undefined || this.#ended) return Promise.resolve(line);
    this.#hold(true);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }

  #add(line: string): void {
    if (this.#waiting) this.#answer(line);
    else this.#lines.push(line);
  }

  #end(): void {
    this.#ended = true;
    this.#answer(undefined);
  }

  #answer(line: string | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#hold(false);
    waiting?.(line);
  }

  /** Whether it keeps this process from ending. */
  #hold(held: boolean): void {
    const parts = [this.#child, this.#child.stdin, this.#child.stdout, this.#child.stderr];
    for (const part of parts as { ref?(): void; unref?(): void }[]) {
      if (held) part.ref?.();
      else part.unref?.();
    }
  }
}
