// Runs tests against a mutated file, in a copy of the working tree: what is left behind by a kill is in a temporary folder.
import { execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { PYTHON, ROOT } from "../lib.mjs";

/** Seconds that the tests of one mutation may take; a mutation that makes a loop endless is caught. */
const TIMEOUT = 90;
const LINKED = ["node_modules", ".venv", "dist"];

export class Runner {
  #server;
  #answers;

  constructor() {
    this.root = mkdtempSync(join(tmpdir(), "skrull-mutations-"));
    const listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    const options = { cwd: ROOT, encoding: "utf8", maxBuffer: 2 ** 26 };
    for (const name of execFileSync("git", listed, options).split("\0")) {
      if (!/^(src|test|contract|catalogue|schemas|python|package\.json|vitest)/.test(name))
        continue;
      mkdirSync(dirname(join(this.root, name)), { recursive: true });
      cpSync(join(ROOT, name), join(this.root, name));
    }
    for (const name of LINKED) symlinkSync(join(ROOT, name), join(this.root, name));
  }

  /** Whether tests pass with `text` in place of a file's; the file is put back. */
  async passes(file, text, tests) {
    const path = join(this.root, file);
    const before = readFileSync(path);
    writeFileSync(path, text);
    try {
      return await (file.endsWith(".py") ? this.#pytest(tests) : this.#vitest(tests));
    } finally {
      writeFileSync(path, before);
    }
  }

  close() {
    this.#server?.kill();
    rmSync(this.root, { recursive: true, force: true });
  }

  #vitest(tests) {
    const program = join(ROOT, "node_modules/vitest/vitest.mjs");
    const args = [program, "run", "--root", this.root, "--bail", "1", ...tests];
    // A group of its own: a mutation that never ends does so in a worker, which would outlive its parent.
    const child = spawn(process.execPath, args, {
      cwd: this.root,
      stdio: "ignore",
      detached: true,
    });
    const end = () => {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // nothing is left of it
      }
    };
    const timer = setTimeout(end, TIMEOUT * 1000);
    process.once("exit", end);
    return new Promise((resolve) =>
      child.on("exit", (code) => {
        clearTimeout(timer);
        process.off("exit", end);
        end();
        resolve(code === 0);
      }),
    );
  }

  async #pytest(tests) {
    if (this.#server === undefined) this.#startServer();
    const paths = tests.map((test) => join(this.root, test));
    this.#server.stdin.write(`${JSON.stringify({ tests: paths, seconds: TIMEOUT })}\n`);
    const { value } = await this.#answers.next();
    if (value === undefined) throw new Error("the server of tests has ended");
    return JSON.parse(value) === 0;
  }

  #startServer() {
    const folder = join(this.root, "python");
    const server = spawn(PYTHON, [join(folder, "tools/forked_tests.py")], {
      cwd: folder,
      stdio: ["pipe", "pipe", "inherit"],
      env: {
        ...process.env,
        ...{ PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: "1", PYTHONWARNINGS: "ignore" },
        PYTEST_DISABLE_PLUGIN_AUTOLOAD: "1",
        ...{ DS_ACCELERATOR: "cpu", OMP_NUM_THREADS: "1" },
      },
    });
    this.#server = server;
    this.#answers = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  }
}
