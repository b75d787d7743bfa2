import { describe, expect, it } from "vitest";
import { MemoryHost } from "../../src/host/memory-host.js";
import { importLoader } from "../../src/inputs/import-loader.js";
import { marksRoot, projectFolder } from "../../src/inputs/project-folder.js";
import { analyze } from "../../src/semantics/analyze.js";
import { spec } from "../cli/run.js";

const CONFIG = "skrull.config.yaml";
const folderOf = (files: Readonly<Record<string, string>>, own = "/a/b/c") => {
  const { folder, because, below } = projectFolder(new MemoryHost(files), own);
  return [folder, because, below.length];
};

describe("a project's folder", () => {
  it.each([
    ["the repository's", { "/a/.git/HEAD": "", [`/a/b/${CONFIG}`]: "" }, "/a", /\.git$/, 3],
    ["that of a worktree", { "/a/b/.git": "", [`/${CONFIG}`]: "" }, "/a/b", /\.git$/, 2],
    ["the outermost", { [`/a/${CONFIG}`]: "", [`/a/b/c/${CONFIG}`]: "" }, "/a", /outermost/, 3],
    ["marked", { "/a/.git/x": "", [`/a/b/${CONFIG}`]: "root: true" }, "/a/b", /root: true$/, 2],
    ["the spec's own", {}, "/a/b/c", /^the spec's own, as no folder above/, 1],
  ])("is %s", (_, files, folder, because, count) => {
    expect(folderOf(files)).toEqual([folder, expect.stringMatching(because), count]);
  });

  it.each([
    ["root: true", true],
    ["lint: {}\r\nroot:   true  # here\r\n", true],
    ["# root: true", false],
    ["lint:\n  root: true", false],
    ["root: false", false],
    ["root: trueish", false],
    ["", false],
  ])("is marked by a line of its own: %j", (text, marked) => expect(marksRoot(text)).toBe(marked));
});

describe("an import across folders", () => {
  const library = "skrull 1\nlet gib = 1 GiB\ncluster two { gpus = 2 gpu = cpu }";
  const text = spec({
    cluster: "= two",
    memory: "{ budget = gib reserve = 1 MiB bucket = 1K }",
  }).replace("skrull 1", 'skrull 1\nimport "../../shared/clusters.skrull"');
  const check = (more: Readonly<Record<string, string>>) => {
    const files = { "/r/shared/clusters.skrull": library, ...more };
    const host = new MemoryHost(
      Object.fromEntries(Object.entries(files).map(([name, own]) => [name, own])),
    );
    const load = importLoader(host, "/r/team/specs");
    return analyze("/r/team/specs/x.skrull", text, { load }).diagnostics;
  };

  it("is not cut off by a nearer configuration", () => {
    const inner = { [`/r/team/${CONFIG}`]: "" };
    expect(check({ ...inner, [`/r/${CONFIG}`]: "" })).toEqual([]);
    expect(check({ ...inner, "/r/.git/HEAD": "" })).toEqual([]);
  });

  it("that fails says of which folder and why, and is the only error", () => {
    const marked = check({ "/r/.git/HEAD": "", [`/r/team/${CONFIG}`]: "root: true\n" });
    expect(marked.map(({ code }) => code)).toEqual(["import-failed"]);
    expect(marked[0]?.message).toMatch(
      /outside the project's folder '.*team', whose skrull.config.yaml says root: true$/,
    );
    const alone = check({ [`/r/team/${CONFIG}`]: "" });
    expect(alone.map(({ message }) => message)).toEqual([
      expect.stringMatching(/team', the outermost with a skrull.config.yaml$/),
    ]);
    expect(check({})).toHaveLength(1);
  });
});
