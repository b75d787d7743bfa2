import { beforeAll, describe, expect, it } from "vitest";
import type { CompletionItem, TextEdit } from "vscode-languageserver-protocol";
import { LANGUAGE } from "../../src/language/language.js";
import { UNITS } from "../../src/language/units.js";
import { files, MODEL, spec } from "../cli/run.js";
import { CURSOR as C, type Client, edited, marked, startClient, textAt } from "./client.js";

const BLOCKS = Object.keys(LANGUAGE) as readonly (keyof typeof LANGUAGE)[];
const REQUIRED: readonly string[] = ["model", "cluster", "data", "schedule", "train"];
const keysOf = (block: keyof typeof LANGUAGE) => Object.keys(LANGUAGE[block].properties);

const SNIPPETS = { textDocument: { completion: { completionItem: { snippetSupport: true } } } };

const labels = async (client: Client, text: string): Promise<readonly string[]> =>
  (await client.complete(text)).map(({ label }) => label);

/** The text after an item was chosen. */
async function chosen(client: Client, text: string, label: string): Promise<string> {
  const item = (await client.complete(text)).find((one) => one.label === label) as CompletionItem;
  return edited(marked(text).whole, [item.textEdit as TextEdit]);
}

let client: Client;
beforeAll(async () => {
  client = await startClient(files());
});

describe("completion of members", () => {
  it("offers the blocks that are not there, required ones first, and statements", async () => {
    const text = `skrull 1\nmodel "m" { }\ncluster { }\n${C}\ntrain { }\n`;
    expect(await labels(client, text)).toEqual([
      ...["data", "schedule"],
      ...BLOCKS.filter((name) => !REQUIRED.includes(name)),
      ...["import", "let", "run"],
    ]);
    expect((await labels(client, C)).slice(0, 3)).toEqual(["skrull", "model", "cluster"]);
    expect((await labels(client, `skrull 1\n${C}`))[0]).toBe("model");
  });

  it("offers keys that are not set, required ones first, in the table's order", async () => {
    const text = "skrull 1\ncluster {\n  nodes = 2\n  ┆\n  launcher = torchrun\n}\n";
    expect(await labels(client, text)).toEqual([
      ...["gpus", "gpu"],
      ...keysOf("cluster").filter((key) => !["nodes", "gpus", "gpu", "launcher"].includes(key)),
    ]);
    const [gpus] = await client.complete(text);
    expect(gpus?.detail).toBe("whole number");
    expect(JSON.stringify(gpus?.documentation)).toContain("GPUs per node");
  });

  it("replaces what was typed, and fills in more where the client can", async () => {
    const text = `skrull 1\ncluster {\n  gp${C}\n}\n`;
    expect(await chosen(client, text, "gpus")).toBe("skrull 1\ncluster {\n  gpus = \n}\n");
    const rich = await startClient(files(), SNIPPETS);
    const data = `skrull 1\ndata { tr${C}`;
    expect(await chosen(rich, data, "train")).toBe('skrull 1\ndata { train = ["$1"]');
    expect(await chosen(rich, `skrull 1\n${C}`, "model")).toContain('model "$1" {\n  $0\n}');
  });

  it("adds nothing that is there already behind the word", async () => {
    const rich = await startClient(files(), SNIPPETS);
    const at = (text: string, label: string) => chosen(rich, `skrull 1\n${text}`, label);
    expect(await at(`cluster {\n  n${C} = 8\n}`, "nodes")).toContain("  nodes = 8\n");
    expect(await at(`mod${C} "x" {\n}`, "model")).toBe('skrull 1\nmodel "x" {\n}');
    expect(await at(`clus${C}ter big { }`, "cluster")).toBe("skrull 1\ncluster big { }");
    expect(await at(`imp${C} "a.skrull"`, "import")).toBe('skrull 1\nimport "a.skrull"');
    const tag = `train { optimizer = s${C} { lr = 1 } }`;
    expect(await at(tag, "sgd")).toBe("skrull 1\ntrain { optimizer = sgd { lr = 1 } }");
    // What stands on the next line is another member.
    expect(await at(`clus${C}\ndata { }`, "cluster")).toContain("cluster {\n  $0\n}\ndata { }");
    expect(await at(`cluster { n${C} gpus = 8 }`, "nodes")).toContain("{ nodes = $1 gpus = 8 }");
  });

  it("offers in a header what may still follow", async () => {
    const at = (text: string) => labels(client, `skrull 1\ncluster a { }\n${text}`);
    expect(await at(`cluster ${C}`)).toEqual(["extends"]);
    expect(await at(`cluster b extends a ${C}`)).toEqual([]);
    expect(await at(`run ${C}`)).toEqual([]);
    expect(await at(`model q ${C}`)).toContain("Qwen/Qwen2.5-0.5B");
    expect(await at(`model q "Qwen/Qwen2.5-0.5B" ${C}`)).toEqual(["extends"]);
  });

  it("offers named blocks as a block of the spec", async () => {
    const text = "skrull 1\ncluster a { }\ncluster b { }\n";
    expect(await chosen(client, `${text}clus${C}`, "cluster = b")).toBe(`${text}cluster = b`);
    expect(await labels(client, `${text}cluster { }\n${C}`)).not.toContain("cluster = a");
    expect(await labels(client, `${text}run r { ${C} }`)).toContain("cluster = a");
  });

  it("gives a choice of a key's words", async () => {
    const rich = await startClient(files(), SNIPPETS);
    const at = (text: string, label: string) => chosen(rich, `skrull 1\n${text}`, label);
    expect(await at(`model { pre${C}`, "precision")).toContain(`precision = \${1|bf16,fp32|}`);
    expect(await at(`train { ex${C}`, "export")).toContain(`export = \${1|true,false|}`);
  });

  it("finds its way in broken text", async () => {
    const unclosed = `skrull 1\ncluster {\n  gpus = 4\n\nmemory {\n  ${C}\n\ntrain {\n  seed = 1\n}\n`;
    expect(await labels(client, unclosed)).toEqual(keysOf("memory"));
    const list = `skrull 1\ndata {\n  train = ["a.jsonl"\n  tokenizer = "bytes"\n  ${C}`;
    expect((await labels(client, list))[0]).toBe("max_length");
    const value = `skrull 1\nparallel {\n  context =\n  ze${C}\n  reduction = once\n}`;
    expect(await labels(client, value)).toContain("auto");
    const noise = `skrull 1\n) ] } = = "x" 4\nmemory { ??? ${C} }`;
    expect(await labels(client, noise)).toEqual(keysOf("memory"));
  });

  it("keeps silent in comments and in texts that are free", async () => {
    expect(await labels(client, `skrull 1\n# mem${C}`)).toEqual([]);
    expect(await labels(client, `skrull 1\nlog { wandb = "pro${C}" }`)).toEqual([]);
    expect(await labels(client, `skrull 1\nschedule { global_batch = ${C} }`)).toEqual([]);
  });
});

describe("completion of values", () => {
  it("offers enumerations, booleans and auto, and says which is the default", async () => {
    const at = (body: string) => labels(client, `skrull 1\n${body}`);
    expect(await at(`model { precision = ${C} }`)).toEqual(["bf16", "fp32"]);
    expect(await at(`train { export = ${C} }`)).toEqual(["true", "false"]);
    expect(await at(`parallel { context = a${C} }`)).toEqual(["auto"]);
    expect(await at(`model { tiled_mlp = a${C} }`)).toEqual(["off", "auto"]);
    expect((await at(`cluster { gpu = h${C} }`)).slice(0, 2)).toEqual([
      "a100_sxm_40gb",
      "a100_sxm_80gb",
    ]);
    const items = await client.complete(`skrull 1 model { precision = ${C} }`);
    expect(items.map(({ detail }) => detail)).toEqual(["default", undefined]);
    const rates = await client.complete(`skrull 1 train { learning_rate = ${C} }`);
    expect(rates.filter(({ detail }) => detail === "default")).toHaveLength(1);
  });

  it("offers the GPUs that a file describes, and what describes one", async () => {
    const own = "gpu_model mine { memory = 1 GiB }";
    expect((await labels(client, `skrull 1\n${own}\ncluster { gpu = ${C} }`))[0]).toBe("mine");
    const keys = await labels(client, `skrull 1\ngpu_model mine { ${C} }`);
    expect([...keys].sort()).toEqual([...keysOf("gpu_model")].sort());
    // It is used by its name, not as a block of the spec.
    expect(await labels(client, `skrull 1\n${own}\n${C}`)).not.toContain("gpu_model = mine");
    const units = await labels(client, `skrull 1\ngpu_model mine { peak_bf16 = 1 ${C} }`);
    expect(units).toContain("TFLOP/s");
  });

  it("offers a constant everywhere but in itself", async () => {
    const text = `skrull 1\nlet a = 1\nlet b = ${C}`;
    expect(await labels(client, text)).toEqual(["a"]);
  });

  it("puts a space between an equals sign and what was chosen", async () => {
    const text = `skrull 1\nmodel { precision =${C} }`;
    expect(await chosen(client, text, "fp32")).toBe("skrull 1\nmodel { precision = fp32 }");
  });

  it("offers what a list takes, between brackets", async () => {
    const text = `skrull 1 lora { targets = [q_proj, ${C}] }`;
    expect((await labels(client, text)).slice(0, 3)).toEqual(["attention", "mlp", "all-linear"]);
  });

  it("offers the variants with what they need, and their keys", async () => {
    const client = await startClient(files(), SNIPPETS);
    const text = `skrull 1\ntrain { optimizer = ${C} }`;
    expect(await labels(client, text)).toEqual(["adamw", "adamw8bit", "muon", "sgd"]);
    expect(await chosen(client, text, "adamw")).toContain("optimizer = adamw { lr = $1 } }");
    const settings = Object.keys(LANGUAGE.train.properties.optimizer.type.variants.adamw);
    const inside = `skrull 1\ntrain { optimizer = adamw { eps = 1e-8 ${C} } }`;
    expect(await labels(client, inside)).toEqual([
      "lr",
      ...settings.filter((key) => key !== "lr" && key !== "eps"),
    ]);
  });

  it("offers keys and words inside a constant's block", async () => {
    const { sgd } = LANGUAGE.train.properties.optimizer.type.variants;
    const settings = Object.keys(sgd).filter((key) => key !== "momentum");
    const text = `skrull 1\nlet slow = sgd { momentum = 0.5 ${C} }`;
    expect(await labels(client, text)).toEqual(settings);
    const after = `skrull 1\nlet slow = sgd { momentum = 0.5 }\ntrain { optim${C} }`;
    expect(await labels(client, after)).toContain("optimizer");
  });

  it("offers the units of a number's dimension, near it and after a space", async () => {
    const memory = Object.keys(UNITS.bytes);
    expect(await labels(client, `skrull 1 memory { budget = 76 ${C}`)).toEqual(memory);
    const near = `skrull 1 memory { budget = 76G${C} }`;
    expect(await labels(client, near)).toEqual(memory);
    expect(await chosen(client, near, "GiB")).toBe("skrull 1 memory { budget = 76GiB }");
    expect(await labels(client, `skrull 1 data { max_length = 32${C} }`)).toEqual([
      "K",
      "M",
      "tokens",
    ]);
    const network = await labels(client, `skrull 1 cluster { network = 400 ${C}`);
    expect(network).toEqual(Object.keys(UNITS.bandwidth));
    expect(await labels(client, `skrull 1 train { seed = 4${C}`)).toEqual([]);
    expect((await labels(client, `skrull 1 train { seed = 4 ${C}`))[0]).toBe("optimizer");
    const next = `skrull 1 train {\n seed = 4\n ${C}`;
    expect((await labels(client, next))[0]).toBe("optimizer");
  });

  it("offers the catalogue's models as a block's label", async () => {
    const open = `skrull 1\nmodel "Qwen${C}" {`;
    expect(await labels(client, open)).toContain("Qwen/Qwen2.5-0.5B");
    expect(await chosen(client, open, "Qwen/Qwen2.5-0.5B")).toBe(
      'skrull 1\nmodel "Qwen/Qwen2.5-0.5B" {',
    );
    expect(await chosen(client, `skrull 1\nmodel ${C}`, "Qwen/Qwen2.5-0.5B")).toBe(
      'skrull 1\nmodel "Qwen/Qwen2.5-0.5B"',
    );
    expect(await labels(client, `skrull 1\ncluster "${C}" { }`)).toEqual([]);
  });
});

describe("completion of paths", () => {
  const project = {
    ...files(),
    "data/a.jsonl": "",
    "data/b.jsonl": "",
    "data/deep/c.jsonl": "",
    "data/.hidden": "",
    "model.json": MODEL,
    "specs/inner.skrull": spec(),
  };

  it("offers files and folders relative to the spec", async () => {
    const client = await startClient(project);
    const at = (typed: string) => `skrull 1\ndata {\n  train = ["${typed}${C}"]\n}`;
    expect(await labels(client, at(""))).toEqual([
      ...["data/", "data.jsonl", "model.json", "spec.skrull", "specs/"],
    ]);
    expect(await labels(client, at("data/"))).toEqual(["a.jsonl", "b.jsonl", "deep/"]);
    expect(await labels(client, at("data/."))).toContain(".hidden");
    expect(await labels(client, at("data/deep/"))).toEqual(["c.jsonl"]);
    expect(await labels(client, at("no/such/"))).toEqual([]);
    expect(await labels(client, at("../"))).toEqual([]);
    expect(await labels(client, at("/"))).toEqual([]);
    expect(await chosen(client, at("data/a"), "a.jsonl")).toContain('train = ["data/a.jsonl"]');
    // Editors compare what is replaced with the label.
    const [a] = await client.complete(at("data/a"));
    expect(textAt(marked(at("data/a")).whole, (a?.textEdit as TextEdit).range)).toBe("a");
  });

  it("writes names as a string has them", async () => {
    const client = await startClient({ ...files(), 'a"b\\c.jsonl': "" });
    const text = `skrull 1\ndata { train = ["${C}"] }`;
    expect(await chosen(client, text, 'a"b\\c.jsonl')).toContain('["a\\"b\\\\c.jsonl"]');
  });

  it("offers a file of the same name in another folder as an import", async () => {
    const client = await startClient({ ...files(), "shared/spec.skrull": spec() });
    expect(await labels(client, `skrull 1\nimport "shared/${C}"`)).toEqual(["spec.skrull"]);
  });

  it("looks from the spec's own folder, and out of it where the key may", async () => {
    const client = await startClient(project);
    const text = `skrull 1\nmodel { config = "../${C}" }`;
    const items = await client.complete(text, "specs/inner.skrull");
    expect(items.map(({ label }) => label)).toContain("model.json");
  });

  it("offers the word that is no path, and in an unfinished string too", async () => {
    const client = await startClient(project);
    expect((await labels(client, `skrull 1 data { tokenizer = "by${C}`))[0]).toBe("bytes");
    expect(await labels(client, `skrull 1 data { tokenizer = ${C}`)).toEqual(['""', '"bytes"']);
  });
});
