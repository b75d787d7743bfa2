import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { dirname, join, resolve } from "pathe";
import { cacheFolder } from "./cache-folder.js";
import {
  type Digest,
  type Host,
  HostError,
  type PathStatus,
  type Program,
  type ProgramOptions,
  type WriteOptions,
} from "./host.js";
import { makeFolders } from "./make-folders.js";
import { NodeProgram } from "./node-program.js";

const PACKAGE_ROOT = fileURLToPath(new URL("../../", import.meta.url));

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EISDIR: "is a folder, not a file",
  ENOTDIR: "a part of the path is not a folder",
  ENOSPC: "no space left on the device",
  EROFS: "the file system is read-only",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "the name is too long",
};

function hostError(path: string, error: unknown): HostError {
  const code = (error as NodeJS.ErrnoException).code;
  return new HostError(path, (code && REASONS[code]) || (error as Error).message);
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw hostError(path, error);
  }
}

const THIS_MACHINE = {};

/** The {@link Host} of a command-line run: the real file system, process and clock. */
export class NodeHost implements Host {
  readonly workingFolder: string;
  readonly cacheFolder: string | undefined;

  readonly machine = THIS_MACHINE;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(workingFolder = process.cwd(), environment = process.env) {
    this.#environment = environment;
    this.workingFolder = resolve(workingFolder);
    this.cacheFolder = cacheFolder(environment);
  }

  now(): number {
    return performance.now();
  }

  status(path: string): PathStatus | undefined {
    try {
      const found = fs.statSync(path);
      const kind = found.isFile() ? "file" : found.isDirectory() ? "folder" : "other";
      return { kind, bytes: found.size, modified: found.mtimeMs, inode: found.ino };
    } catch {
      return undefined;
    }
  }

  realPath(path: string): string {
    return attempt(path, () => resolve(fs.realpathSync(path)));
  }

  list(folder: string): readonly string[] {
    // Default order is by code unit: the same on every machine, unlike a locale's.
    return attempt(folder, () => fs.readdirSync(folder).sort());
  }

  readBytes(path: string): Uint8Array {
    return attempt(path, () => fs.readFileSync(path));
  }

  readRange(path: string, start: number, count: number): Uint8Array {
    return attempt(path, () => {
      const file = fs.openSync(path, "r");
      try {
        const bytes = Buffer.alloc(count);
        let filled = 0;
        while (filled < count) {
          const read = fs.readSync(file, bytes, filled, count - filled, start + filled);
          if (read === 0) break;
          filled += read;
        }
        return bytes.subarray(0, filled);
      } finally {
        fs.closeSync(file);
      }
    });
  }

  async *stream(path: string): AsyncIterable<Uint8Array> {
    try {
      yield* fs.createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw hostError(path, error);
    }
  }

  writeFile(path: string, content: string | Uint8Array, options: WriteOptions = {}): void {
    attempt(path, () => {
      makeFolders(dirname(path));
      const target = options.inPlace ? fs.realpathSync(path) : path;
      const mode = options.inPlace ? fs.statSync(target).mode : options.executable ? 0o755 : 0o644;
      const temporary = `${target}.tmp-${process.pid}`;
      try {
        fs.writeFileSync(temporary, content, { mode });
        fs.renameSync(temporary, target);
      } catch (error) {
        fs.rmSync(temporary, { force: true });
        throw error;
      }
    });
  }

  remove(path: string): void {
    attempt(path, () => fs.rmSync(path, { force: true }));
  }

  sha256(): Digest {
    const hash = createHash("sha256");
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
  }

  async runInWorkers<Task, Result>(
    module: string,
    tasks: readonly Task[],
    onDone: (finished: number) => void,
    signal?: AbortSignal,
  ): Promise<readonly Result[]> {
    const { Piscina } = await import("piscina");
    const threads = Math.min(availableParallelism(), tasks.length);
    if (threads === 0) return [];
    const pool = new Piscina<Task, Result>({
      filename: new URL("../host/worker-entry.cjs", import.meta.url).href,
      workerData: new URL(`../${module}`, import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
    });
    const results: Result[] = [];
    let next = 0;
    let finished = 0;
    const lane = async () => {
      while (next < tasks.length) {
        const n = next;
        next += 1;
        results[n] = await pool.run(tasks[n] as Task, signal ? { signal } : {});
        finished += 1;
        onDone(finished);
      }
    };
    try {
      await Promise.all(Array.from({ length: threads }, lane));
      return results;
    } finally {
      await pool.destroy();
    }
  }

  variable(name: string): string | undefined {
    return this.#environment[name];
  }

  get processors(): number {
    return availableParallelism();
  }

  startProgram(command: string, options: ProgramOptions): Program {
    return new NodeProgram(command, options, this.#environment);
  }

  assetPath(name: string): string {
    return join(PACKAGE_ROOT, name);
  }
}
