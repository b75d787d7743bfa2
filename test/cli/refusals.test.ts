import { describe, expect, it } from "vitest";
import { files, project, skrull } from "./run.js";

const VERBS = ["plan", "compare", "tune"];
const TOO_SMALL = { memory: "{ budget = 1 MiB reserve = 0 B }" };

/** What each verb prints where it refuses: one document, and its exit code. */
function documentsOf(cwd: string, ...more: readonly string[]) {
  return VERBS.map((verb) => {
    const { status, stdout } = skrull([verb, "spec.skrull", "--format", "json", ...more], { cwd });
    return { verb, status, document: JSON.parse(stdout) };
  });
}

describe("a refusal is one JSON document with its error and diagnostics", () => {
  const refused: readonly (readonly [string, Record<string, string>, string])[] = [
    ["a syntax error", { "spec.skrull": "skrull 1\nmodel {" }, "unexpected-text"],
    [
      "a value that is wrong",
      files({ train: "{ optimizer = adamw { lr = -1 } }" }),
      "out-of-range",
    ],
    [
      "data that is not there",
      files({ data: '{ train = ["no.jsonl"] tokenizer = "bytes" max_length = 1K }' }),
      "unreadable-file",
    ],
    ["a model that cannot be read", { ...files(), "model.json": "{" }, "unreadable-file"],
    [
      "more ranks than can be planned",
      files({ cluster: "{ nodes = 65536 gpus = 1024 gpu = cpu }" }),
      "too-many-ranks",
    ],
  ];

  it.each(refused)("of %s", (_, content, code) => {
    for (const { verb, status, document } of documentsOf(project(content))) {
      expect(status, verb).toBe(1);
      expect(document.format_version).toBe(1);
      expect(document.error.message).not.toBe("");
      expect(document.diagnostics.map((found: { code: string }) => found.code)).toContain(
        document.error.code,
      );
      if (code !== "unexpected-text") expect(document.error.code).toBe(code);
      expect(document.diagnostics[0].range.start.line).toBeGreaterThan(0);
      expect(document.summary.errors).toBeGreaterThan(0);
    }
  });

  it("of what does not fit", () => {
    const documents = documentsOf(project(files(TOO_SMALL)));
    for (const { status, document } of documents) expect(status).toBe(document.error ? 1 : 0);
    expect(documents.map(({ document }) => document.error.code)).toEqual([
      "states-exceed-budget",
      "states-exceed-budget",
      "nothing-fits",
    ]);
    expect(documents[2]?.document.settings.length).toBeGreaterThan(0);
    expect(documents[2]?.document.settings[0].needed_bytes).toBeGreaterThan(2 ** 20);
  });

  it("of a run that is not there, and of a file that is not there", () => {
    const cwd = project(files());
    for (const { status, document } of documentsOf(cwd, "--run", "other"))
      expect([status, document.error.code]).toEqual([1, "unknown-name"]);
    const missing = skrull(["plan", "no.skrull", "--format", "json"], { cwd });
    expect(missing.status).toBe(2);
    const { error, diagnostics } = JSON.parse(missing.stdout);
    expect([error.code, diagnostics]).toEqual(["unreadable-file", []]);
    const policy = skrull(["compare", "spec.skrull", "--policies", "fast", "--format", "json"], {
      cwd,
    });
    expect([policy.status, JSON.parse(policy.stdout).error.code]).toEqual([2, "unknown-policy"]);
  });
});

it("puts what was found beside a result too", () => {
  const cwd = project(files({ schedule: "{ global_batch = 1 }", parallel: "{ context = 1 }" }));
  for (const { verb, status, document } of documentsOf(cwd)) {
    expect(status, verb).toBe(0);
    expect(document.error).toBeUndefined();
    expect(Array.isArray(document.diagnostics)).toBe(true);
    if (verb === "plan")
      expect(document.diagnostics.map((found: { code: string }) => found.code)).toContain(
        "idle-ranks",
      );
  }
});
