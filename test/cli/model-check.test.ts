import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { files, MODEL, project, skrull, spec } from "./run.js";

const OLMO = { ...JSON.parse(MODEL), model_type: "olmo2" };
const LOCAL = { parallel: "{ context = 1 }" };

/** A project with a model of a kind that is in no table of tested ones. */
const untested = (layers: string): string =>
  project({
    ...files(LOCAL),
    "model.json": JSON.stringify({ ...OLMO, layer_types: [layers, layers] }),
  });

const compile = (cwd: string, out: string) =>
  skrull(["compile", "spec.skrull", "--out", out], { cwd });
const checkOf = (cwd: string): unknown =>
  JSON.parse(skrull(["plan", "spec.skrull", "--format", "json"], { cwd }).stdout).model_check;

describe("a model of a kind that was never tested", () => {
  it("is checked by compile, once, and its verdict is no part of what is written", () => {
    const cwd = untested("full_attention");
    expect(checkOf(cwd)).toBe("unchecked");
    const first = compile(cwd, "run");
    expect(first.status).toBe(0);
    expect(first.stderr).toContain("checking the model, as no olmo2 like it was tested\n");
    expect(first.stderr).not.toContain("[model-unchecked]");
    expect(checkOf(cwd)).toBe("checked");
    expect(skrull(["lint", "spec.skrull"], { cwd }).stdout).not.toContain("model-unchecked");
    expect(compile(cwd, "run").stderr).not.toContain("checking");
    forget(cwd);
    expect(checkOf(cwd)).toBe("unchecked");
    const same = skrull(["compile", "spec.skrull", "--out", "run", "--check"], { cwd });
    expect(same.stdout).toBe("run is up to date\n");
  }, 180_000);

  it("is refused by compile, and then by plan and lint, in the words of a run", () => {
    const cwd = untested("chunked_attention");
    const words =
      "model_type = olmo2 cannot be trained: its attention sees blocks of tokens (chunked_attention), which skrull does not know";
    const compiled = compile(cwd, "run");
    expect([compiled.status, compiled.stderr]).toEqual([1, expect.stringContaining(words)]);
    for (const verb of ["plan", "lint"]) {
      const { status, stdout, stderr } = skrull([verb, "spec.skrull"], { cwd });
      expect(status).toBe(1);
      expect(stdout + stderr).toContain(words);
    }
    // What is kept may be something else.
    forget(cwd, '{"verdict":"fine"}');
    expect(skrull(["lint", "spec.skrull"], { cwd }).stdout).toContain("[model-unchecked]");
  }, 180_000);
});

it("tells of a tested model that it is one", () => {
  const cwd = project({ ...files(), "spec.skrull": spec() });
  expect(checkOf(cwd)).toBe("tested");
});

/** Every kept verdict becomes something else. */
function forget(cwd: string, content = ""): void {
  const folder = join(cwd, ".skrull-test-cache", "verdicts");
  for (const name of readdirSync(folder)) writeFileSync(join(folder, name), content);
}
