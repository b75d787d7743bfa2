import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findServer } from "../../editors/vscode/src/find-server.js";
import { project, ROOT } from "../cli/run.js";

const FOLDER = join(ROOT, "editors", "vscode");
const read = (name: string) => JSON.parse(readFileSync(join(FOLDER, name), "utf8"));

describe("the extension's manifest", () => {
  const manifest = read("package.json");

  it("has the compiler's version, and names files that are there", () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(manifest.version).toBe(version);
    const { languages, grammars } = manifest.contributes;
    for (const path of [languages[0].configuration, grammars[0].path])
      expect(existsSync(join(FOLDER, path))).toBe(true);
    expect(read(grammars[0].path).scopeName).toBe(grammars[0].scopeName);
  });

  it("gives the server's own kind of token a colour", () => {
    const { semanticTokenTypes, semanticTokenScopes } = manifest.contributes;
    expect(semanticTokenTypes[0]).toMatchObject({ id: "unit", superType: "number" });
    expect(semanticTokenScopes[0].scopes.unit).toEqual(["keyword.other.unit.skrull"]);
  });

  it("packs what it needs and nothing else", () => {
    const packed = readFileSync(join(FOLDER, ".vscodeignore"), "utf8").split("\n");
    expect(packed[0]).toBe("**");
    expect(packed).toContain(`!${manifest.main.slice(2)}`);
    const { dependencies } = manifest;
    expect(dependencies).toBeUndefined();
  });
});

describe("the extension's start", () => {
  it("is a folder with a spec in YAML or JSON, too", () => {
    const { activationEvents } = read("package.json");
    const endings = ["yaml", "yml", "json"];
    expect(activationEvents).toEqual(endings.map((end) => `workspaceContains:**/*.skrull.${end}`));
  });

  it("waits until the workspace is trusted, whose code it runs", () => {
    expect(read("package.json").capabilities.untrustedWorkspaces.supported).toBe(false);
  });
});

it("indents after an open bracket, and not after one in a string or a comment", () => {
  const rules = read("language-configuration.json").indentationRules;
  const increases = new RegExp(rules.increaseIndentPattern);
  const opening = ["cluster {", 'model "Qwen/Qwen2.5-0.5B" {', "train = [ # files", "a = ( // b"];
  for (const line of opening) expect(line).toMatch(increases);
  for (const line of ["# see {", "a = 4 // {", 'a = "{"', "cluster { }", 'a = "\\"{'])
    expect(line).not.toMatch(increases);
  expect(`${'"'.repeat(5000)}!`).not.toMatch(increases);
  for (const line of ["  }", "  ]", ")"])
    expect(line).toMatch(new RegExp(rules.decreaseIndentPattern));
});

describe("the extension finds the compiler", () => {
  const installed = "node_modules/skrull/dist/cli/main.js";

  it("in the setting first", () => {
    const folder = project({ [installed]: "" });
    expect(findServer("/opt/skrull", [folder])).toEqual({ command: "/opt/skrull" });
    expect(findServer("tools/main.js", [folder])).toEqual({
      module: join(folder, "tools/main.js"),
    });
    expect(findServer("skrull-next", [folder])).toEqual({ command: "skrull-next" });
  });

  it("which Windows starts by its shell where it is a script of that", () => {
    const command = "C:\\Program Files\\skrull.CMD";
    expect(findServer(command, [])).toEqual({ command: `"${command}"`, shell: true });
  });

  it("then in the workspace's packages, or in a checkout of its own", () => {
    const other = project({ "dist/cli/main.js": "" });
    const folder = project({
      [installed]: "",
      "dist/cli/main.js": "",
      "dist/server/server.js": "",
    });
    expect(findServer("", [other, folder])).toEqual({ module: join(folder, installed) });
    const checkout = project({ "dist/cli/main.js": "", "dist/server/server.js": "" });
    expect(findServer("", [checkout])).toEqual({ module: join(checkout, "dist/cli/main.js") });
  });

  it("else on the PATH", () => {
    expect(findServer("", [project({ "dist/cli/main.js": "" })])).toEqual({ command: "skrull" });
    expect(findServer("", [])).toEqual({ command: "skrull" });
  });
});
