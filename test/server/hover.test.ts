import { beforeAll, describe, expect, it } from "vitest";
import {
  CancellationTokenSource,
  type Hover,
  type Range,
} from "vscode-languageserver-protocol/node";
import { LANGUAGE } from "../../src/language/language.js";
import { memoryTable } from "../../src/plan/memory-table.js";
import { files, skrull, spec } from "../cli/run.js";
import { CURSOR as C, type Client, marked, positionOf, startClient, textAt } from "./client.js";

async function hover(
  client: Client,
  text: string,
): Promise<{ value: string; over: string } | null> {
  const found = await client.ask<Hover | null>("textDocument/hover", text);
  if (!found) return null;
  const { value } = found.contents as { readonly value: string };
  return { value, over: textAt(marked(text).whole, found.range as Range) };
}

describe("hover", () => {
  let client: Client;
  beforeAll(async () => {
    client = await startClient(files());
  });

  it("on a key shows its type, meaning, default and resolved value", async () => {
    const { policy } = LANGUAGE.schedule.properties;
    const text = spec({ schedule: `{ global_batch = 4 pol${C}icy = packed }` });
    expect(await hover(client, text)).toEqual({
      over: "policy",
      value: [
        `\`policy\`: ${policy.type.values.map((value) => `\`${value}\``).join(", ")}`,
        policy.doc,
        "Without it: `auto`.",
        "Here: `packed`",
      ].join("\n\n"),
    });
  });

  it("on a value resolves its unit, also where the spec has errors elsewhere", async () => {
    const data = `{ train = ["data.jsonl"] tokenizer = "bytes" max_length = ${C}12K }`;
    for (const parallel of ["{ }", "{ zero = 12 }"]) {
      const shown = await hover(client, spec({ data, parallel }));
      expect(shown?.over).toBe("12");
      expect(shown?.value).toMatch(/^`max_length`: tokens \(.*Here: `12,288 tokens`$/s);
    }
  });

  it("shows values as they are: nothing in them is Markdown", async () => {
    const data = `{ tra${C}in = ["d*.jsonl", "*_\`x.jsonl"] tokenizer = "bytes" max_length = 1K }`;
    const shown = await hover(client, spec({ data }));
    expect(shown?.value).toContain('Here: ``["d*.jsonl", "*_`x.jsonl"]``');
  });

  it("shows the whole of a constant that ends in parentheses", async () => {
    const shown = await hover(client, `${spec()}let se${C}q = (1K + 1K) * (3 - 1) # two\n`);
    expect(shown?.value).toContain("```skrull\nlet seq = (1K + 1K) * (3 - 1)\n```");
  });

  it("on a required key says why it is", async () => {
    const shown = await hover(client, spec({ cluster: `{ gpus${C} = 2 gpu = cpu }` }));
    expect(shown?.value).toContain("Required. The number of ranks follows from it.");
  });

  it("on a key inside a variant", async () => {
    const text = spec({ train: `{ optimizer = adamw { lr = 1e-3 weight_${C}decay = 0.1 } }` });
    const shown = await hover(client, text);
    expect(shown?.over).toBe("weight_decay");
    expect(shown?.value).toContain("Decoupled weight decay.");
    expect(shown?.value).toContain("Here: `0.1`");
  });

  it("on a key inside a constant's block, and shows no run's value there", async () => {
    const shown = await hover(client, `${spec()}let slow = sgd { lr = 1e-3 moment${C}um = 0.5 }`);
    expect(shown?.over).toBe("momentum");
    expect(shown?.value).toContain("Momentum.");
    expect(shown?.value).not.toContain("Here");
  });

  it("on a unit, a block, a GPU and a model", async () => {
    const unit = await hover(client, spec({ memory: `{ budget = 4 Gi${C}B }` }));
    expect(unit).toEqual({
      over: "GiB",
      value: "`1 GiB` = 1,073,741,824 B\n\nUnit of an amount of memory.",
    });
    const block = await hover(client, `skrull 1\nmem${C}ory {`);
    expect(block?.value).toContain("Block `memory`");
    const gpu = await hover(client, "skrull 1 cluster { gpu = h100_sxm_80gb┆ }");
    expect(gpu?.value).toContain("**NVIDIA H100 SXM 80 GB**");
    expect(gpu?.value).toContain("79.6 GiB, 989 TFLOP/s in bf16");
    const cpu = await hover(client, "skrull 1 cluster { gpu = cpu┆ }");
    expect(cpu?.value).toContain("20 GFLOP/s in bf16");
    const model = await hover(client, `skrull 1 model "Qwen/Qwen2.5-0.5B${C}" { }`);
    expect(model?.value).toContain("494,032,768 parameters");
  });

  it("on the words of the language", async () => {
    const text = (word: string) =>
      `${spec()}let a = 1\nrun b { }\nrun c extends b { }\n`.replace(word, `${word}${C}`);
    expect((await hover(client, text("skrull")))?.value).toContain("The version");
    expect((await hover(client, text("let")))?.value).toBe("A constant.");
    expect((await hover(client, text("run")))?.value).toContain("A named run");
    expect((await hover(client, text("extends")))?.value).toContain("overridden key by key");
  });

  it("says nothing on comments, braces and unknown keys", async () => {
    expect(await hover(client, `# budget${C}\n${spec()}`)).toBeNull();
    expect(await hover(client, `skrull 1\ncluster { nonsense${C} = 3 }`)).toBeNull();
    expect(await hover(client, `skrull 1\ncluster { } ${C}  `)).toBeNull();
  });
});

describe("hover on the plan's keys", () => {
  const parts = { cluster: "{ gpus = 4 gpu = cpu }", parallel: "{ context = 2 zero = 1 }" };
  const memory = { ...parts, memory: `{ bud${C}get = 1 GiB reserve = 1 MiB bucket = 1K }` };
  const context = { ...parts, parallel: `{ con${C}text = 2 zero = 1 }` };

  it("shows the memory table and the degrees that fit, once the data has been measured", async () => {
    const client = await startClient(files(parts));
    const unmeasured = await hover(client, spec(memory));
    expect(unmeasured?.value).toContain("The data has not been measured yet");
    const env = { cwd: client.folder, cache: ".cache" };
    const { stdout } = skrull(["plan", "spec.skrull", "--format", "json"], env);
    const plan = JSON.parse(stdout);
    const table = await hover(client, spec(memory));
    expect(table?.over).toBe("budget");
    expect(table?.value).toContain("Memory of a rank (modelled)");
    expect(table?.value).toContain("Here: `1.00 GiB (1,073,741,824 B)`");
    for (const { name } of memoryTable(plan.memory).rows)
      expect(table?.value).toContain(`| ${name} |`);
    expect(table?.value).toContain("| bucket size C (from the spec) | 1,024 tokens |");
    const degrees = await hover(client, spec(context));
    expect(degrees?.value).toContain("predicted on 5 samples");
    expect(degrees?.value).toMatch(/\| 1 \| [\d,]+ \| /);
    expect(degrees?.value).toMatch(/\| 2 <- here \| [\d,]+ \| /);
    expect(degrees?.value).toMatch(/\| 4 \| [\d,]+ \| /);
  });

  it("shows the plan of the run that the key stands in, and none in a named block", async () => {
    const client = await startClient(files(parts));
    skrull(["plan", "spec.skrull"], { cwd: client.folder, cache: ".cache" });
    const runs = (inside: string) =>
      `${spec(parts)}run wide { parallel { ${inside} } }\nrun narrow { parallel { context = 1 } }\n`;
    const shown = await hover(client, runs(`con${C}text = 4`));
    expect(shown?.value).toContain("Here: `4`");
    expect(shown?.value).toContain("Degrees that fit of run wide, predicted on 5 samples");
    expect(shown?.value).toContain("| 4 <- here |");
    const named = await hover(client, `${spec(parts)}memory small { bud${C}get = 1 GiB }\n`);
    expect(named?.value).toContain("Here: `1.00 GiB");
    expect(named?.value).not.toContain("Memory of a rank");
  });

  it("says why there is no plan", async () => {
    const small = { ...memory, memory: `{ bud${C}get = 2 MiB reserve = 1 MiB }` };
    const client = await startClient(files(parts));
    skrull(["plan", "spec.skrull"], { cwd: client.folder, cache: ".cache" });
    const shown = await hover(client, spec(small));
    expect(shown?.value).toMatch(/No plan\. model states need .* of the 1\.00 MiB/);
    const none = await hover(
      client,
      spec({ ...context, memory: "{ budget = 2 MiB reserve = 1 MiB }" }),
    );
    expect(none?.value).toContain("No degree fits");
  });

  it("is given up when the text changes, and everything else is answered meanwhile", async () => {
    const client = await startClient(files(parts));
    skrull(["plan", "spec.skrull"], { cwd: client.folder, cache: ".cache" });
    const { before, whole } = marked(spec(memory));
    await client.open("spec.skrull", whole);
    const textDocument = { uri: client.uri("spec.skrull") };
    const params = { textDocument, position: positionOf(before) };
    const answer = client.request<Hover>("textDocument/hover", params);
    const symbols = await client.request("textDocument/documentSymbol", { textDocument });
    expect(symbols).toHaveLength(7);
    await client.change("spec.skrull", "skrull 1\n");
    const { value } = (await answer).contents as { readonly value: string };
    expect(value).toMatch(/^`budget`.*Here: `1\.00 GiB \(1,073,741,824 B\)`$/s);
    expect((await client.diagnostics("spec.skrull")).length).toBeGreaterThan(0);
  });

  it("is given up when the client cancels it", async () => {
    const client = await startClient(files(parts));
    const { before, whole } = marked(spec(memory));
    await client.open("spec.skrull", whole);
    const source = new CancellationTokenSource();
    const textDocument = { uri: client.uri("spec.skrull") };
    const params = { textDocument, position: positionOf(before) };
    const answer = client.connection.sendRequest("textDocument/hover", params, source.token);
    source.cancel();
    const given = await answer.catch((error: { code: number }) => error);
    // Cancelled before it began, or what was known by then.
    expect(JSON.stringify(given)).toMatch(/-32800|`budget`/);
  });
});
