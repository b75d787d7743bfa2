import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Analysis, analyze } from "../../src/semantics/analyze.js";
import { readYaml } from "../../src/syntax/yaml/read-yaml.js";
import { spec } from "../cli/run.js";
import { textAt } from "../text-at.js";

type Files = Readonly<Record<string, string>>;

const load = (files: Files) => (path: string) => {
  const text = files[path];
  return text === undefined ? { problem: "no such file or folder" } : { text };
};

const check = (text: string, files: Files = {}): Analysis =>
  analyze("a.skrull", text, { load: load(files), yaml: readYaml });

/** Diagnostics as `code: text under it`, with the file where it is another one. */
function found(text: string, files: Files = {}): readonly string[] {
  return check(text, files).diagnostics.map((d) => {
    const at = textAt(files[d.file] ?? text, d.range);
    return d.file === "a.skrull" ? `${d.code}: ${at}` : `${d.file} ${d.code}: ${at}`;
  });
}

const withHead = (head: string, parts: Readonly<Record<string, string>> = {}) =>
  spec(parts).replace("skrull 1\n", `skrull 1\n${head}\n`);

/** A key's value in the spec that a text makes of `let` lines and a data block. */
const maxLength = (lets: string, value: string): unknown => {
  const data = `{ train = ["d"] tokenizer = "bytes" max_length = ${value} }`;
  const analysis = check(withHead(lets, { data }));
  return analysis.runs[0]?.spec?.data.max_length ?? analysis.diagnostics.map((d) => d.message);
};

describe("a constant", () => {
  const cases: readonly (readonly [string, string, unknown])[] = [
    ["let seq = 128K", "seq", 131072],
    ["let seq = 128K", "seq / 2 + 1", 65537],
    ["let seq = (2 + 2) * 1K - -8", "seq", 4104],
    ["let n = 3  let seq = n * n * 1 K", "seq", 9216],
    ["let m = 8 GiB", "m / 1 GiB * 1K", 8192],
    ["let seq = 10 / 4", "seq * 2", 5],
  ];
  for (const [lets, value, expected] of cases) {
    it(`${lets}; ${value}`, () => expect(maxLength(lets, value)).toEqual(expected));
  }

  it("holds words, strings, lists and blocks, and gives way to a key's own words", () => {
    const text = withHead(
      'let policy = packed let files = ["x.jsonl"] let auto = 4 let opt = sgd { lr = 2 * 0.1 } let t = "bytes"',
      {
        data: "{ train = files tokenizer = t max_length = 1K }",
        parallel: "{ context = auto }",
        schedule: "{ global_batch = 2K policy = policy }",
        train: "{ optimizer = opt }",
      },
    );
    const { runs, diagnostics } = check(text);
    expect(diagnostics).toEqual([]);
    expect(runs[0]?.spec).toMatchObject({
      data: { train: ["x.jsonl"], tokenizer: "bytes" },
      parallel: { context: "auto" },
      schedule: { global_batch: 2048, policy: "packed" },
      train: { optimizer: { type: "sgd", lr: 0.2 } },
    });
  });

  const wrong: readonly (readonly [string, string, readonly string[]])[] = [
    ["let a = b let b = a", "a", ["circular-definition: a"]],
    ["let a = 1 GiB + 1K", "a", ["invalid-arithmetic: 1K"]],
    ["let a = 1 / 0", "a", ["invalid-arithmetic: 0"]],
    ["let a = seqq + 1 let seq = 2", "a", ["unknown-name: seqq"]],
    ["let a = 2 GiB", "a", ["wrong-unit: a"]],
    ['let a = "x" + 1', "1K", ["unexpected-token: +"]],
    ["let a = 1 let a = 2", "a", ["duplicate-name: a"]],
    ["let a = 3 Kib * 2", "a", ["invalid-arithmetic: Kib"]],
    ["let a = 3 Kib", "1K", ["invalid-arithmetic: Kib"]],
    ["let a = 3 Kib", "a", ["invalid-arithmetic: Kib"]],
  ];
  for (const [lets, value, expected] of wrong) {
    it(`${lets}; ${value} is told`, () => {
      const data = `{ train = ["d"] tokenizer = "bytes" max_length = ${value} }`;
      expect(found(withHead(lets, { data }))).toEqual(expected);
    });
  }

  it("of an exponential sum is worked out once", () => {
    const lets = Array.from({ length: 60 }, (_, n) => `let a${n} = a${n + 1} + a${n + 1}`);
    expect(maxLength(`${lets.join("\n")}\nlet a60 = 1 / 2 / 2 / 2`, "a3 / a3 * 2K")).toBe(2048);
  });
});

const CLUSTER = "skrull 1\nlet ranks = 2\ncluster two { gpus = ranks gpu = cpu }\n";

describe("a named block", () => {
  const named = (head: string, ...cluster: string[]) =>
    withHead(head, { cluster: "@" }).replace("cluster @", cluster.join("\n"));

  it("is used, extended and overridden key by key", () => {
    const head = "cluster two { gpus = 2 gpu = cpu }\ncluster four extends two { gpus = 4 }";
    const gpus = (text: string) => check(text).runs[0]?.spec?.cluster;
    expect(gpus(named(head, "cluster = two"))).toMatchObject({ gpus: 2, gpu: "cpu" });
    expect(gpus(named(head, "cluster = four"))).toMatchObject({ gpus: 4, gpu: "cpu" });
    expect(gpus(named(head, "cluster extends four { nodes = 2 }"))).toMatchObject({
      gpus: 4,
      nodes: 2,
    });
  });

  const wrong: readonly (readonly [string, string, readonly string[]])[] = [
    ["cluster two { gpus = 2 }", "cluster = two", ["missing-key: cluster"]],
    ["cluster two { gpus = x }", "cluster { gpus = 2 gpu = cpu }", ["wrong-type: x"]],
    ["cluster two { }", "cluster = tow", ["unknown-name: tow"]],
    [
      "cluster a extends b { }\ncluster b extends a { }",
      "cluster = a",
      ["circular-definition: b", "circular-definition: a"],
    ],
    [
      "cluster two { gpus = 2 gpu = cpu }",
      "cluster = two cluster { }",
      ["duplicate-block: cluster"],
    ],
    ["cluster two { }\ncluster two { }", "cluster { gpus = 2 gpu = cpu }", ["duplicate-name: two"]],
    ["memory m { }", "cluster = m", ["unknown-name: m"]],
  ];
  for (const [head, cluster, expected] of wrong) {
    it(`${head}; ${cluster} is told`, () => {
      const codes = found(named(head, cluster)).filter((d) => !d.startsWith("missing-block"));
      expect([...codes].sort()).toEqual([...expected].sort());
    });
  }

  it("of another kind, or written otherwise, is told with what to do", () => {
    const help = (head: string, cluster: string) =>
      check(named(head, cluster)).diagnostics.flatMap(({ help, related = [] }) => [
        help,
        ...related.map(({ message }) => message),
      ]);
    expect(help("memory m {}", "cluster extends m { gpus = 1 gpu = cpu }")).toEqual([
      "That name is a memory; only a cluster is allowed here.",
      "this memory has that name",
    ]);
    const node = "cluster node { gpus = 2 gpu = cpu }";
    expect(help(node, "cluster = node { nodes = 2 }")[0]).toBe(
      "Write cluster extends node { ... }.",
    );
    expect(help("", 'model = "Qwen/Qwen2.5-7B"\ncluster { gpus = 2 gpu = cpu }')).toEqual([
      'Write model "Qwen/Qwen2.5-7B" { ... }.',
    ]);
  });

  it("and its constants come with an import, from a folder of its own", () => {
    const profile =
      'skrull 1\nlet ranks = 2\ncluster two { gpus = ranks gpu = cpu profile = "p.json" }\n';
    const text = named('import "lib/c.skrull"', "cluster = two");
    const analysis = check(text, { "lib/c.skrull": profile });
    expect(analysis.diagnostics).toEqual([]);
    expect(analysis.runs[0]?.spec?.cluster).toMatchObject({ gpus: 2, profile: "lib/p.json" });
    expect(analysis.documents.map(({ file }) => file)).toEqual(["a.skrull", "lib/c.skrull"]);
    const [two] = analysis.symbols.filter(({ name }) => name === "two");
    expect(two).toMatchObject({
      kind: "block",
      block: "cluster",
      definition: { file: "lib/c.skrull" },
    });
    expect(two?.uses.map(({ file, range }) => `${file} ${textAt(text, range)}`)).toEqual([
      "a.skrull two",
    ]);
    const [ranks] = analysis.symbols.filter(({ name }) => name === "ranks");
    expect(ranks?.uses).toHaveLength(1);
  });

  it("and its constants have paths from where they are written", () => {
    const lib =
      'skrull 1\nlet own = "t.json"\nlet again = own\nlet all = ["d.jsonl"]\nlet kind = file { path = "c.json" }\n';
    const data = "{ train = all tokenizer = again max_length = 1K template = kind }";
    const { runs, diagnostics } = check(withHead('import "lib/c.skrull"', { data }), {
      "lib/c.skrull": lib,
    });
    expect(diagnostics).toEqual([]);
    expect(runs[0]?.spec?.data).toMatchObject({
      train: ["lib/d.jsonl"],
      tokenizer: "lib/t.json",
      template: { path: "lib/c.json" },
    });
  });

  it("of a constant of an import is told in its own file where it is wrong", () => {
    const files = { "c.skrull": "skrull 1\nlet own = adamw { lr = 1 lrr = 2 eps = x }\n" };
    expect(found(withHead('import "c.skrull"', { train: "{ optimizer = own }" }), files)).toEqual([
      "c.skrull unknown-key: lrr",
      "c.skrull wrong-type: x",
    ]);
  });

  it("of an import is told in its own file where it is wrong", () => {
    const text = named('import "c.skrull"', "cluster = two");
    const files = { "c.skrull": CLUSTER.replace("cpu", "cpux") };
    expect(found(text, files)).toEqual(["c.skrull unknown-value: cpux"]);
  });
});

describe("an import", () => {
  const files: Files = {
    "c.skrull": CLUSTER,
    "b.skrull": 'skrull 1\nimport "a.skrull"\n',
    "broken.skrull": "skrull 1\ncluster two { gpus = \n",
    "self.skrull": 'skrull 1\nimport "self.skrull"\n',
  };
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['import "c.skrull"', []],
    ['import "c.skrull" import "c.skrull"', []],
    ['import "c.skrull" cluster two { gpus = 1 gpu = cpu }', ["duplicate-name: two"]],
    ['import "./x/../c.skrull"', []],
    ['import "none.skrull"', ['import-failed: "none.skrull"']],
    ['import "/etc/passwd"', ['unsafe-path: "/etc/passwd"']],
    ['import "b.skrull"', ['b.skrull import-cycle: "a.skrull"']],
    ['import "self.skrull"', ['self.skrull import-cycle: "self.skrull"']],
    ['import "broken.skrull"', ['broken-import: "broken.skrull"']],
  ];
  for (const [head, expected] of cases) {
    it(head, () => expect(found(withHead(head), files)).toEqual(expected));
  }

  it("belongs at the top of the file, as constants do", () => {
    const text = spec({ parallel: '{ import "c.skrull" let a = 1 }' });
    expect(found(text, files)).toEqual([
      'misplaced-statement: import "c.skrull"',
      "misplaced-statement: let a = 1",
    ]);
  });
});

describe("runs", () => {
  const head =
    "run short { train { steps = 4 } }\nrun long extends short { train { steps = 8 } parallel { zero = 1 } }";

  it("are the file's blocks, overridden key by key", () => {
    const { runs, diagnostics, symbols } = check(withHead(head));
    expect(diagnostics).toEqual([]);
    expect(runs.map(({ name, spec: s }) => [name, s?.train.steps, s?.parallel])).toMatchObject([
      ["short", 4, { context: 2, zero: 2 }],
      ["long", 8, { context: 2, zero: 1 }],
    ]);
    expect(symbols.map(({ kind, name, uses }) => [kind, name, uses.length])).toEqual([
      ["run", "short", 1],
      ["run", "long", 0],
    ]);
  });

  it("share a mistake without telling it twice, and tell their own", () => {
    const text = withHead(head, { schedule: "{ global_batch = 0 }" });
    expect(found(text)).toEqual(["out-of-range: 0"]);
    expect(found(withHead("run a { train { stepz = 1 } foo { } }"))).toEqual([
      "unknown-key: stepz",
      "unknown-block: foo",
    ]);
    expect(found(withHead("run { }"))).toEqual(["missing-name: run"]);
  });

  describe("are named where another one is well with what they share", () => {
    const about = (runs: string, parts: Readonly<Record<string, string>>) =>
      check(withHead(runs, parts)).diagnostics.map(
        ({ code, related = [] }) => `${code}: ${related.map(({ message }) => message).join(", ")}`,
      );
    const small = "memory { budget = 2 GiB }";
    const parts = { memory: "{ budget = 9 GiB reserve = 2 GiB }" };

    it("in what concerns several values", () => {
      expect(about(`run a { } run b { ${small} } run c { ${small} }`, parts)).toEqual([
        "reserve-exceeds-budget: found in the run 'b', found in the run 'c'",
      ]);
    });

    it("in what a block lacks", () => {
      const own = "train { optimizer = sgd { lr = 1 } }";
      expect(about(`run a { ${own} } run b { } run c { }`, { train: "{ steps = 1 }" })).toEqual([
        "missing-key: found in the run 'b', found in the run 'c'",
      ]);
    });

    it("as far as anyone would read on", () => {
      const runs = Array.from({ length: 20 }, (_, n) => `run r${n} { ${small} }`);
      expect(about(`run a { } ${runs.join(" ")}`, parts)[0]).toMatch(
        /r6', found in the run 'r7' and in 12 more$/,
      );
    });

    it("and not where all have the mistake, or no other reads the place", () => {
      expect(about(`run a { ${small} } run b { ${small} }`, parts)).toEqual([
        "reserve-exceeds-budget: ",
      ]);
      expect(about("run a { } run b { parallel { context = 3 } }", {})).toEqual([
        "ranks-not-divisible: ",
      ]);
    });
  });

  it("hide no mistake in what they override", () => {
    const parts = { cluster: "{ gpus = 2 gpu = gpx }", train: "{ seed = 1.5 steps = 1 }" };
    const other = "cluster own { gpus = 2 gpu = cpu }";
    const run = "run a { cluster = own train { optimizer = adamw { lr = 1 } seed = 2 } }";
    expect(found(withHead(`${other}\n${run}`, parts))).toEqual([
      "unknown-value: gpx",
      "wrong-type: 1.5",
    ]);
  });

  it("may lack nothing: what is missing is told at the run", () => {
    const text = withHead("run a { }").replace(/^schedule.*$/m, "");
    expect(found(text)).toEqual(["missing-block: a"]);
  });
});

describe("nonsense", () => {
  const read = (name: string) =>
    readFileSync(new URL(`../../examples/quickstart/${name}`, import.meta.url), "utf8");
  const sources: Files = {
    "machines.skrull": read("machines.skrull"),
    "runs.skrull": read("runs.skrull"),
  };

  const sound = (text: string): void => {
    const { diagnostics, runs, symbols } = check(text, sources);
    const places = [...diagnostics, ...symbols.flatMap((s) => [s.definition, ...s.uses])];
    for (const { file, range } of places) {
      const lines = (sources[file] ?? text).split("\n");
      expect(range.start.line).toBeGreaterThanOrEqual(1);
      expect(range.end.line).toBeLessThanOrEqual(lines.length);
    }
    const broken = diagnostics.some((d) => d.severity === "error");
    for (const { spec: checked } of runs) expect(checked === undefined).toBe(broken);
  };

  it("cut at every token, or without one, the examples give diagnostics and no exception", () => {
    for (const text of Object.values(sources)) {
      expect(check(text, sources).diagnostics).toEqual([]);
      for (const { index, 0: token } of text.matchAll(/[\w.-]+|"[^"]*"|[^\s\w]/g)) {
        sound(text.slice(0, index));
        sound(text.slice(0, index) + text.slice(index + token.length));
      }
    }
  });

  it("of random tokens does too", () => {
    const tokens =
      'skrull 1|let|run|extends|import|"machines.skrull"|cluster|h100|node|=|{|}|[|]|(|)|+|-|*|/|,|2|K|GiB|a|b|\n|gpus|"x"'.split(
        "|",
      );
    const token = fc.constantFrom(...tokens);
    fc.assert(
      fc.property(
        fc.array(token, { maxLength: 40 }).map((all) => all.join(" ")),
        sound,
      ),
      { numRuns: 1000 },
    );
  });
});

describe("a library", () => {
  it("lacks nothing and trains nothing", () => {
    const { runs, diagnostics } = check(CLUSTER);
    expect(diagnostics).toEqual([]);
    expect(runs).toEqual([]);
  });

  it("is still held to the table", () => {
    expect(found(CLUSTER.replace("gpu =", "gpuu ="))).toEqual(["unknown-key: gpuu"]);
  });
});
