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
