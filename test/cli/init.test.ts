import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SHARED_FILES, STARTERS } from "../../src/cli/starters.js";
import { project, ROOT, skrull } from "./run.js";

const NAMES = Object.keys(STARTERS);

/** What lint says once it knows that there are only ten samples. */
const OF_TEN_SAMPLES = ["batch-exceeds-data", "interval-beyond-run"];

const codesIn = (json: string): readonly string[] =>
  JSON.parse(json).diagnostics.map(({ code }: { code: string }) => code);

describe("init", () => {
  it("knows every folder of templates", () => {
    expect(readdirSync(join(ROOT, "templates/init")).sort()).toEqual(
      [...NAMES, SHARED_FILES].sort(),
    );
  });

  for (const name of NAMES) {
    it(`${name}: lints clean, is formatted, compiles, and follows its own advice`, () => {
      const folder = project({});
      const run = skrull(["init", "new", "--template", name], { cwd: folder });
      expect(run).toMatchObject({ status: 0, stderr: "" });
      expect(run.stdout).toContain("wrote new/train.skrull\n");
      const lint = () => skrull(["lint", "new", "--format", "json"], { cwd: folder });
      expect(lint().status).toBe(0);
      expect(codesIn(lint().stdout)).toEqual([]);
      expect(skrull(["fmt", "--check", "new"], { cwd: folder }).status).toBe(0);
      const [, advice] = /^Next: skrull (.+)$/m.exec(run.stdout) ?? [];
      expect(skrull(advice?.split(" ") ?? [], { cwd: folder }).status).toBe(0);
      for (const code of codesIn(lint().stdout)) expect(OF_TEN_SAMPLES).toContain(code);
      const compile = skrull(["compile", "new/train.skrull", "--out", "run"], { cwd: folder });
      expect(compile.status).toBe(0);
      expect(existsSync(join(folder, "run/launch.sh"))).toBe(true);
    });
  }

  it("writes into the working folder, and says what else there is", () => {
    const folder = project({});
    const run = skrull(["init"], { cwd: folder });
    expect(run.status).toBe(0);
    expect(run.stdout).toContain("wrote train.skrull\n");
    for (const name of NAMES.filter((each) => each !== "one-node"))
      expect(run.stdout).toContain(`  ${name} `);
  });

  it("overwrites nothing, and writes nothing where something is in the way", () => {
    const folder = project({ "train.skrull": "mine" });
    const run = skrull(["init", "--template", "cpu"], { cwd: folder });
    expect(run).toMatchObject({ status: 1, stdout: "" });
    expect(run.stderr).toContain("train.skrull");
    expect(readFileSync(join(folder, "train.skrull"), "utf8")).toBe("mine");
    expect(readdirSync(folder)).toEqual(["train.skrull"]);
  });

  it("exits with 2 on a template that is not there, with those that are", () => {
    const run = skrull(["init", "--template", "tpu"]);
    expect(run.status).toBe(2);
    for (const name of NAMES) expect(run.stderr).toContain(name);
  });

  it("exits with 2 where the folder is a file", () => {
    const folder = project({});
    writeFileSync(join(folder, "file"), "");
    expect(skrull(["init", "file"], { cwd: folder }).status).toBe(2);
  });
});
