import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const PYTHON = `${ROOT}.venv/bin/python`;

export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line. */
export function skrull(
  arguments_: readonly string[],
  options: { cwd?: string; input?: string; cache?: string } = {},
): Run {
  const cache = join(options.cwd ?? ROOT, options.cache ?? ".skrull-test-cache");
  const environment = {
    ...process.env,
    SKRULL_CACHE: options.cwd ? cache : "",
    SKRULL_PYTHON: PYTHON,
    NO_COLOR: "1",
  };
  return spawnSync(process.execPath, [`${ROOT}dist/cli/main.js`, ...arguments_], {
    cwd: options.cwd ?? ROOT,
    encoding: "utf8",
    input: options.input ?? "",
    env: environment,
    maxBuffer: 2 ** 28,
    // What hangs fails, with no status at all.
    timeout: 120_000,
  });
}

const projects: string[] = [];
afterAll(() => {
  for (const folder of projects.splice(0)) rmSync(folder, { recursive: true, force: true });
}, 120_000);

/** A fresh folder with these files, gone after the tests of the file. */
export function project(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), "skrull-"));
  projects.push(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

export const MODEL = JSON.stringify({
  model_type: "qwen2",
  architectures: ["Qwen2ForCausalLM"],
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 258,
  max_position_embeddings: 4096,
  tie_word_embeddings: true,
});

/** A small spec that compiles; each part can be replaced. */
export function spec(parts: Readonly<Record<string, string>> = {}): string {
  const blocks: Readonly<Record<string, string>> = {
    model: '{ config = "model.json" weights = random precision = fp32 }',
    cluster: "{ gpus = 2 gpu = cpu }",
    data: '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 1K }',
    parallel: "{ context = 2 }",
    memory: "{ budget = 1 GiB reserve = 1 MiB bucket = 1K }",
    schedule: "{ global_batch = 4 }",
    train: "{ optimizer = adamw { lr = 1e-3 } }",
    ...parts,
  };
  return `skrull 1\n${Object.entries(blocks)
    .map(([name, body]) => `${name} ${body}\n`)
    .join("")}`;
}

export const conversation = (content: string): string =>
  `${JSON.stringify({
    messages: [
      { role: "user", content },
      { role: "assistant", content: "ok" },
    ],
  })}\n`;

export const DATA = ["a", "bb", "c".repeat(300), "d", "e".repeat(50)].map(conversation).join("");

/** Files of a project that compiles. */
export function files(parts: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { "spec.skrull": spec(parts), "model.json": MODEL, "data.jsonl": DATA };
}
