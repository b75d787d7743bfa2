import { chmodSync, lstatSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { project, skrull } from "./run.js";

const read = (folder: string, name: string) => readFileSync(join(folder, name), "utf8");
const UGLY = "a=1 # one\nlonger   =  2\n";
const CLEAN = "a      = 1  # one\nlonger = 2\n";
const WRONG = "a = = 1\n";

describe("fmt", () => {
  it("formats files and folders in place, and says which", () => {
    const folder = project({ "a.skrull": UGLY, "sub/b.skrull": UGLY, "sub/c.skrull": CLEAN });
    const run = skrull(["fmt", "a.skrull", "sub"], { cwd: folder });
    expect(run).toMatchObject({ status: 0, stdout: "a.skrull\nsub/b.skrull\n" });
    expect(run.stderr).toContain("3 files checked: 2 formatted");
    expect(["a.skrull", "sub/b.skrull"].map((name) => read(folder, name))).toEqual([CLEAN, CLEAN]);
  });

  it("leaves a file with syntax errors alone, says where, and goes on", () => {
    const folder = project({ "a.skrull": WRONG, "b.skrull": UGLY });
    const run = skrull(["fmt", "."], { cwd: folder });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("a.skrull:1:5");
    expect(read(folder, "a.skrull")).toBe(WRONG);
    expect(read(folder, "b.skrull")).toBe(CLEAN);
  });

  it("goes on after a file that cannot be read", () => {
    const folder = project({ "b.skrull": UGLY });
    symlinkSync("nowhere.skrull", join(folder, "a.skrull"));
    const run = skrull(["fmt", "."], { cwd: folder });
    expect(run.status).toBe(2);
    expect(run.stderr).toContain("error: a.skrull: no such file or folder\n");
    expect(read(folder, "b.skrull")).toBe(CLEAN);
  });

  it("checks without writing", () => {
    const folder = project({ "a.skrull": UGLY, "b.skrull": CLEAN });
    expect(skrull(["fmt", "--check", "."], { cwd: folder })).toMatchObject({
      status: 1,
      stdout: "a.skrull\n",
    });
    expect(skrull(["fmt", "--check", "b.skrull"], { cwd: folder }).status).toBe(0);
    expect(read(folder, "a.skrull")).toBe(UGLY);
  });

  it("shows a unified diff without writing", () => {
    const folder = project({ "a.skrull": UGLY });
    const run = skrull(["fmt", "--check", "--diff", "a.skrull"], { cwd: folder });
    expect(run.status).toBe(1);
    expect(run.stdout).toBe(
      [
        "--- a/a.skrull",
        "+++ b/a.skrull",
        "@@ -1,2 +1,2 @@",
        "-a=1 # one",
        "-longer   =  2",
        "+a      = 1  # one",
        "+longer = 2",
        "",
      ].join("\n"),
    );
    expect(read(folder, "a.skrull")).toBe(UGLY);
  });

  it("formats standard input to standard output", () => {
    expect(skrull(["fmt", "-"], { input: UGLY })).toMatchObject({ status: 0, stdout: CLEAN });
    expect(skrull(["fmt", "-", "--check"], { input: UGLY })).toMatchObject({
      status: 1,
      stdout: "",
    });
    expect(skrull(["fmt", "-", "--check"], { input: CLEAN }).status).toBe(0);
    const wrong = skrull(["fmt", "-"], { input: WRONG });
    expect(wrong).toMatchObject({ status: 1, stdout: "" });
    expect(wrong.stderr).toContain("stdin:1:5");
  });

  it("keeps links and permissions", () => {
    const folder = project({ "real/a.skrull": UGLY });
    chmodSync(join(folder, "real/a.skrull"), 0o600);
    symlinkSync("real/a.skrull", join(folder, "link.skrull"));
    expect(skrull(["fmt", "link.skrull"], { cwd: folder }).status).toBe(0);
    expect(lstatSync(join(folder, "link.skrull")).isSymbolicLink()).toBe(true);
    expect(read(folder, "real/a.skrull")).toBe(CLEAN);
    expect(statSync(join(folder, "real/a.skrull")).mode & 0o777).toBe(0o600);
  });

  it("exits with 2 on what it cannot format", () => {
    const folder = project({ "empty/x.txt": "", "a.skrull.yaml": "skrull: 1\n", "b.skrull": "" });
    for (const paths of [["missing.skrull"], ["empty"], ["a.skrull.yaml"], ["-", "b.skrull"], []]) {
      const run = skrull(["fmt", ...paths], { cwd: folder });
      expect(run).toMatchObject({ status: 2, stdout: "" });
      expect(run.stderr).toMatch(/^error: /);
    }
  });
});
