import { describe, expect, it } from "vitest";
import { applyEdits } from "../../src/diagnostics/fixes.js";
import { analyze } from "../../src/semantics/analyze.js";
import { setValues, type Values } from "../../src/semantics/set-values.js";
import { readYaml } from "../../src/syntax/yaml/read-yaml.js";

function edited(text: string, values: Values, run?: string, file = "a.skrull"): string {
  const { documents } = analyze(file, text, { yaml: readYaml });
  const [document] = documents;
  if (!document) throw new Error("no document");
  const set = setValues(document, run, values);
  return set.ok ? applyEdits(text, set.edits) : `refused: ${set.problem}`;
}

describe("values of a spec", () => {
  it("are replaced where they stand, whatever stands around them", () => {
    const text = "skrull 1\nparallel { context = auto # why\n  zero  =  2 // and this\n}\n";
    expect(edited(text, { parallel: { zero: 3 } })).toBe(text.replace("2 //", "3 //"));
    expect(edited(text, { parallel: { zero: 1, context: 4 } })).toBe(
      text.replace("2 //", "1 //").replace("auto", "4"),
    );
  });

  it("replace constants where they are used", () => {
    const text = "skrull 1\nlet stage = 2\nparallel { zero = stage }\n";
    expect(edited(text, { parallel: { zero: 3 } })).toBe(text.replace("= stage }", "= 3 }"));
  });

  it("replace a key under its earlier name too", () => {
    const text = "skrull 1\ntrain { clip = 1 }\n";
    expect(edited(text, { train: { clip_norm: 2 } })).toBe(text.replace("= 1", "= 2"));
  });

  it("are added to their block, on a line of their own where its brace has one", () => {
    expect(edited("skrull 1\nmemory { reserve = 1 GiB }\n", { memory: { offload: "all" } })).toBe(
      "skrull 1\nmemory { reserve = 1 GiB offload = all }\n",
    );
    expect(edited("skrull 1\nmemory {}\n", { memory: { offload: "all", bucket: 5 } })).toBe(
      "skrull 1\nmemory { offload = all  bucket = 5 }\n",
    );
    const lines = "skrull 1\r\nrun a {\r\n  memory {\r\n    reserve = 1 GiB # x\r\n  }\r\n}\r\n";
    expect(edited(lines, { memory: { offload: "all", bucket: 5 } }, "a")).toBe(
      lines.replace("# x\r\n", "# x\r\n    offload = all\r\n    bucket = 5\r\n"),
    );
  });

  it("are added with their block, at the end of the file or of the run", () => {
    expect(edited("skrull 1\nmodel {}", { memory: { offload: "all" }, lora: { rank: 8 } })).toBe(
      "skrull 1\nmodel {}\n\nmemory { offload = all }\n\nlora { rank = 8 }\n",
    );
    const runs = "skrull 1\nparallel { zero = 2 }\nrun a {\n  model {}\n}\nrun b { model {} }\n";
    expect(edited(runs, { parallel: { zero: 3 } }, "a")).toBe(
      runs.replace("  model {}\n", "  model {}\n  parallel { zero = 3 }\n"),
    );
    expect(edited(runs, { parallel: { zero: 3 } }, "b")).toBe(
      runs.replace("b { model {} }", "b { model {} parallel { zero = 3 } }"),
    );
  });

  it("extend a block that is declared elsewhere", () => {
    const text = "skrull 1\nmemory big { reserve = 1 GiB }\nmemory = big\nmodel {}\n";
    expect(edited(text, { memory: { offload: "all" } })).toBe(
      text.replace("memory = big", "memory extends big { offload = all }"),
    );
  });

  it("are taken out, with their line where they are alone on it", () => {
    expect(edited("skrull 1\nmemory {\n  bucket = 4K\n}\n", { memory: { bucket: null } })).toBe(
      "skrull 1\nmemory {\n}\n",
    );
    expect(
      edited("skrull 1\nmemory { bucket = 4K  reserve = 1 GiB }\n", { memory: { bucket: null } }),
    ).toBe("skrull 1\nmemory {  reserve = 1 GiB }\n");
  });

  it("cannot be taken back where another place sets them", () => {
    const text = "skrull 1\nmemory { bucket = 4K }\nrun a { memory { reserve = 1 GiB } }\n";
    expect(edited(text, { memory: { bucket: null } }, "a")).toMatch(
      /^refused: memory.bucket is set/,
    );
    expect(edited(text, { memory: { bucket: 8 } }, "b")).toBe("refused: the file has no run b");
  });

  it("are replaced in YAML, and nothing is added to it", () => {
    const yaml = "skrull: 1\nparallel: { zero: 2 } # why\n";
    expect(edited(yaml, { parallel: { zero: 3 } }, undefined, "a.skrull.yaml")).toBe(
      yaml.replace("2 }", "3 }"),
    );
    for (const values of [{ parallel: { context: 4 } }, { memory: { bucket: 5 } }])
      expect(edited(yaml, values, undefined, "a.skrull.yaml")).toMatch(
        /^refused: .* cannot be added to YAML or JSON$/,
      );
  });
});
