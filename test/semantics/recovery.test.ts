import { describe, expect, it } from "vitest";
import { MOST_DIAGNOSTICS } from "../../src/diagnostics/diagnostic.js";
import { analyze } from "../../src/semantics/analyze.js";
import { spec } from "../cli/run.js";

const codes = (text: string) => analyze("a.skrull", text).diagnostics.map((d) => d.code);

describe("meaning", () => {
  it("is checked wherever the blocks it concerns are sound", () => {
    const text = spec({
      parallel: "{ context = 3 }",
      memory: "{ budget = 1 GiB reserve = 1 GiB }",
      schedule: "{ global_batch = 0 }",
    });
    expect(codes(text)).toEqual(["ranks-not-divisible", "reserve-exceeds-budget", "out-of-range"]);
  });

  it("offers the degrees that do divide the ranks", () => {
    const cluster = "{ nodes = 3 gpus = 8 gpu = cpu }";
    const { diagnostics } = analyze("a", spec({ cluster, parallel: "{ context = 5 }" }));
    expect(diagnostics[0]?.help).toBe("The nearest degrees that divide 24: 2, 3, 4, 6.");
    const beyond = analyze("a", spec({ parallel: "{ context = 65536 }" }));
    expect(beyond.diagnostics[0]?.help).toBe("The nearest degrees that divide 2: 1, 2.");
  });

  it("of a number beyond every limit is its range, not its type", () => {
    expect(codes(spec({ parallel: "{ context = 1e999 }" }))).toEqual(["out-of-range"]);
  });
});

describe("a syntax error", () => {
  it("leaves the types of everything else checked", () => {
    const text = spec({ parallel: "{ contxt 2 }", schedule: "{ global_batch = 4.5 }" });
    expect(codes(text)).toEqual(["unknown-key", "unexpected-token", "wrong-type"]);
  });

  it("does not make what could not be read missing", () => {
    expect(codes(spec({ train: "{ optimizer = adamw { lr = } }" }))).toEqual(["unexpected-token"]);
    expect(codes(spec({ train: "{ optimizer = }" }))).toEqual(["unexpected-token"]);
    expect(codes('skrull 1\nmodel "Qwen/Qwen2.5-7B" {')).toEqual(["unexpected-token"]);
  });

  it("of a brace that is not closed does not make the next blocks keys", () => {
    expect(codes(spec({ parallel: "{ zero = 2" }))).toEqual(["unexpected-token"]);
  });
});

it("a block inside another is told to move out", () => {
  const text = `${spec().replace(/^memory.*$/m, "")}`.replace(
    "parallel {",
    "parallel { memory { }",
  );
  const { diagnostics } = analyze("a", text);
  expect(diagnostics.map((d) => d.code)).toEqual(["unknown-key"]);
  expect(diagnostics[0]?.help).toBe("memory is a block of its own: move it out of parallel.");
});

/** Each once overflowed the stack, or took minutes. */
const FLOODS: readonly (readonly [string, string])[] = [
  ["repeated keys", `skrull 1 model { ${"config = 1 ".repeat(20_000)}}`],
  ["unknown keys", `skrull 1 model { ${"confi = 1 ".repeat(20_000)}}`],
  ["unknown blocks", `skrull 1 ${"a { } ".repeat(40_000)}`],
  ["keys without a block", `skrull 1 ${"a = 1 ".repeat(40_000)}`],
  ["values without a key", `skrull 1 ${"a = ".repeat(60_000)}`],
  ["wrong items", `skrull 1 data { train = [${"1,".repeat(100_000)}] }`],
  ["invalid escapes", `skrull 1 model "${"\\x".repeat(100_000)}" { }`],
  ["open strings", `skrull 1 ${'"\n'.repeat(100_000)}`],
];

describe("of a flood of mistakes", () => {
  it.each(FLOODS)("%s, the first are told, and that there are more", (_, text) => {
    const found = codes(text);
    expect(found).toHaveLength(MOST_DIAGNOSTICS + 1);
    expect(found.at(-1)).toBe("too-many-errors");
  });
});
