import { expect, it } from "vitest";
import { planReport } from "../../src/cli/plan-report.js";
import { planOf } from "../plan/make.js";

it("says what adapters are, besides their rank", async () => {
  const adapters = async (rest: string) => {
    const { plan } = await planOf({ lora: `{ rank = 4 ${rest} }` });
    return /adapters +(.*) trained/.exec(plan ? planReport(plan) : "")?.[1];
  };
  expect(await adapters("")).toBe("rank 4, 1,792");
  expect(await adapters("dora = true")).toBe("rank 4, DoRA, 1,984");
  expect(await adapters("base = nf4")).toBe("rank 4, on NF4, 1,792");
});

it("says of a model with layers that mix tokens in order that sequences stay whole, and how long they may be", async () => {
  const { plan } = await planOf({});
  if (!plan) throw new Error("no plan");
  const { model, memory } = plan;
  const hybrid = { ...model, shape: { ...model.shape, mixer_layers: 1 } };
  expect(planReport({ ...plan, model: hybrid, memory: { ...memory, bucket: 6144 } })).toMatch(
    /\n {2}sequences +whole \(1 of 2 layers mix tokens in order\), 6,144 tokens at most\n/,
  );
  expect(planReport(plan)).not.toContain("mix tokens in order");
});
