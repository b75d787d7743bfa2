/** What the compiler needs of the machine it runs on; everything else in it is pure. */
export interface Host {
  /** Absolute path that relative paths on the command line start from. */
  readonly workingFolder: string;
  /** Where measurements are kept between runs; `undefined` switches caching off. */
  readonly cacheFolder: string | undefined;
  /** Milliseconds on a monotonic clock. */
  now(): number;
  /** What is at `path`; `undefined` where there is nothing or it cannot be looked at. */
  status(path: string): PathStatus | undefined;
  /** Path of a file or folder after following links. @throws HostError */
  realPath(path: string): string;
  /** Names in a folder, sorted by code unit. @throws HostError */
  list(folder: string): readonly string[];
  /** Whole content of a file. @throws HostError */
  readBytes(path: string): Uint8Array;
  /** Bytes of a file from `start` on, fewer than `count` only where it ends before. @throws HostError */
  readRange(path: string, start: number, count: number): Uint8Array;
  /** Content of a file in chunks, for files larger than memory. @throws HostError */
  stream(path: string): AsyncIterable<Uint8Array>;
  /** Writes a file whole or not at all, creating its folders. @throws HostError */
  writeFile(path: string, content: string | Uint8Array, options?: WriteOptions): void;
  /** Removes a file; nothing happens where there is none. @throws HostError */
  remove(path: string): void;
  /** A fresh SHA-256 computation. */
  sha256(): Digest;
  /**
   * Runs the default export of a module on every task, in as many worker threads as there are processors. Results
   * are in the order of the tasks.
   *
   * @param module name of a compiled module of this package, such as `schedule/worker.js`
   * @param onDone called with the number of finished tasks
   * @param signal ends the threads when it is given; the promise is then rejected
   */
  runInWorkers<Task, Result>(
    module: string,
    tasks: readonly Task[],
    onDone: (finished: number) => void,
    signal?: AbortSignal,
  ): Promise<readonly Result[]>;
  /** Where programs run: hosts of the same machine can share running ones. */
  readonly machine: object;
  /** A variable of the environment; `undefined` where it is not set. */
  variable(name: string): string | undefined;
  /**
   * Starts a program that reads and writes lines. It is ended with this process, and does not keep it from ending
   * while nobody waits for a line.
   *
   * @throws HostError where programs cannot be started
   */
  startProgram(command: string, options: ProgramOptions): Program;
  /** Processors that this process may use. */
  readonly processors: number;
  /** Path of a file that ships with the compiler (file templates, starters, schemas, runtime). */
  assetPath(name: string): string;
}

export interface PathStatus {
  readonly kind: "file" | "folder" | "other";
  readonly bytes: number;
  /** Which file it is, on a file system that numbers them: another one may have its name now. */
  readonly inode: number;
  /** When it was last written, on a clock of the file system's own: only to tell whether it has been since. */
  readonly modified: number;
}

export interface ProgramOptions {
  readonly arguments: readonly string[];
  /** Besides this process's own. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** A running program. */
export interface Program {
  /** Sends a line. */
  send(line: string): void;
  /** The next line that it writes; `undefined` once it has ended. */
  receive(): Promise<string | undefined>;
  /** The end of what it wrote on standard error. */
  readonly complaints: string;
  /** Ends it. */
  stop(): void;
}

export interface WriteOptions {
  readonly executable?: boolean;
  /** The file stays what it is: where it is a link its target is written, and it keeps its permissions. */
  readonly inPlace?: boolean;
}

export interface Digest {
  update(bytes: Uint8Array | string): void;
  hex(): string;
}

/** The machine said no: a missing file, no permission, a full disk. Never the user's spec. */
export class HostError extends Error {
  override readonly name = "HostError";
  constructor(
    readonly path: string,
    readonly reason: string,
  ) {
    super(`${path}: ${reason}`);
  }
}
