import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pythonLiteral, shellWord } from "../../src/emit/quote.js";
import { PYTHON } from "../cli/run.js";

const HOSTILE = [
  `"; import os; os.system("x") #`,
  "'''",
  "line\nbreak\r\u2028\u2029",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: shell text, not a template
  "$(touch x) `id` ${HOME} \\",
  "{{this}} {% raw %}",
  "héllo 漢字 😀 \u202e\u0000\u007f",
  "-rf",
  "",
  "~",
];
const text = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: "binary" }));

function python(program: string, input: string): string {
  const result = spawnSync(PYTHON, ["-c", program], { input, encoding: "utf8" });
  expect(result.stderr).toBe("");
  return result.stdout;
}

describe("pythonLiteral", () => {
  it("evaluates in Python to the value it was made from", () => {
    const values = fc.sample(
      fc.letrec((tie) => ({
        value: fc.oneof(
          { maxDepth: 3 },
          text,
          fc.boolean(),
          fc.maxSafeInteger(),
          fc
            .double({ noNaN: true, noDefaultInfinity: true })
            .map((x) => (Object.is(x, -0) ? 0 : x)),
          fc.constant(null),
          fc.array(tie("value")),
          fc.dictionary(text, tie("value")),
        ),
      })).value,
      { numRuns: 300, seed: 1 },
    );
    const source = `VALUES = [\n${values.map((value) => `${pythonLiteral(value)},\n`).join("")}]`;
    const program =
      "import sys, json\nscope = {}\nexec(compile(sys.stdin.buffer.read(), 'emitted.py', 'exec'), scope)\nprint(json.dumps(scope['VALUES']))";
    expect(JSON.parse(python(program, source))).toEqual(JSON.parse(JSON.stringify(values)));
  });

  it("refuses what JSON cannot hold", () => {
    expect(() => pythonLiteral(Number.NaN)).toThrow(RangeError);
    expect(() => pythonLiteral(Number.POSITIVE_INFINITY)).toThrow(RangeError);
  });
});

describe("shellWord", () => {
  it("arrives as one unchanged argument", () => {
    const words = fc
      .sample(text, { numRuns: 300, seed: 2 })
      .map((word) => word.replaceAll("\u0000", ""))
      .filter((word) => word.isWellFormed());
    const script = `printf '%s\\0' ${words.map(shellWord).join(" ")}`;
    const result = spawnSync("bash", ["-s"], { input: script, encoding: "utf8" });
    expect(result.stdout.split("\0").slice(0, -1)).toEqual(words);
  });
});
