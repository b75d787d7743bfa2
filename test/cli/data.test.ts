import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { conversation, DATA, files, PYTHON, project, ROOT, skrull } from "./run.js";

const block = (rest: string, train = '["data.jsonl"]') =>
  `{ train = ${train} tokenizer = "bytes" max_length = 1K ${rest} }`;

/** The data part of a plan. */
function planned(folder: string) {
  const run = skrull(["plan", "spec.skrull", "--format", "json"], { cwd: folder });
  expect(run.status, run.stderr).toBe(0);
  const { data, evaluation } = JSON.parse(run.stdout);
  return { ...data.summary, evaluation: evaluation?.summary };
}

const plannedWith = (data: string, more: Readonly<Record<string, string | Uint8Array>> = {}) =>
  planned(project({ ...files({ data }), ...more }));

describe("data", () => {
  it("is the same in every file format", () => {
    const rows = DATA.trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const expected = plannedWith(block(""));
    const formats = {
      "data.json": JSON.stringify(rows, null, 2),
      "data.jsonl.gz": gzipSync(DATA),
    };
    for (const [name, content] of Object.entries(formats)) {
      const found = plannedWith(block("", JSON.stringify([name])), { [name]: content });
      expect(found).toEqual(expected);
    }
  });

  it("is left out as the spec says, and counted", () => {
    const doubled = { "data.jsonl": `${DATA}${conversation("a")}` };
    expect(plannedWith(block("unique = true"), doubled)).toMatchObject({
      samples: 5,
      left_out: { duplicates: 1 },
    });
    expect(plannedWith(block("min_turns = 1"), doubled)).toMatchObject({ samples: 6 });
    const short = skrull(["plan", "spec.skrull"], {
      cwd: project(files({ data: block("min_turns = 2") })),
    });
    expect(short.status).toBe(1);
    expect(short.stderr).toContain("[no-samples]");
  });

  it("is held out in part, the same samples whatever their order", () => {
    const many = Array.from({ length: 200 }, (_, n) => conversation(`question ${n}`));
    const parts = (lines: readonly string[]) => {
      const spec = files({ evaluate: "{ share = 0.25 }" });
      return planned(project({ ...spec, "data.jsonl": lines.join("") }));
    };
    const forward = parts(many);
    expect(forward.samples + forward.evaluation.samples).toBe(200);
    expect(forward.evaluation.samples).toBeGreaterThan(25);
    expect(forward.evaluation.samples).toBeLessThan(75);
    const back = parts([...many].reverse());
    expect([back.tokens, back.evaluation.tokens]).toEqual([
      forward.tokens,
      forward.evaluation.tokens,
    ]);
  });

  it("of the hub is read through datasets, once", () => {
    const train = '["hub:owner/talks:test@v1"]';
    const folder = project({
      ...files({ data: block("", train) }),
      "stand/datasets.py": `def load_dataset(*names, **options):
    assert names[0] == "owner/talks" and options["split"] == "test", (names, options)
    return [{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}] * 3
`,
    });
    const before = process.env["PYTHONPATH"];
    process.env["PYTHONPATH"] = join(folder, "stand");
    try {
      expect(planned(folder)).toMatchObject({ samples: 3 });
      rmSync(join(folder, "stand"), { recursive: true });
      expect(planned(folder)).toMatchObject({ samples: 3 });
    } finally {
      if (before === undefined) delete process.env["PYTHONPATH"];
      else process.env["PYTHONPATH"] = before;
    }
  });

  it("needs no Python where its counts are cached", () => {
    const folder = project(files());
    const expected = planned(folder);
    const without = () => {
      const env = { ...process.env, SKRULL_PYTHON: "/nowhere/python", NO_COLOR: "1" };
      const cache = join(folder, ".skrull-test-cache");
      return spawnSync(
        process.execPath,
        [`${ROOT}dist/cli/main.js`, "plan", "spec.skrull", "--format", "json"],
        { cwd: folder, encoding: "utf8", env: { ...env, SKRULL_CACHE: cache } },
      );
    };
    const cached = without();
    expect(JSON.parse(cached.stdout).data.summary).toEqual(
      JSON.parse(JSON.stringify({ ...expected, evaluation: undefined })),
    );
    writeFileSync(join(folder, "data.jsonl"), `${DATA}${DATA}`);
    const missing = without();
    expect(missing.status).toBe(1);
    expect(missing.stderr).toContain("[no-engine]");
    expect(missing.stderr).toContain("pip install");
  });

  it("says what it does not read, and stops where that has a meaning", () => {
    const row = (more: object) => ({
      "data.jsonl": `${JSON.stringify({ ...JSON.parse(conversation("a")), ...more })}\n`,
    });
    const plan = (more: object, settings = "") =>
      skrull(["plan", "spec.skrull"], {
        cwd: project({ ...files({ data: block(settings) }), ...row(more) }),
      });
    const harmless = plan({ mood: 7 });
    expect([harmless.status, harmless.stderr]).toEqual([
      0,
      expect.stringContaining('nothing reads the column "mood" (1 row)'),
    ]);
    expect(plan({ mood: 7 }, 'ignore = ["mood"]').stderr).not.toContain("keys-unread");
    expect(plan({ id: 7 }).stderr).not.toContain("keys-unread");
    const lost = plan({ loss_weight: 0.5 });
    expect([lost.status, lost.stderr]).toEqual([1, expect.stringContaining("[meaning-unread]")]);
    expect(plan({ loss_weight: 0.5 }, 'ignore = ["loss_weight"]').status).toBe(0);
  });

  it("is read by the engine's own modules, whatever lies in the working folder", () => {
    const own = 'raise SystemExit("a module of the working folder was run")\n';
    expect(plannedWith(block(""), { "json.py": own, "queue.py": own }).samples).toBe(5);
  });

  it("needs an end for texts, also where the rows alone say that they are texts", () => {
    const model = { type: "WordLevel", unk_token: "?", vocab: { "?": 0, a: 1 } };
    const folder = project({
      ...files({ data: block("").replace('"bytes"', '"tok"') }),
      "data.jsonl": '{"text": "a"}\n',
      "tok/tokenizer.json": JSON.stringify({ version: "1.0", added_tokens: [], model }),
    });
    const run = skrull(["plan", "spec.skrull"], { cwd: folder });
    expect([run.status, run.stderr]).toEqual([1, expect.stringContaining("[no-end-token]")]);
  });

  it("is tokenised by several machines into one store", () => {
    const folder = project(files());
    for (const part of ["1/2", "2/2"])
      expect(skrull(["lengths", "spec.skrull", "--part", part], { cwd: folder }).status).toBe(0);
    expect(planned(folder)).toMatchObject({ samples: 5 });
    const size = () => JSON.parse(skrull(["cache", "--format", "json"], { cwd: folder }).stdout);
    expect(size().bytes).toBeGreaterThan(0);
    expect(skrull(["cache", "--clear"], { cwd: folder }).status).toBe(0);
    expect(size().bytes).toBe(0);
  });

  it("shows chosen samples", () => {
    const folder = project(files());
    const show = (...which: readonly string[]) => {
      const run = skrull(["lengths", "spec.skrull", "--format", "json", "--show", ...which], {
        cwd: folder,
      });
      expect(run.status, run.stderr).toBe(0);
      return JSON.parse(run.stdout);
    };
    expect(show("longest").line).toBe(3);
    expect(show("random", "2").samples).toHaveLength(2);
    expect(show("random", "2")).toEqual(show("random", "2"));
    expect(show("unsupervised").samples).toEqual([]);
  });
});

it("the engine's version is the same in both programs", async () => {
  const { ENGINE_VERSION } = await import("../../src/lengths/known.js");
  const program =
    "from skrull_runtime.data.tokenised.store import ENGINE_VERSION; print(ENGINE_VERSION)";
  const env = { ...process.env, PYTHONPATH: join(ROOT, "python") };
  const run = spawnSync(PYTHON, ["-c", program], { encoding: "utf8", env });
  expect(run.stdout.trim()).toBe(String(ENGINE_VERSION));
});
