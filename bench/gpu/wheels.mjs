// DeepSpeed without its operators, and what it needs besides torch, as wheels for other machines.

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fail, PYTHON, ROOT } from "../../scripts/lib.mjs";

const MOST_BYTES = 60e6; // of all wheels
const PLATFORMS = ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"];
// Neither torch and numpy, which the machine has, nor ninja, which only operators are built with.
const NEEDED = [
  "annotated-types",
  "einops",
  "hjson",
  "msgpack",
  "packaging",
  "psutil",
  "py-cpuinfo",
  "pydantic",
  "pydantic-core",
  "tqdm",
  "typing-extensions",
  "typing-inspection",
];

/** Brings them, a folder for each version of Python; their bytes. */
export function bringWheels(folder, pythons) {
  const versions = lockedVersions();
  const common = join(folder, "any");
  mkdirSync(common, { recursive: true });
  pip([
    "wheel",
    "--no-deps",
    "--no-build-isolation",
    "-w",
    common,
    `deepspeed==${versions.deepspeed}`,
  ]);
  for (const python of pythons) {
    if (!/^3\.\d+$/.test(python)) fail(`'${python}' is no version of Python, such as 3.12`, 2);
    const own = join(folder, `cp${python.replace(".", "")}`);
    const platforms = PLATFORMS.flatMap((name) => ["--platform", name]);
    const target = ["--only-binary=:all:", "--implementation", "cp", "--python-version", python];
    const packages = NEEDED.map((name) => `${name}==${versions[name]}`);
    pip(["download", "--no-deps", ...target, ...platforms, "-d", own, ...packages]);
  }
  const bytes = bytesBelow(folder);
  if (bytes > MOST_BYTES) fail(`the wheels have ${(bytes / 1e6).toFixed(1)} MB, more than 60`);
  return bytes;
}

function lockedVersions() {
  const lines = readFileSync(join(ROOT, "python/requirements.lock"), "utf8").split("\n");
  const pinned = lines.map((line) => /^([\w.-]+)==([^\s;]+)/.exec(line)).filter(Boolean);
  return Object.fromEntries(pinned.map(([, name, version]) => [name, version]));
}

function pip(args) {
  const { status, error, stderr } = spawnSync(PYTHON, ["-m", "pip", ...args, "-q"], {
    env: { ...process.env, DS_BUILD_OPS: "0" },
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (error) fail(`${PYTHON}: ${error.message} (npm run setup makes it)`, 2);
  if (status === 0) return;
  const reason = stderr.split("\n").filter((line) => line.startsWith("ERROR:"));
  fail(
    `pip ${args[0]} failed (is a package index within reach?): ${reason.at(-1) ?? stderr.trim()}`,
    2,
  );
}

function bytesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce(
      (sum, entry) => sum + statSync(join(entry.parentPath ?? entry.path, entry.name)).size,
      0,
    );
}
