import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { circlesIn, graphOf } from "./circles.js";

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

/** Lines of a file; what is longer holds several ideas. */
const LONGEST_FILE = 400;

interface Import {
  readonly file: string;
  readonly from: string;
}

const FILES = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .sort();

function imports(): readonly Import[] {
  return FILES.flatMap((file) => {
    const text = readFileSync(join(SOURCE, file), "utf8");
    const found = text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g);
    return [...found].map((match) => ({ file, from: match[1] ?? "" }));
  });
}

const folderOf = (file: string) => file.split("/")[0] ?? "";
const targetOf = ({ file, from }: Import) => relative(SOURCE, join(SOURCE, dirname(file), from));

/** Folders of a file, the nearest last; `""` is `src/` itself. */
function foldersOf(file: string): readonly string[] {
  const parts = file.split("/").slice(0, -1);
  return ["", ...parts.map((_, n) => `${parts.slice(0, n + 1).join("/")}/`)];
}

describe("the layout", () => {
  const all = imports();
  /** From a file of src/ to another, imports of types too. */
  const edges = all
    .filter(({ from }) => from.startsWith("."))
    .map((one) => [one.file, targetOf(one).replace(/\.js$/, ".ts")] as const)
    .filter(([, target]) => FILES.includes(target));

  it("has every folder of src/ in the table", () => {
    const folders = readdirSync(SOURCE, { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(folders.map((entry) => entry.name).sort()).toEqual(Object.keys(ALLOWED).sort());
  });

  it("keeps data flowing one way", () => {
    const wrong = all
      .filter(({ from }) => from.startsWith("."))
      .map((one) => ({ file: one.file, target: targetOf(one) }))
      .filter(({ file, target }) => {
        const [own, other] = [folderOf(file), folderOf(target)];
        return own !== other && !ALLOWED[own]?.includes(other) && !target.startsWith("../schemas/");
      });
    expect(wrong).toEqual([]);
  });

  it("allows no circle of folders in the table", () => {
    const pairs = Object.entries(ALLOWED).flatMap(([folder, others]) =>
      others.map((other) => [folder, other] as const),
    );
    expect(circlesIn(graphOf(pairs))).toEqual([]);
  });

  it("has no circle of files", () => {
    expect(edges.length).toBeGreaterThan(FILES.length);
    expect(circlesIn(graphOf(edges))).toEqual([]);
  });

  // In the folder that it lies in, a folder is one module beside the files there.
  it("has no circle of folders, at any depth", () => {
    const names = new Set(FILES.flatMap(foldersOf));
    const moduleIn = (folder: string, file: string) =>
      folder + (file.slice(folder.length).split("/")[0] ?? "");
    const circles = [...names].flatMap((folder) => {
      const within = edges.filter((edge) => edge.every((file) => file.startsWith(folder)));
      return circlesIn(
        graphOf(within.map(([file, target]) => [moduleIn(folder, file), moduleIn(folder, target)])),
      );
    });
    expect(circles).toEqual([]);
  });

  it("has no long files, of either program", () => {
    const runtime = fileURLToPath(new URL("../python/skrull_runtime/", import.meta.url));
    const modules = readdirSync(runtime, { recursive: true, encoding: "utf8" });
    const long = [
      ...FILES.filter((file) => !file.endsWith(".generated.ts")).map((file) => join(SOURCE, file)),
      ...modules.filter((file) => file.endsWith(".py")).map((file) => join(runtime, file)),
    ]
      .filter((path) => !readFileSync(path, "utf8").startsWith("# Generated"))
      .filter((path) => readFileSync(path, "utf8").split("\n").length - 1 > LONGEST_FILE);
    expect(long).toEqual([]);
  });

  it("uses Node only behind the host", () => {
    const wrong = all.filter(
      ({ file, from }) =>
        from.startsWith("node:") && !USES_NODE.includes(folderOf(file)) && file !== ENTRY_POINT,
    );
    expect(wrong).toEqual([]);
  });
});

describe("circles of a graph", () => {
  it("are found, each once, wherever a walk begins", () => {
    const edges = [
      ["entry", "a"],
      ["a", "b"],
      ["b", "c"],
      ["c", "a"],
      ["c", "leaf"],
      ["x", "y"],
      ["y", "x"],
    ] as const;
    expect(circlesIn(graphOf(edges))).toEqual(["a -> b -> c -> a", "x -> y -> x"]);
    expect(circlesIn(graphOf(edges.filter(([from]) => from !== "c" && from !== "y")))).toEqual([]);
  });
});
