import { describe, expect, it } from "vitest";
import { planOf } from "./make.js";

const DECAYING = "lr = 1e-4 weight_decay = 0.1";

const toldOf = async (optimizer: string) => {
  const made = await planOf({ train: `{ optimizer = ${optimizer} }` });
  const told = made.diagnostics.filter(({ code }) => code === "changed-default");
  return { told, optimizer: made.plan?.training.optimizer };
};

describe("a default that has changed what is trained", () => {
  it.each([
    "adamw",
    "sgd",
  ])("is told in a line, with the key that trains as before: %s", async (type) => {
    const { told, optimizer } = await toldOf(`${type} { ${DECAYING} }`);
    expect(told).toMatchObject([
      {
        severity: "info",
        message: expect.stringMatching(/^decayed = matrices .* decayed = all trains as before$/),
      },
    ]);
    expect(optimizer).toMatchObject({ type, decayed: "matrices" });
  });

  it.each(["matrices", "all"])("is not told to whoever has chosen %s", async (decayed) => {
    const { told, optimizer } = await toldOf(`adamw { ${DECAYING} decayed = ${decayed} }`);
    expect(told).toEqual([]);
    expect(optimizer).toMatchObject({ decayed });
  });

  it("is told of gradients in bf16, and not of a model in fp32", async () => {
    const of = async (precision: string, train = "") => {
      const { diagnostics, plan } = await planOf({
        model: `"Qwen/Qwen2.5-0.5B" { weights = random precision = ${precision} }`,
        cluster: "{ gpus = 8 gpu = h100_sxm_80gb }",
        memory: "{ }",
        train: `{ optimizer = adamw { lr = 1e-4 } ${train} }`,
      });
      const told = diagnostics.filter(({ code }) => code === "changed-default");
      return [told.map(({ message }) => message.split(" is ")[0]), plan?.training.gradients];
    };
    expect(await of("bf16")).toEqual([["gradients = fp32"], "fp32"]);
    expect(await of("bf16", "gradients = bf16")).toEqual([[], "bf16"]);
    expect(await of("fp32")).toEqual([[], "fp32"]);
  });

  it("is told of YaRN where the model's recipe stretches other positions than its configuration has", async () => {
    const of = async (scaling: string) => {
      const { diagnostics } = await planOf({
        model: `"Qwen/Qwen3-8B" { weights = random precision = fp32 rope_scaling = ${scaling} }`,
        cluster: "{ gpus = 8 gpu = h100_sxm_80gb }",
        memory: "{ }",
      });
      return diagnostics.filter(({ code }) => code === "changed-default").map((d) => d.message);
    };
    const told =
      "original = 32768 is a new default: YaRN stretches the positions that the model was";
    expect(await of("yarn { factor = 4 }")).toEqual([expect.stringContaining(told)]);
    expect(await of("yarn { factor = 4 original = 32K }")).toEqual([]);
    expect(await of("linear { factor = 2 }")).toEqual([]);
  });

  it("is not told where it makes no difference", async () => {
    expect((await toldOf("adamw { lr = 1e-4 }")).told).toEqual([]);
  });
});
