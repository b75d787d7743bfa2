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

  it("is not told where it makes no difference", async () => {
    expect((await toldOf("adamw { lr = 1e-4 }")).told).toEqual([]);
  });
});
