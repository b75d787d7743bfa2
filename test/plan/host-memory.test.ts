import { describe, expect, it } from "vitest";
import { gpuByName } from "../../src/catalogue/names.js";
import { codes, planOf } from "./make.js";

const GPU = "gpus = 8 gpu = h100_sxm_80gb";
const LARGE = '"Qwen/Qwen2.5-7B" { }';

const onGpu = (memory: string, more: Readonly<Record<string, string>> = {}) =>
  planOf({
    model: LARGE,
    cluster: `{ ${GPU} host_memory = ${memory} }`,
    parallel: "{ context = 2 zero = 3 }",
    memory: "{ offload = optimizer }",
    ...more,
  });

describe("the memory of a node", () => {
  it("must hold the states that its ranks offload", async () => {
    // 7.6 G parameters over the 8 ranks of the one node: 8 bytes of moments; a pinned block of 4 GiB each of master
    // weights, of added gradients and of the step's, which need 3.5 GiB; and 2.5 GiB of its process: 8 x 21.6 GiB.
    expect(codes(await onGpu("100 GiB"))).toEqual(["host-memory-exceeded"]);
    const { diagnostics } = await onGpu("100 GiB");
    const found = diagnostics.find(({ code }) => code === "host-memory-exceeded");
    expect(found?.message).toContain("offloaded states of 8 ranks need 169 GiB");
    expect(codes(await onGpu("170 GiB"))).toEqual([]);
  });

  it("is needed once a node for what is sharded over all nodes", async () => {
    const cluster = `{ nodes = 2 ${GPU} host_memory = 100 GiB }`;
    expect(codes(await onGpu("", { cluster }))).not.toContain("host-memory-exceeded");
  });

  it("must hold random weights as a whole while they are drawn, and of pretrained ones a parameter", async () => {
    // 14.8 G parameters in bf16: 27.5 GiB, beside 8 processes of 2.5 GiB.
    const model = LARGE.replace("7B", "14B");
    const random = { model: model.replace("{ }", "{ weights = random }"), memory: "{ }" };
    const short = await onGpu("47 GiB", random);
    expect(codes(short)).toEqual(["host-memory-exceeded"]);
    const { message } = short.diagnostics.find(({ severity }) => severity === "error") ?? {};
    expect(message).toContain("draws as a whole, and processes of 8 ranks need 47.5 GiB");
    expect(codes(await onGpu("48 GiB", random))).toEqual([]);
    expect(codes(await onGpu("27 GiB", { model, memory: "{ }" }))).toEqual([]);
  });

  it("must hold the processes of its ranks, of 2.5 GiB each", async () => {
    const found = await onGpu("19.9 GiB", { memory: "{ }" });
    expect(codes(found)).toEqual(["host-memory-exceeded"]);
    const { message } = found.diagnostics.find(({ severity }) => severity === "error") ?? {};
    expect(message).toContain("processes of 8 ranks need 20.0 GiB");
    expect(codes(await onGpu("20 GiB", { memory: "{ }" }))).toEqual([]);
  });

  it("must hold a file of a merged model beside them, up to the end of a layer", async () => {
    // 1 GiB, and a layer of 233 M parameters in bf16.
    const merged = { memory: "{ }", lora: "{ rank = 8 merge = true }" };
    const found = await onGpu("21.3 GiB", merged);
    expect(codes(found)).toContain("host-memory-exceeded");
    expect(codes(await onGpu("21.5 GiB", merged))).not.toContain("host-memory-exceeded");
  });

  it("must hold the layers' inputs of a full bucket where those are kept there", async () => {
    const inputs = (host: string) =>
      onGpu(host, {
        model: LARGE.replace("{ }", "{ checkpointing = offload }"),
        memory: "{ bucket = 32K }",
      });
    // 28 layers of 3584 in bf16, of 32,769 tokens: 6.1 GiB a rank, beside its process.
    const found = await inputs("64 GiB");
    expect(codes(found)).toEqual(["host-memory-exceeded"]);
    const error = found.diagnostics.find(({ severity }) => severity === "error");
    expect(error?.message).toContain("layer inputs of 8 ranks need 69.0 GiB");
    expect(error?.range.start.line).toBe(2);
    expect(codes(await inputs("70 GiB"))).toEqual([]);
  });

  it("is what the ranks share on CPU, unless the budget is set", async () => {
    const budgetOf = async (host: string, memory: string) => {
      const cluster = `{ gpus = 2 gpu = cpu ${host} }`;
      const { plan } = await planOf({ cluster, memory: `{ reserve = 1 MiB ${memory} }` });
      return plan?.memory.budget_bytes;
    };
    expect(await budgetOf("host_memory = 32 GiB", "")).toBe(16 * 2 ** 30);
    expect(await budgetOf("host_memory = 3 GiB", "")).toBe(1.5 * 2 ** 30);
    expect(await budgetOf("host_memory = 32 GiB", "budget = 1 GiB")).toBe(2 ** 30);
    expect(await budgetOf("", "")).toBe(8e9);
    const { plan } = await onGpu("200 GiB", { memory: "{ }" });
    expect(plan?.memory.budget_bytes).toBe(gpuByName("h100_sxm_80gb")?.memory_bytes);
  });

  it("must hold the ranks themselves on CPU", async () => {
    const cluster = "{ gpus = 2 gpu = cpu host_memory = 1 MiB }";
    expect(codes(await planOf({ cluster }))).toEqual(["host-memory-exceeded"]);
    const { plan } = await planOf({ cluster: cluster.replace("1 MiB", "1 GiB") });
    expect(plan?.topology.host_memory_bytes).toBe(2 ** 30);
  });
});
