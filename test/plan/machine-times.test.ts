import { describe, expect, it } from "vitest";
import { readDimensions } from "../../src/catalogue/dimensions.js";
import { gpuByName, modelByName } from "../../src/catalogue/names.js";
import type { Profile } from "../../src/catalogue/profile.js";
import type { Hardware } from "../../src/cost/hardware.js";
import { trainingWork } from "../../src/cost/work.js";
import { hardwareOf } from "../../src/plan/hardware.js";
import {
  type CostSetting,
  demandOf,
  fixedCost,
  schedulingCost,
  targetTime,
  zeroCost,
} from "../../src/plan/machine-times.js";

const read = readDimensions(modelByName("Qwen/Qwen2.5-0.5B")?.config);
const gpu = gpuByName("h100_sxm_80gb");
if (!read.ok || !gpu) throw new Error("the catalogue has both");

const SETTING: CostSetting = {
  formula: "exact",
  shape: read.dimensions.shape,
  precision: "bf16",
  gradients: "bf16",
  checkpointing: "selective",
  hardware: hardwareOf(gpu, "bf16", undefined, false).figures,
  degrees: [8],
  gpusPerNode: 8,
  networkBytesPerSecond: 50e9,
  targetShare: 0.25,
  lengths: [100, 4000],
  zeroStage: 2,
  reduction: "every-micro-batch",
  ranks: 8,
  lora: null,
};
const withFigures = (figures: Partial<Hardware>): CostSetting => ({
  ...SETTING,
  hardware: { ...SETTING.hardware, ...figures },
});

describe("a machine's figures", () => {
  it("have slower attention where it adds up in order, unless that was measured", () => {
    const figure = (deterministic: boolean, profile?: Profile) =>
      hardwareOf(gpu, "bf16", profile, deterministic).figures.attention_flops;
    expect(figure(false) / figure(true)).toBeCloseTo(1.436, 3);
    const profile: Profile = {
      format_version: 1,
      name: "mine",
      gpu: "h100_sxm_80gb",
      precision: "bf16",
      attention_flops: 7,
    };
    expect(figure(true, profile)).toBe(7);
  });
});

describe("what a run asks of a machine", () => {
  it("is the work of its model, the head apart", () => {
    const { flops, target_share } = demandOf(SETTING);
    const work = trainingWork(SETTING);
    expect(flops.body_per_token + target_share * flops.head_per_target).toBeCloseTo(
      work.perToken,
      -3,
    );
    expect(flops.attention_per_token_squared).toBe(work.perTokenSquared);
  });

  it("costs the head at its own speed", () => {
    const slow = withFigures({ head_flops: SETTING.hardware.head_flops / 3 });
    expect(targetTime(slow)).toBeCloseTo(3 * targetTime(SETTING), 9);
    const more = schedulingCost(slow).a1 - schedulingCost(SETTING).a1;
    expect(more).toBeCloseTo(2 * 0.25 * targetTime(SETTING), 9);
  });

  it("is less with adapters, whose frozen matrices have no gradient", () => {
    const adapted = { ...SETTING, lora: { rank: 8, widths: 10_000 } };
    expect(demandOf(adapted).flops.body_per_token).toBeLessThan(
      demandOf(SETTING).flops.body_per_token,
    );
    expect(demandOf(adapted).flops.attention_per_token_squared).toBe(
      demandOf(SETTING).flops.attention_per_token_squared,
    );
  });
});

describe("fixed costs", () => {
  const measured = { micro_batch_us: 50_000, step_us: 70_000 };
  const { parameters } = SETTING.shape;

  it("add the modelled traffic of ZeRO to what includes none", () => {
    const setting = withFigures(measured);
    const traffic = zeroCost(setting);
    expect(traffic.perMicroBatch).toBeGreaterThan(0);
    expect(fixedCost(setting)).toEqual({
      perMicroBatch: 50_000 + traffic.perMicroBatch,
      perStep: 70_000 + traffic.perStep,
    });
  });

  it("are what was measured in the very same setting", () => {
    const zero_included = { stage: 2, ranks: 8, parameters } as const;
    expect(fixedCost(withFigures({ ...measured, zero_included }))).toEqual({
      perMicroBatch: 50_000,
      perStep: 70_000,
    });
  });

  it("differ from a measurement of another stage by the traffic, and are never negative", () => {
    const zero_included = { stage: 3, ranks: 8, parameters } as const;
    const setting = withFigures({ ...measured, zero_included });
    const difference =
      zeroCost({ ...setting, zeroStage: 3 }).perMicroBatch - zeroCost(setting).perMicroBatch;
    expect(difference).toBeGreaterThan(0);
    expect(fixedCost(setting).perMicroBatch).toBeCloseTo(50_000 - difference, 6);
    const cheap = withFigures({ ...measured, micro_batch_us: 1, zero_included });
    expect(fixedCost(cheap).perMicroBatch).toBe(0);
  });

  it("of a micro-batch hold no reduction where gradients are reduced once a step", () => {
    const once: CostSetting = { ...withFigures(measured), reduction: "once" };
    expect(fixedCost(once).perMicroBatch).toBe(50_000);
    expect(zeroCost(once)).toEqual(zeroCost({ ...once, zeroStage: 1 }));
  });
});
