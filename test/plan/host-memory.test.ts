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
    // 7.6 G parameters: 12 bytes of states, 4 of added gradients and 4 of the step's, over the 8 ranks of the one node.
    expect(codes(await onGpu("100 GiB"))).toEqual(["host-memory-exceeded"]);
    const { diagnostics } = await onGpu("100 GiB");
    const found = diagnostics.find(({ code }) => code === "host-memory-exceeded");
    expect(found?.message).toContain("offloaded states of 8 ranks need 142 GiB");
    expect(codes(await onGpu("150 GiB"))).toEqual([]);
  });

  it("is needed once a node for what is sharded over all nodes", async () => {
    const cluster = `{ nodes = 2 ${GPU} host_memory = 100 GiB }`;
    expect(codes(await onGpu("", { cluster }))).not.toContain("host-memory-exceeded");
  });

  it("must hold random weights as a whole while they are drawn, and of pretrained ones a parameter", async () => {
    const random = { model: LARGE.replace("{ }", "{ weights = random }"), memory: "{ }" };
    expect(codes(await onGpu("10 GiB", random))).toEqual(["host-memory-exceeded"]);
    expect(codes(await onGpu("16 GiB", random))).toEqual([]);
    expect(codes(await onGpu("10 GiB", { memory: "{ }" }))).toEqual([]);
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
