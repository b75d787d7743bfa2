import { describe, expect, it } from "vitest";
import { DATA, files, project, skrull, spec } from "../cli/run.js";

const plan = (all: Readonly<Record<string, string>>) =>
  skrull(["plan", "spec.skrull"], { cwd: project(all) }).stderr;
const withData = (data: string) => files({ data: `{ ${data} max_length = 1K }` });

describe("a file that is not there", () => {
  it("of data is near another one", () => {
    const text = withData('train = ["d/chta.jsonl"] tokenizer = "bytes"');
    expect(plan({ ...text, "d/chat.jsonl": DATA })).toContain('help: Did you mean "d/chat.jsonl"?');
    expect(plan({ ...text, "d/evaluation.jsonl": DATA })).not.toContain("Did you mean");
  });

  it("of a tokenizer may be a name of the hub", () => {
    const train = 'train = ["data.jsonl"]';
    expect(plan(withData(`${train} tokenizer = "Qwen/Qwen2.5-7B"`))).toContain(
      "hf download Qwen/Qwen2.5-7B tokenizer.json",
    );
    expect(plan(withData(`${train} tokenizer = "tik"`))).toContain(
      'help: Name a tokenizer.json, or a folder with one, relative to the spec; or "bytes".',
    );
  });
});

it("samples that an evaluation loses are told where it is", () => {
  const data = '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 100 overlong = drop }';
  const told = plan({
    ...files(),
    "spec.skrull": spec({ data, evaluate: '{ data = ["data.jsonl"] }' }),
  });
  const places = [...told.matchAll(/spec\.skrull:(\d+):\d+ warning \[overlong-samples-lost\]/g)];
  expect(places.map(([, line]) => line)).toEqual(["4", "9"]);
});
