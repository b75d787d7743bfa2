import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { files, project, ROOT } from "../cli/run.js";

const CLEAN = "1 file checked: 0 errors, 0 warnings\n";

/** `lint` of a sound spec, with its cache in the project. */
function lint(
  folder: string,
  environment: Readonly<Record<string, string>> = {},
  what = "spec.skrull",
) {
  const command = [`${ROOT}dist/cli/main.js`, "lint", what];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, SKRULL_CACHE: join(folder, "cache"), NO_COLOR: "1", ...environment },
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

const sound = { status: 0, stdout: CLEAN, stderr: "" };
const kept = (folder: string) =>
  readdirSync(join(folder, "cache/code")).map((name) => join(folder, "cache/code", name));

function keptOnce(folder: string): string {
  lint(folder);
  const [path = "", ...others] = kept(folder);
  expect(others).toEqual([]);
  return path;
}

describe("compiled code of lint", () => {
  it("is kept by the first start and used by the next, which leaves it as it is", () => {
    const folder = project(files());
    const path = keptOnce(folder);
    const { ino, mode } = statSync(path);
    const digest = /^\/\/ ([\da-f]{32})/.exec(
      readFileSync(`${ROOT}dist/cli/lint.cjs`, "utf8"),
    )?.[1];
    expect(path).toContain(`${process.version}-${process.arch}-${digest}.bin`);
    expect(mode & 0o077).toBe(0);
    expect(lint(folder)).toEqual(sound);
    expect(statSync(path).ino).toBe(ino);
  });

  it("is made anew where the file is damaged, empty or somebody else's", () => {
    const folder = project(files());
    const path = keptOnce(folder);
    const whole = readFileSync(path);
    const turned = Buffer.from(whole);
    turned[whole.length >> 1] = ~(whole[whole.length >> 1] ?? 0) & 0xff;
    const wrong = [turned, whole.subarray(0, whole.length >> 1), Buffer.alloc(0), Buffer.alloc(99)];
    for (const bytes of wrong) {
      writeFileSync(path, bytes);
      const { ino } = statSync(path);
      expect(lint(folder)).toEqual(sound);
      expect(statSync(path).ino).not.toBe(ino);
      expect(readFileSync(path).length).toBeGreaterThan(100_000);
    }
  });

  it.skipIf(process.platform === "win32")("is not taken from a file that others may write", () => {
    const folder = project(files());
    const path = keptOnce(folder);
    chmodSync(path, 0o666);
    expect(lint(folder)).toEqual(sound);
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it("of an earlier version goes when that of this one comes; all else stays", () => {
    const folder = project(files());
    const cache = join(folder, "cache/code");
    mkdirSync(cache, { recursive: true });
    const stem = `${process.version}-${process.arch}-`;
    const others = ["v18.0.0-x64-00.bin", "notes.txt"];
    for (const name of [`${stem}00.bin`, ...others]) writeFileSync(join(cache, name), "");
    lint(folder);
    const names = readdirSync(cache);
    expect(names).toEqual(expect.arrayContaining(others));
    expect(names).not.toContain(`${stem}00.bin`);
    expect(names.filter((name) => name.startsWith(stem))).toHaveLength(1);
  });

  it("is not kept where there is no cache, it cannot be written or Node's own is switched off", () => {
    const folder = project({ ...files(), file: "" });
    const environments: Readonly<Record<string, string>>[] = [
      { SKRULL_CACHE: "" },
      { SKRULL_CACHE: join(folder, "file") },
      { SKRULL_CACHE: join(folder, "file/below") },
      { NODE_DISABLE_COMPILE_CACHE: "1" },
      ...(process.platform === "linux" ? [{ SKRULL_CACHE: "/proc/none" }] : []),
    ];
    for (const environment of environments) expect(lint(folder, environment)).toEqual(sound);
    expect(readdirSync(folder)).not.toContain("cache");
  });

  it("is not kept of starts that need little of it", () => {
    const folder = project({ ...files(), "broken.skrull": "skrull 1\nmodel {" });
    expect(lint(folder, {}, "--help").status).toBe(0);
    expect(lint(folder, {}, "--nothing").status).toBe(2);
    expect(lint(folder, {}, "nowhere.skrull").status).toBe(2);
    expect(lint(folder, {}, "broken.skrull").status).toBe(1);
    expect(readdirSync(folder)).not.toContain("cache");
  });

  it("changes no exit code and no message", () => {
    const folder = project({ ...files(), "broken.skrull": "skrull 1\nmodel {" });
    const before = lint(folder, {}, "broken.skrull");
    expect(before.status).toBe(1);
    expect(before.stdout).toContain("error [unexpected-token]");
    keptOnce(folder);
    expect(lint(folder, {}, "broken.skrull")).toEqual(before);
  });
});
