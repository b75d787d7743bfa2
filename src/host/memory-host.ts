import { createHash } from "node:crypto";
import { join, normalize } from "pathe";
import {
  type Digest,
  type Host,
  HostError,
  type PathStatus,
  type Program,
  type WriteOptions,
} from "./host.js";

/** A {@link Host} that lives in memory: for tests, and for compilers inside another program. */
export class MemoryHost implements Host {
  readonly workingFolder = "/project";
  readonly cacheFolder = "/cache";
  readonly processors = 1;
  readonly machine = {};
  readonly executables = new Set<string>();
  readonly #files = new Map<string, Uint8Array>();
  readonly #written = new Map<string, number>();
  #ticks = 0;

  /** @param files absolute path to content. @param assets where {@link assetPath} points, if used */
  constructor(
    files: Readonly<Record<string, string | Uint8Array>> = {},
    private readonly assets: string = "/assets",
  ) {
    for (const [path, content] of Object.entries(files)) this.writeFile(path, content);
  }

  variable(): undefined {
    return undefined;
  }

  startProgram(command: string): Program {
    throw new HostError(command, "no programs can be started here");
  }

  now(): number {
    this.#ticks += 1;
    return this.#ticks;
  }

  status(path: string): PathStatus | undefined {
    const key = normalize(path);
    const file = this.#files.get(key);
    const modified = this.#written.get(key) ?? 0;
    if (file) return { kind: "file", bytes: file.byteLength, modified, inode: 0 };
    return this.#isFolder(key) ? { kind: "folder", bytes: 0, modified, inode: 0 } : undefined;
  }

  /** There are no links. */
  realPath(path: string): string {
    if (!this.status(path)) throw new HostError(path, "no such file or folder");
    return normalize(path);
  }

  list(folder: string): readonly string[] {
    const prefix = `${normalize(folder).replace(/\/$/, "")}/`;
    const names = new Set<string>();
    for (const path of this.#files.keys()) {
      if (path.startsWith(prefix)) names.add(path.slice(prefix.length).split("/")[0] ?? "");
    }
    if (names.size === 0) throw new HostError(folder, "no such file or folder");
    return [...names].sort();
  }

  readBytes(path: string): Uint8Array {
    const file = this.#files.get(normalize(path));
    if (!file) throw new HostError(path, "no such file or folder");
    return file;
  }

  readRange(path: string, start: number, count: number): Uint8Array {
    return this.readBytes(path).subarray(start, start + count);
  }

  async *stream(path: string): AsyncIterable<Uint8Array> {
    const bytes = this.readBytes(path);
    // Small, odd chunks: readers must not depend on where a chunk ends.
    for (let start = 0; start < bytes.length; start += 7) yield bytes.subarray(start, start + 7);
  }

  writeFile(path: string, content: string | Uint8Array, options: WriteOptions = {}): void {
    const key = normalize(path);
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    this.#files.set(key, bytes);
    this.#written.set(key, this.now());
    if (options.executable) this.executables.add(key);
  }

  remove(path: string): void {
    this.#files.delete(normalize(path));
  }

  /** In this thread. */
  async runInWorkers<Task, Result>(
    module: string,
    tasks: readonly Task[],
    onDone: (finished: number) => void,
  ): Promise<readonly Result[]> {
    const url = new URL(`../${module}`, import.meta.url).href;
    const { default: run } = (await import(url)) as { default: (task: Task) => Result };
    return tasks.map((task, n) => {
      const result = run(task);
      onDone(n + 1);
      return result;
    });
  }

  sha256(): Digest {
    const hash = createHash("sha256");
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
  }

  assetPath(name: string): string {
    return join(this.assets, name);
  }

  /** Every file, sorted by path, as text. */
  texts(): Readonly<Record<string, string>> {
    const sorted = [...this.#files].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(
      sorted.map(([path, bytes]) => [path, new TextDecoder().decode(bytes)]),
    );
  }

  #isFolder(path: string): boolean {
    const prefix = `${path.replace(/\/$/, "")}/`;
    for (const file of this.#files.keys()) if (file.startsWith(prefix)) return true;
    return false;
  }
}
