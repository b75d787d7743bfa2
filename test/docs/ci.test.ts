import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ROOT, skrull } from "../cli/run.js";

const PAGE = readFileSync(join(ROOT, "docs/ci.md"), "utf8");
const HOOKS = parse(readFileSync(join(ROOT, ".pre-commit-hooks.yaml"), "utf8")) as readonly {
  readonly id: string;
  readonly entry: string;
  readonly files: string;
}[];

/** Help of a verb, which must exist. */
function helpOf(verb: string): string {
  const run = skrull([verb, "--help"]);
  expect(run.status, verb).toBe(0);
  return run.stdout;
}

describe("the page on CI", () => {
  const blocks = [...PAGE.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);

  it("shows YAML that is YAML", () => {
    expect(blocks.length).toBeGreaterThan(3);
    for (const block of blocks) expect(() => parse(block)).not.toThrow();
  });

  it("runs verbs and options that there are", () => {
    const commands = [...PAGE.matchAll(/skrull (fmt|lint|compile) ([^`\n]*)/g)];
    expect(commands.length).toBeGreaterThan(6);
    for (const [, verb = "", rest = ""] of commands) {
      const help = helpOf(verb);
      for (const [option] of rest.matchAll(/--[a-z-]+/g)) expect(help).toContain(option);
    }
  });

  it("names hooks that there are", () => {
    const used = [...PAGE.matchAll(/- id: (\S+)/g)].map(([, id]) => id);
    expect(used.sort()).toEqual(HOOKS.map(({ id }) => id).sort());
  });
});

describe("the pre-commit hooks", () => {
  it.each(HOOKS)("$id runs a verb on the files that it takes", ({ entry, files }) => {
    const [command, verb = ""] = entry.split(" ");
    expect(command).toBe("skrull");
    helpOf(verb);
    expect(new RegExp(files).test("specs/train.skrull")).toBe(true);
    expect(new RegExp(files).test("specs/train.skrull.yaml")).toBe(verb === "lint");
    expect(new RegExp(files).test("specs/train.skrull.bak")).toBe(false);
  });
});
