import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readDimensions } from "../../src/catalogue/dimensions.js";
import { HostError } from "../../src/host/host.js";
import { MemoryHost } from "../../src/host/memory-host.js";
import { likelyCause } from "../../src/inputs/weights/cause.js";
import { findWeights } from "../../src/inputs/weights/find-weights.js";
import { matchWeights, type WeightProblems } from "../../src/inputs/weights/match-weights.js";
import { readHeader, type StoredTensor } from "../../src/inputs/weights/safetensors.js";

type Config = Readonly<Record<string, unknown>>;
type Shapes = Readonly<Record<string, readonly number[]>>;

interface Case {
  readonly name: string;
  readonly of: string;
  readonly rename?: readonly [string, string];
  readonly drop?: string;
  readonly add?: Shapes;
  readonly config?: Config;
  readonly type?: readonly [string, string];
  readonly is: string;
}

interface Vectors {
  readonly models: Readonly<Record<string, { readonly config: Config; readonly tensors: Shapes }>>;
  readonly cases: readonly Case[];
}

const FILE = fileURLToPath(new URL("../vectors/weights.json", import.meta.url));
const { models, cases }: Vectors = JSON.parse(readFileSync(FILE, "utf8"));

/** A case of one model. The runtime's tests make the same of it (`test_weights.py`). */
function problemsOf({ of, rename, drop, add, config, type }: Omit<Case, "name" | "is">) {
  const model = models[of];
  if (!model) throw new Error(of);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, shape] of Object.entries({ ...model.tensors, ...add })) {
    if (drop !== undefined && new RegExp(drop).test(name)) continue;
    const key = rename ? name.replace(new RegExp(rename[0]), rename[1]) : name;
    const special = type && new RegExp(type[0]).test(key) ? type[1] : "BF16";
    tensors.set(key, { type: special, shape });
  }
  const own = { ...model.config, ...config };
  const read = readDimensions(own);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const found = matchWeights(own, read.dimensions, tensors);
  if (!found) throw new Error("too large");
  return found;
}

function verdict({ missing, unexpected, shapes, quantised }: WeightProblems): string {
  if (quantised.length > 0) return "quantised";
  if (missing.length + unexpected.length > 0) return "incomplete";
  return shapes.length > 0 ? "other shapes" : "complete";
}

const each = cases.flatMap((own) =>
  own.of === "*" ? Object.keys(models).map((of) => ({ ...own, of })) : [own],
);

describe("weights by their headers", () => {
  it.each(each)("$of: $name", (own) => {
    const found = problemsOf(own);
    expect([verdict(found), found]).toEqual([own.is, found]);
  });

  it("differ for a likely reason", () => {
    expect(likelyCause(problemsOf({ of: "llama", rename: ["^", "language_model."] }))).toContain(
      "Every key starts with 'language_model.'",
    );
    expect(likelyCause(problemsOf({ of: "qwen2 untied", drop: "lm_head" }))).toContain(
      "set tie_word_embeddings to true",
    );
    expect(likelyCause(problemsOf({ of: "qwen3", drop: "layers\\.1\\." }))).toContain(
      "does the configuration have more layers than the weights?",
    );
    expect(likelyCause(problemsOf({ of: "qwen2", config: { num_hidden_layers: 1 } }))).toContain(
      "The weights have more layers",
    );
    expect(likelyCause(problemsOf({ of: "qwen2", add: { "score.weight": [2, 32] } }))).toContain(
      "of another model",
    );
    expect(likelyCause(problemsOf({ of: "qwen2", drop: "embed" }))).toBe(
      "Was one of several files not copied? Copy or download them again.",
    );
  });

  it("are not listed for a configuration of absurdly many layers", () => {
    const config = { ...models["llama"]?.config, num_hidden_layers: 1e9 };
    const read = readDimensions(config);
    if (!read.ok) throw new Error();
    expect(matchWeights(config, read.dimensions, new Map())).toBeUndefined();
  });
});

/** A file with that header, and as many bytes of data as given. */
function file(header: unknown, data = 0): Uint8Array {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const bytes = new TextEncoder().encode(text);
  const whole = new Uint8Array(8 + bytes.length + data);
  new DataView(whole.buffer).setBigUint64(0, BigInt(bytes.length), true);
  whole.set(bytes, 8);
  return whole;
}

const ENTRY = { dtype: "BF16", shape: [2, 1], data_offsets: [0, 4] };
const SOUND = file({ __metadata__: { format: "pt" }, a: ENTRY }, 4);

describe("a header", () => {
  const read = (content: Uint8Array) =>
    readHeader(new MemoryHost({ "/project/a.safetensors": content }), "/project/a.safetensors");

  it("says what a file holds", () => {
    expect([...read(SOUND)]).toEqual([["a", { type: "BF16", shape: [2, 1], end: 4 }]]);
  });

  it.each([
    ["nothing", new Uint8Array()],
    ["a few bytes", SOUND.subarray(0, 5)],
    ["a length beyond the file", SOUND.subarray(0, 20)],
    ["a length of 2^64 - 1", new Uint8Array(40).fill(255)],
    ["a length of nothing", new Uint8Array(40)],
    ["data cut short", SOUND.subarray(0, -1)],
    ["data too long", file({ a: ENTRY }, 5)],
    ["no JSON", file("{{", 4)],
    ["nested JSON", file("[".repeat(100_000), 4)],
    ["a list", file([ENTRY], 4)],
    ["null", file("null")],
    ["bytes that are not UTF-8", new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 0xff])],
    ["a negative size", file({ a: { ...ENTRY, shape: [-1] } }, 4)],
    ["no shape", file({ a: { ...ENTRY, shape: "2" } }, 4)],
    ["no type", file({ a: { ...ENTRY, dtype: 3 } }, 4)],
    ["no place", file({ a: { ...ENTRY, data_offsets: [0] } }, 0)],
    ["no tensor", file({ a: null })],
  ])("of %s is refused", (_, content) => {
    expect(() => read(content)).toThrow(HostError);
  });

  it("is all that is read of a file", () => {
    const host = new MemoryHost({ "/project/a.safetensors": file({ a: ENTRY }, 4) });
    const ranges: number[] = [];
    const readRange = host.readRange.bind(host);
    host.readRange = (path, start, count) => {
      ranges.push(start + count);
      return readRange(path, start, count);
    };
    readHeader(host, "/project/a.safetensors");
    expect(Math.max(...ranges)).toBe(file({ a: ENTRY }).length);
  });
});

describe("a folder of weights", () => {
  const find = (files: Record<string, string | Uint8Array>) => {
    const placed = Object.entries(files).map(([name, text]) => [`/project/w/${name}`, text]);
    return findWeights(new MemoryHost(Object.fromEntries(placed)), "/project/w");
  };
  const index = (...names: unknown[]) =>
    JSON.stringify({ weight_map: Object.fromEntries(names.map((name, n) => [`t${n}`, name])) });
  const INDEX = "model.safetensors.index.json";

  it("is taken by its index, or by the one file", () => {
    expect(find({ "model.safetensors": SOUND }).state).toBe("stored");
    const both = { a: file({ a: ENTRY }, 4), b: file({ b: ENTRY }, 4) };
    const found = find({ [INDEX]: index("a", "b", "a"), ...both });
    expect(found.state === "stored" && [...found.tensors.keys()]).toEqual(["a", "b"]);
  });

  it("may have what only the run can read, or nothing", () => {
    expect(find({ "pytorch_model.bin": "x" })).toEqual({ state: "unknown" });
    expect(find({})).toEqual({ state: "missing", what: "no such folder" });
    expect(find({ "config.json": "{}", "model-00001-of-00002.safetensors": SOUND })).toEqual({
      state: "missing",
      what: `neither model.safetensors nor ${INDEX} is in it`,
    });
    expect(find({ [INDEX]: index("a", "b"), a: SOUND })).toEqual({
      state: "missing",
      what: "its index lists 'b', missing here",
    });
  });

  it.each([
    ["[1"],
    ["{}"],
    [index("../x")],
    [index("/etc/passwd")],
    [index(3)],
  ])("with the index %s is not read", (text) =>
    expect(find({ [INDEX]: text }).state).toBe("unreadable"));
});
