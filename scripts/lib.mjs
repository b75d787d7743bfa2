// Shared by the project's own scripts: running commands, and setting up what they need.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
export const VENV = join(ROOT, ".venv");
export const PYTHON = join(VENV, "bin", "python");
const STAMPS = join(ROOT, "node_modules", ".skrull-setup");

export const say = (text) => process.stderr.write(`==> ${text}\n`);

/** Runs a command in the project's root with its output shown; ends this program if it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: "inherit", ...options });
  if (result.error) fail(`${command}: ${result.error.message}`);
  if (result.status !== 0) {
    fail(
      `'${[command, ...args].join(" ")}' ended with ${result.signal ?? `exit code ${result.status}`}`,
      result.status ?? 1,
    );
  }
}

export function fail(message, code = 1) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(code);
}

/** Everything a command of this project needs, made once and again when its inputs change. */
export function setUp({ python = true } = {}) {
  checkNode();
  step("packages", "Installing Node packages", ["package-lock.json"], () =>
    run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
      stdio: ["ignore", process.stderr, "inherit"],
    }),
  );
  say("Building the compiler");
  run(process.execPath, [join("scripts", "build.mjs")]);
  linkCommand();
  if (python) {
    const inputs = ["python/requirements-dev.txt", "python/requirements.lock"];
    step(
      "python",
      "Making the Python environment .venv (torch is large: some minutes)",
      inputs,
      makeVenv,
      PYTHON,
    );
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    fail(`Node 20.19 or newer is needed; this is ${process.versions.node}`);
}

function step(name, title, inputs, action, product = join(ROOT, "node_modules")) {
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(readFileSync(join(ROOT, input)));
  const digest = hash.digest("hex");
  const stamp = join(STAMPS, name);
  if (existsSync(product) && existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  say(title);
  action();
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(stamp, digest);
}

/** `npx skrull` in the project's root runs what was built here. */
function linkCommand() {
  const link = join(ROOT, "node_modules", ".bin", "skrull");
  rmSync(link, { force: true });
  symlinkSync(join("..", "..", "dist", "cli", "main.js"), link);
  chmodSync(join(ROOT, "dist", "cli", "main.js"), 0o755);
}

function makeVenv() {
  const python = findPython();
  const install = (...args) =>
    run(PYTHON, ["-m", "pip", "install", "--disable-pip-version-check", "-q", ...args], {
      stdio: ["ignore", process.stderr, "inherit"],
    });
  run(python, ["-m", "venv", "--clear", VENV]);
  install("-r", "python/requirements-dev.txt", "-c", "python/requirements.lock");
}

/** A Python of a version that the runtime supports. */
export function findPython() {
  const candidates = [
    process.env.SKRULL_PYTHON,
    "python3",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
  ];
  const probe =
    "import sys, venv; sys.exit(0 if (3, 10) <= sys.version_info[:2] <= (3, 13) else 1)";
  for (const candidate of candidates) {
    if (candidate && spawnSync(candidate, ["-c", probe]).status === 0) return candidate;
  }
  return fail("Python 3.10 to 3.13 with its venv module is needed (set SKRULL_PYTHON to its path)");
}
