import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SOURCE = fileURLToPath(new URL("../src/", import.meta.url));

/** Which folders of src/ a folder may import from, besides itself. docs/architecture.md explains why. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  foundation: [],
  diagnostics: ["foundation"],
  host: ["foundation"],
  cost: ["foundation"],
  schedule: ["foundation"],
  catalogue: ["foundation", "diagnostics", "cost"],
  syntax: ["foundation", "diagnostics"],
  language: ["foundation", "catalogue", "cost"],
  semantics: ["foundation", "diagnostics", "syntax", "language", "catalogue"],
  format: ["foundation", "diagnostics", "syntax"],
  engine: ["host"],
  lengths: ["foundation", "host", "catalogue", "engine"],
  plan: [
    ...["foundation", "diagnostics", "language", "semantics", "catalogue", "cost", "schedule"],
    "lengths",
  ],
  inputs: [
    ...["foundation", "diagnostics", "language", "semantics", "catalogue", "host", "lengths"],
    "engine",
  ],
  lint: [
    ...["foundation", "diagnostics", "language", "semantics", "syntax", "catalogue", "cost"],
    ...["host", "lengths", "plan", "inputs"],
  ],
  emit: ["foundation", "lengths", "plan", "schedule"],
  writer: ["foundation", "emit", "host"],
  server: [
    ...["foundation", "diagnostics", "host", "catalogue", "syntax", "language", "semantics"],
    ...["format", "lint", "plan", "inputs"],
  ],
  cli: [
    ...["foundation", "diagnostics", "host", "schedule", "catalogue", "syntax", "language"],
    ...["semantics", "format", "engine", "lengths", "plan", "inputs", "lint", "emit", "writer"],
    "server",
  ],
};

/** Folders whose own files may use Node: everything else also runs in a browser. */
const USES_NODE = ["host"];
/** The program's entry point holds the process's streams and arguments. */
const ENTRY_POINT = "cli/main.ts";

interface Import {
  readonly file: string;
  readonly from: string;
}

function imports(): readonly Import[] {
  const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => {
      const text = readFileSync(join(SOURCE, file), "utf8");
      const found = text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g);
      return [...found].map((match) => ({ file, from: match[1] ?? "" }));
    });
}

const folderOf = (file: string) => file.split("/")[0] ?? "";

describe("the layout", () => {
  const all = imports();

  it("has every folder of src/ in the table", () => {
    const folders = readdirSync(SOURCE, { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(folders.map((entry) => entry.name).sort()).toEqual(Object.keys(ALLOWED).sort());
  });

  it("keeps data flowing one way", () => {
    const wrong = all
      .filter(({ from }) => from.startsWith("."))
      .map(({ file, from }) => ({
        file,
        target: relative(SOURCE, join(SOURCE, dirname(file), from)),
      }))
      .filter(({ file, target }) => {
        const [own, other] = [folderOf(file), folderOf(target)];
        return own !== other && !ALLOWED[own]?.includes(other) && !target.startsWith("../schemas/");
      });
    expect(wrong).toEqual([]);
  });

  it("allows no circle of folders", () => {
    const done = new Set<string>();
    const visit = (folder: string, path: readonly string[]): void => {
      expect(path).not.toContain(folder);
      if (done.has(folder)) return;
      for (const next of ALLOWED[folder] ?? []) visit(next, [...path, folder]);
      done.add(folder);
    };
    for (const folder of Object.keys(ALLOWED)) visit(folder, []);
  });

  it("uses Node only behind the host", () => {
    const wrong = all.filter(
      ({ file, from }) =>
        from.startsWith("node:") && !USES_NODE.includes(folderOf(file)) && file !== ENTRY_POINT,
    );
    expect(wrong).toEqual([]);
  });
});
