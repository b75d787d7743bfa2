import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Location, Range, WorkspaceEdit } from "vscode-languageserver-protocol";
import { files, spec } from "../cli/run.js";
import {
  CURSOR as C,
  type Client,
  edited,
  marked,
  positionOf,
  startClient,
  textAt,
} from "./client.js";

const CLUSTERS = `skrull 1
let wide = 2
cluster small { gpus = wide gpu = cpu }
cluster large extends small { nodes = wide }
`;
const SPEC = `skrull 1
import "shared/clusters.skrull"
let seq = 1K
cluster = small
${spec({ data: '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = seq * wide }' })
  .replace("skrull 1\n", "")
  .replace(/^cluster .*\n/m, "")}run short { data { max_length = seq } }
run long extends short { cluster = large }
`;
const OTHER = `skrull 1\nimport "shared/clusters.skrull"\ncluster three extends large { gpus = 3 }\n`;
const PROJECT = {
  ...files(),
  ".git/HEAD": "",
  "spec.skrull": SPEC,
  "other.skrull": OTHER,
  "shared/clusters.skrull": CLUSTERS,
  "unrelated.skrull": "skrull 1\nlet wide = 3\ncluster small { gpus = wide gpu = cpu }\n",
};
const TEXTS: Readonly<Record<string, string>> = PROJECT;

let client: Client;
beforeAll(async () => {
  client = await startClient(PROJECT);
  for (const name of ["spec.skrull", "shared/clusters.skrull"]) {
    await client.open(name);
    expect(await client.diagnostics(name)).toEqual([]);
  }
});

/** A place as `file: line of text with the range in brackets`. */
function shown({ uri, range }: { uri: string; range: Range }): string {
  const name = Object.keys(TEXTS).find((one) => client.uri(one) === uri) ?? uri;
  const text = TEXTS[name] ?? "";
  const line = text.split("\n")[range.start.line] ?? "";
  const { start, end } = range;
  const piece = line.slice(start.character, end.character);
  return `${name}: ${line.slice(0, start.character)}[${piece}]${line.slice(end.character)}`;
}

/** Position of the n-th occurrence of a word in a file of the project. */
function at(name: string, word: string, n = 0) {
  const parts = (TEXTS[name] ?? "").split(word);
  const position = positionOf(`${parts.slice(0, n + 1).join(word)}${word.slice(0, 1)}`);
  return { textDocument: { uri: client.uri(name) }, position };
}

const definition = (...place: Parameters<typeof at>) =>
  client.request<Location | null>("textDocument/definition", at(...place));

describe("definition", () => {
  it("of a constant, in this file and in an import", async () => {
    const seq = await definition("spec.skrull", "seq", 1);
    expect(seq && shown(seq)).toBe("spec.skrull: let [seq] = 1K");
    const wide = await definition("spec.skrull", "wide");
    expect(wide && shown(wide)).toBe("shared/clusters.skrull: let [wide] = 2");
  });

  it("of named blocks and runs, from a use, a base and the declaration itself", async () => {
    const small = await definition("spec.skrull", "small");
    expect(small && shown(small)).toContain("shared/clusters.skrull: cluster [small] {");
    const large = await definition("spec.skrull", "large");
    expect(large && shown(large)).toContain("shared/clusters.skrull: cluster [large] extends");
    const base = await definition("shared/clusters.skrull", "small", 1);
    expect(base && shown(base)).toContain("cluster [small] {");
    const short = await definition("spec.skrull", "short", 1);
    expect(short && shown(short)).toContain("run [short] {");
    const itself = await definition("spec.skrull", "short");
    expect(itself && shown(itself)).toContain("run [short] {");
  });

  it("of an import is the file", async () => {
    const file = await definition("spec.skrull", "shared/clusters.skrull");
    expect(file).toEqual({
      uri: client.uri("shared/clusters.skrull"),
      range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
    });
  });

  it("of anything else is none", async () => {
    expect(await definition("spec.skrull", "tokenizer")).toBeNull();
    expect(await definition("spec.skrull", "cpu")).toBeNull();
  });
});

describe("references", () => {
  const references = async (includeDeclaration: boolean, ...place: Parameters<typeof at>) => {
    const params = { ...at(...place), context: { includeDeclaration } };
    const found = await client.request<Location[] | null>("textDocument/references", params);
    return found?.map(shown) ?? null;
  };

  it("are found in every file of the project, and only where the same name is meant", async () => {
    expect(await references(true, "shared/clusters.skrull", "large")).toEqual([
      "shared/clusters.skrull: cluster [large] extends small { nodes = wide }",
      "other.skrull: cluster three extends [large] { gpus = 3 }",
      "spec.skrull: run long extends short { cluster = [large] }",
    ]);
    expect(await references(false, "spec.skrull", "wide")).toEqual([
      "shared/clusters.skrull: cluster small { gpus = [wide] gpu = cpu }",
      "shared/clusters.skrull: cluster large extends small { nodes = [wide] }",
      expect.stringMatching(/^spec\.skrull: data .* max_length = seq \* \[wide\] \}$/),
    ]);
    expect(await references(true, "unrelated.skrull", "wide")).toBeNull();
  });

  it("of a constant are not a key's own words", async () => {
    const text =
      "skrull 1\nlet packed = 2\ntrain { seed = packed }\nschedule { policy = packed }\n";
    await client.open("own.skrull", text);
    const found = await client.request<Location[]>("textDocument/references", {
      textDocument: { uri: client.uri("own.skrull") },
      position: { line: 1, character: 5 },
      context: { includeDeclaration: false },
    });
    expect(found.map(({ range }) => range.start)).toEqual([{ line: 2, character: 15 }]);
    await client.close("own.skrull");
  });

  it("of nothing are none", async () => {
    expect(await references(true, "spec.skrull", "tokenizer")).toBeNull();
  });
});

describe("rename", () => {
  const rename = async (newName: string, ...place: Parameters<typeof at>) => {
    const { changes = {} } = await client.request<WorkspaceEdit>("textDocument/rename", {
      ...at(...place),
      newName,
    });
    const names = Object.keys(TEXTS).filter((name) => changes[client.uri(name)]);
    expect(names).toHaveLength(Object.keys(changes).length);
    const texts = names.map((name) => [
      name,
      edited(TEXTS[name] ?? "", changes[client.uri(name)] ?? []),
    ]);
    return Object.fromEntries(texts) as Record<string, string>;
  };

  it("changes the declaration and every use, in all files", async () => {
    const changed = await rename("narrow", "spec.skrull", "small");
    expect(changed["shared/clusters.skrull"]).toBe(CLUSTERS.replaceAll("small", "narrow"));
    expect(changed["spec.skrull"]).toBe(SPEC.replace("cluster = small", "cluster = narrow"));
    expect(Object.keys(changed)).toEqual(["spec.skrull", "shared/clusters.skrull"]);
    const run = await rename("tiny", "spec.skrull", "short", 1);
    expect(run).toEqual({ "spec.skrull": SPEC.replaceAll("short", "tiny") });
  });

  it("leaves a project without diagnostics", async () => {
    const fresh = await startClient(PROJECT);
    const changed = await rename("ample-width_2", "shared/clusters.skrull", "wide");
    for (const name of ["shared/clusters.skrull", "spec.skrull"]) {
      await fresh.open(name, changed[name]);
      await fresh.diagnostics(name);
    }
    await fresh.change("spec.skrull", `${changed["spec.skrull"]}\n`);
    expect(await fresh.diagnostics("spec.skrull")).toEqual([]);
  });

  it("says beforehand what would be renamed", async () => {
    const prepare = (...place: Parameters<typeof at>) =>
      client.request<{ range: Range; placeholder: string } | null>(
        "textDocument/prepareRename",
        at(...place),
      );
    const found = await prepare("spec.skrull", "large");
    expect(found?.placeholder).toBe("large");
    expect(found && textAt(SPEC, found.range)).toBe("large");
    expect(await prepare("spec.skrull", "tokenizer")).toBeNull();
  });

  it.each([
    ["2wide", "'2wide' is no name: a letter or _, then letters, digits, _ and -."],
    ["", "'' is no name: a letter or _, then letters, digits, _ and -."],
    ["a b", "'a b' is no name: a letter or _, then letters, digits, _ and -."],
    ["auto", "'auto' is a word of the language: a key that takes it would not see the constant."],
    [
      "packed",
      "'packed' is a word of the language: a key that takes it would not see the constant.",
    ],
    ["extends", "'extends' is a word of the language."],
  ])("refuses %j for a constant", async (name, message) => {
    await expect(rename(name, "spec.skrull", "wide")).rejects.toThrow(message);
  });

  it("refuses a name that is taken where the old one is known", async () => {
    await expect(rename("seq", "shared/clusters.skrull", "wide")).rejects.toThrow(
      /^'seq' is already declared in .*spec\.skrull, line 3\.$/,
    );
    await expect(rename("three", "shared/clusters.skrull", "large")).rejects.toThrow(
      /^'three' is already declared in .*other\.skrull, line 3\.$/,
    );
    const kept = await rename("seq", "spec.skrull", "short");
    expect(kept["spec.skrull"]).toContain("run seq {");
  });
});

describe("an imported file", () => {
  /** Codes of what is shown of a file, once they are these. */
  const showsOnly = async (fresh: Client, name: string, codes: readonly string[]) => {
    const now = () =>
      fresh
        .shown(name)
        .at(-1)
        ?.diagnostics.map(({ code }) => code);
    while (now()?.join() !== codes.join()) await fresh.nextPublished();
  };

  it("is read as it is open, and what imports it is checked again when it changes", async () => {
    const fresh = await startClient(PROJECT);
    await fresh.open("spec.skrull");
    await showsOnly(fresh, "spec.skrull", []);
    await fresh.open("shared/clusters.skrull", CLUSTERS.replace("cluster large", "cluster huge"));
    await showsOnly(fresh, "spec.skrull", ["unknown-name"]);
    await fresh.close("shared/clusters.skrull");
    await showsOnly(fresh, "spec.skrull", []);
  });

  it("shows what is wrong in it where it is, also when only its user is open", async () => {
    const wrong = CLUSTERS.replace("gpus = wide", "gpus = wide / 4");
    const fresh = await startClient({ ...PROJECT, "shared/clusters.skrull": wrong });
    await fresh.open("spec.skrull");
    await showsOnly(fresh, "shared/clusters.skrull", ["wrong-type"]);
    await fresh.open("shared/clusters.skrull");
    await fresh.diagnostics("shared/clusters.skrull");
    await showsOnly(fresh, "shared/clusters.skrull", ["wrong-type"]);
    await fresh.change("shared/clusters.skrull", CLUSTERS);
    await showsOnly(fresh, "shared/clusters.skrull", []);
  });

  it("is read as it is open before it was ever saved, and missed again when that is closed", async () => {
    const { "shared/clusters.skrull": clusters, ...others } = PROJECT;
    const fresh = await startClient(others);
    await fresh.open("spec.skrull");
    await showsOnly(fresh, "spec.skrull", ["import-failed"]);
    await fresh.open("shared/clusters.skrull", clusters);
    await showsOnly(fresh, "spec.skrull", []);
    await fresh.close("shared/clusters.skrull");
    await showsOnly(fresh, "spec.skrull", ["import-failed"]);
    await fresh.open("../outside.skrull", "skrull 1\nlet a = 1\n");
    await fresh.change("spec.skrull", 'skrull 1\nimport "../outside.skrull"\nlet b = a\n');
    const [found] = (await fresh.published("spec.skrull", 2)).diagnostics;
    expect(String(found?.message)).toContain("outside the project's folder");
  });

  it("is found from a new document that has a folder but is no file yet", async () => {
    const fresh = await startClient(PROJECT);
    const uri = fresh.uri("shared/new.skrull").replace("file://", "untitled:");
    const text = 'skrull 1\nimport "clusters.skrull"\nlet more = wide\n';
    await fresh.connection.sendNotification("textDocument/didOpen", {
      textDocument: { uri, languageId: "skrull", version: 1, text },
    });
    const place = await fresh.request<Location>("textDocument/definition", {
      textDocument: { uri },
      position: { line: 2, character: 12 },
    });
    expect(place.uri).toBe(fresh.uri("shared/clusters.skrull"));
  });

  it("makes no others be checked again when it changes on the disk", async () => {
    const capabilities = { workspace: { didChangeWatchedFiles: { dynamicRegistration: true } } };
    const fresh = await startClient(PROJECT, capabilities);
    for (const name of ["spec.skrull", "unrelated.skrull"]) {
      await fresh.open(name);
      await fresh.diagnostics(name);
    }
    const timesShown = fresh.shown("unrelated.skrull").length;
    writeFileSync(join(fresh.folder, "shared/clusters.skrull"), "skrull 1\n");
    const uri = fresh.uri("shared/clusters.skrull");
    await fresh.connection.sendNotification("textDocument/didSave", { textDocument: { uri } });
    const changes = [{ uri, type: 2 }];
    await fresh.connection.sendNotification("workspace/didChangeWatchedFiles", { changes });
    await showsOnly(fresh, "spec.skrull", ["unknown-name", "unknown-name", "unknown-name"]);
    // What was shown in the same round has come before this answer.
    await fresh.request("textDocument/hover", at("spec.skrull", "seq"));
    expect(fresh.shown("unrelated.skrull")).toHaveLength(timesShown);
  });

  it("is read again when it changes on the disk", async () => {
    const capabilities = {
      workspace: { didChangeWatchedFiles: { dynamicRegistration: true } },
    };
    const fresh = await startClient(PROJECT, capabilities);
    await fresh.open("spec.skrull");
    await showsOnly(fresh, "spec.skrull", []);
    const path = join(fresh.folder, "shared/clusters.skrull");
    writeFileSync(path, CLUSTERS.replace("cluster large", "cluster huge"));
    const changes = [{ uri: fresh.uri("shared/clusters.skrull"), type: 2 }];
    await fresh.connection.sendNotification("workspace/didChangeWatchedFiles", { changes });
    await showsOnly(fresh, "spec.skrull", ["unknown-name"]);
    expect(fresh.registered).toEqual(["workspace/didChangeWatchedFiles"]);
  });

  it("has its names offered where they fit", async () => {
    const at = async (text: string) =>
      (await client.complete(text, "new.skrull")).map(({ label }) => label);
    const start = 'skrull 1\nimport "shared/clusters.skrull"\nlet own = 3\n';
    expect(await at(`${start}cluster = ${C}`)).toEqual(["small", "large"]);
    expect(await at(`${start}run a { cluster = ${C} }`)).toEqual(["small", "large"]);
    expect(await at(`${start}cluster new extends ${C} { }`)).toEqual(["small", "large"]);
    expect(await at(`${start}model = ${C}`)).toEqual([]);
    expect(await at(`${start}train { seed = ${C} }`)).toEqual(["own", "wide"]);
    expect(await at(`${start}train { seed = own * ${C} }`)).toContain("wide");
    expect(await at(`${start}let more = ${C}`)).toContain("wide");
    expect(await at(`${start}run one { }\nrun two extends ${C} { }`)).toEqual(["one"]);
    expect(await at(`${start}cluster new ${C}`)).toEqual(["extends"]);
  });

  it("is found by completion of import paths", async () => {
    const at = async (text: string) =>
      (await client.complete(text, "new.skrull")).map(({ label }) => label);
    expect(await at(`skrull 1\nimport "${C}"`)).toEqual([
      ...["other.skrull", "shared/", "spec.skrull", "unrelated.skrull"],
    ]);
    expect(await at(`skrull 1\nimport "shared/${C}`)).toEqual(["clusters.skrull"]);
  });
});

describe("hover on names", () => {
  const hover = async (...place: Parameters<typeof at>): Promise<string> => {
    const found = await client.request<{ contents: { value: string } }>(
      "textDocument/hover",
      at(...place),
    );
    return found.contents.value;
  };

  it("shows the declaration, and where it is", async () => {
    expect(await hover("spec.skrull", "small")).toBe(
      "Named block, from `clusters.skrull`\n\n```skrull\ncluster small { gpus = wide gpu = cpu }\n```",
    );
    expect(await hover("spec.skrull", "seq", 1)).toContain(
      "Constant\n\n```skrull\nlet seq = 1K\n```",
    );
    expect(await hover("spec.skrull", "short", 1)).toContain("Run\n\n```skrull\nrun short {");
  });

  it("on an import lists what it brings", async () => {
    expect(await hover("spec.skrull", "shared/clusters.skrull")).toBe(
      "`clusters.skrull` brings\n\n- constant `wide`\n- cluster `small`\n- cluster `large`",
    );
  });

  it("shows what a key comes to in each run", async () => {
    expect(await hover("spec.skrull", "max_length")).toContain("Here: `1,024 tokens`");
    const { whole } = marked(`${SPEC}run wide_one { data { max_length = 3K ${C}} }`);
    await client.open("three.skrull", whole);
    const line = whole.split("\n").findIndex((one) => one.startsWith("data"));
    const character = whole.split("\n")[line]?.indexOf("max_length") ?? 0;
    const found = await client.request<{ contents: { value: string } }>("textDocument/hover", {
      textDocument: { uri: client.uri("three.skrull") },
      position: { line, character },
    });
    expect(found.contents.value).toMatch(
      /In run short: `1,024 tokens` {2}\nIn run long: `1,024 tokens` {2}\nIn run wide_one: `3,072 tokens`$/,
    );
  });
});
