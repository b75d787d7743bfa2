import { describe, expect, it } from "vitest";
import type { Hardware, ZeroSetting } from "../../src/cost/hardware.js";
import type { ZeroStage } from "../../src/cost/memory.js";
import {
  type CostSetting,
  demandOf,
  fixedCost,
  schedulingCost,
  targetTime,
  zeroCost,
} from "../../src/plan/machine-times.js";
import { CONSTANTS, LORA, SMALL } from "../cost/small-shape.js";

/** A gather over four ranks takes 66 us, or 60 and 6 a megabyte; a reduce-scatter twice, an all-to-all three times as long. */
const HARDWARE: Hardware = {
  matmul_flops: 1e9,
  head_flops: 0.5e9,
  attention_flops: 0.25e9,
  small_shard_tokens: 450,
  elementwise_bytes_per_second: 2e9,
  micro_batch_us: null,
  micro_batch_least_us: null,
  step_us: null,
  memory_bandwidth: 1e9,
  host_link: 1e8,
  network_bytes_per_second: null,
  crossing_factor: null,
  host_adam_parameters: 5e6,
  zero_included: null,
  zero_overlap: null,
  activation_factor: 1,
  collectives: [
    {
      ranks: 4,
      nodes: 1,
      megabytes: [1, 10, 100],
      all_gather_us: [66, 120, 660],
      reduce_scatter_us: [132, 240, 1320],
      all_to_all_us: [198, 360, 1980],
    },
  ],
  constants: CONSTANTS,
};
const SETTING: CostSetting = {
  formula: "exact",
  shape: { ...SMALL, parameters: 10e6 },
  precision: "bf16",
  gradients: "bf16",
  checkpointing: "none",
  hardware: HARDWARE,
  degrees: [4],
  gpusPerNode: 4,
  networkBytesPerSecond: 1e9,
  targetShare: 0.5,
  lengths: [100],
  zeroStage: 2,
  reduction: "every-micro-batch",
  ranks: 4,
  offload: "none",
  lora: null,
  states: { masterBytes: 4, momentBytes: 8 },
  orthogonalises: false,
  fused: false,
  compiledNorms: false,
};
/** 4 x 10^6 parameters in five layers. */
const ADAPTED = { lora: { ...LORA, rank: 8, widths: 100_000, parameters: 4_000_000 } };

const of = (change: Partial<CostSetting>, figures: Partial<Hardware> = {}): CostSetting => ({
  ...SETTING,
  ...change,
  hardware: { ...HARDWARE, ...figures },
});
const close = (times: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(times).map(([name, us]) => [name, expect.closeTo(us, 6)]));

/** us of collectives of so many megabytes. */
const gather = (megabytes: number) => 60 + 6 * megabytes;
const scatter = (megabytes: number) => 2 * gather(megabytes);

describe("ZeRO's communication", () => {
  const traffic = (change: Partial<CostSetting>) => zeroCost(of(change));

  it.each<[ZeroStage, number, number]>([
    [0, 0, scatter(20) + gather(20)],
    [1, 0, scatter(20) + gather(20)],
    [2, scatter(20), gather(20)],
    [3, scatter(20) + 2 * gather(20), 0],
  ])("of stage %i is of all weights and gradients", (zeroStage, perMicroBatch, perStep) => {
    expect(traffic({ zeroStage })).toEqual(close({ perMicroBatch, perStep }));
  });

  it.each<[ZeroStage, number, number]>([
    [0, 0, scatter(8) + gather(8)],
    [1, 0, scatter(8) + gather(8)],
    [2, scatter(8), gather(8)],
    // Frozen weights are gathered too, adapters beside them; they have no gradients to reduce.
    [3, scatter(8) + 2 * gather(28), 0],
  ])("of stage %i with adapters is of those, but for gathers of all weights", (zeroStage, perMicroBatch, perStep) => {
    expect(traffic({ ...ADAPTED, zeroStage })).toEqual(close({ perMicroBatch, perStep }));
  });

  it("is in the precisions of weights and gradients", () => {
    expect(traffic({ gradients: "fp32" })).toEqual(
      close({ perMicroBatch: scatter(40), perStep: gather(20) }),
    );
    expect(traffic({ precision: "fp32" })).toEqual(
      close({ perMicroBatch: scatter(40), perStep: gather(40) }),
    );
  });

  it("takes what its smallest message does at least", () => {
    expect(traffic({ shape: SMALL })).toEqual(close({ perMicroBatch: 132, perStep: 66 }));
  });

  it("is once a step where gradients are reduced so", () => {
    expect(traffic({ reduction: "once" })).toEqual(traffic({ zeroStage: 1 }));
  });

  it("is none of a single rank", () => {
    for (const zeroStage of [0, 1, 2, 3] as const)
      expect(traffic({ ranks: 1, zeroStage })).toEqual({ perMicroBatch: 0, perStep: 0 });
  });

  it("goes over the share of the network's rate that collectives reach, and takes longer to start", () => {
    // Half of 20 MB enters a node over its four cards of 0.6 GB/s.
    const between = 4 * 60 + (0.5 * 20e6) / (4 * 600);
    const found = traffic({ ranks: 8 }).perStep;
    expect(found).toBeCloseTo(between, 6);
  });

  it("goes over a measured network at what that reaches", () => {
    // At 0.2 GB/s of a card, starting seven times as late.
    const found = zeroCost(
      of({ ranks: 8, zeroStage: 1 }, { network_bytes_per_second: 0.2e9, crossing_factor: 7 }),
    );
    const each = (start: number) => 7 * start + (0.5 * 20e6) / (4 * 200);
    expect(found.perStep).toBeCloseTo(each(60) + each(120), 6);
  });
});

describe("fixed costs of a GPU without a profile", () => {
  /** 5 layers of 3 and 50 us. */
  const START = 265;
  /** 44 bytes of a quarter of 10^7 parameters, at 10^9 a second. */
  const STEP = 1000 + 110_000;

  it("hide a share of ZeRO's communication, and take what the host takes at least", () => {
    expect(fixedCost(SETTING)).toEqual(
      close({
        perMicroBatch: 0.75 * scatter(20),
        least: START,
        perStep: STEP + gather(20),
      }),
    );
  });

  it("take what is hidden at least, where that is more", () => {
    const shape = { ...SMALL, parameters: 100e6 };
    expect(fixedCost(of({ shape })).least).toBeCloseTo(0.25 * scatter(200), 6);
    expect(0.25 * scatter(200)).toBeGreaterThan(START);
  });

  it("have the host's time for recomputation, hooks and adapters", () => {
    const full = of({ ...ADAPTED, checkpointing: "full", zeroStage: 3 });
    expect(fixedCost(full).least).toBeCloseTo(5 * (1.5 * 56 + 3 * 700), 6);
  });

  it("step adapters alone", () => {
    const { perStep } = fixedCost(of(ADAPTED));
    expect(perStep).toBeCloseTo(1000 + 44_000 + gather(8), 6);
  });

  it("have what crosses to the host of an offloaded optimizer", () => {
    const away = fixedCost(of({ offload: "optimizer" }));
    // 5 MB of a rank's gradients, and of its weights; a node steps 10^7 parameters at 5 x 10^6 a second.
    expect(away).toEqual(
      close({
        perMicroBatch: 50_000 + 0.75 * scatter(20),
        least: START,
        perStep: 1000 + 2_000_000 + 50_000 + gather(20),
      }),
    );
    const all = fixedCost(of({ offload: "all", zeroStage: 3 }));
    // A rank's 5 MB of weights, in the forward and the backward.
    expect(all.perMicroBatch).toBeCloseTo(
      50_000 + 100_000 + 0.75 * (scatter(20) + 2 * gather(20)),
      6,
    );
  });
});

describe("fixed costs of a profile", () => {
  const measured = { micro_batch_us: 50_000, step_us: 70_000 };
  const { parameters } = SETTING.shape;

  it("add the modelled traffic of ZeRO to what includes none, and hide nothing", () => {
    expect(fixedCost(of({}, measured))).toEqual(
      close({
        perMicroBatch: 50_000 + scatter(20),
        least: 0,
        perStep: 70_000 + gather(20),
      }),
    );
  });

  it("leave what was not measured to the model", () => {
    expect(fixedCost(of({}, { micro_batch_us: 50_000 })).perStep).toBe(fixedCost(SETTING).perStep);
    const { perMicroBatch, least } = fixedCost(of({}, { step_us: 70_000 }));
    expect(fixedCost(SETTING)).toMatchObject({ perMicroBatch, least });
  });

  it("are what was measured in the very same setting", () => {
    const zero_included = { stage: 2, ranks: 4, parameters } as const;
    expect(fixedCost(of({}, { ...measured, zero_included }))).toEqual(
      close({ perMicroBatch: 50_000, least: 0, perStep: 70_000 }),
    );
  });

  it("differ from a measurement of another setting by the traffic", () => {
    const included = (zero_included: ZeroSetting, change = {}) => {
      // Without the bandwidth of memory, the optimizer's time is not told apart.
      const hardware = { ...measured, zero_included, memory_bandwidth: null };
      const { perMicroBatch, perStep } = fixedCost(of(change, hardware));
      return [perMicroBatch - 50_000, perStep - 70_000].map((us) => Math.round(us * 1e6) / 1e6);
    };
    const same = { stage: 2, ranks: 4, parameters } as const;
    expect(included({ ...same, stage: 3 })).toEqual([-2 * gather(20), gather(20)]);
    expect(included({ ...same, ranks: 1 })).toEqual([scatter(20), gather(20)]);
    expect(included({ ...same, parameters: 5e6 })).toEqual([
      scatter(20) - scatter(10),
      gather(20) - gather(10),
    ]);
    expect(included({ ...same, gradients: "fp32" })).toEqual([scatter(20) - scatter(40), 0]);
    // Adapters were not part of it, nor was a reduction once a step.
    expect(included(same, ADAPTED)).toEqual([scatter(8) - scatter(20), gather(8) - gather(20)]);
    expect(included(same, { reduction: "once" })).toEqual([-scatter(20), scatter(20)]);
    // Gradients in fp32 are not included where the profile does not say so.
    expect(included(same, { gradients: "fp32" })).toEqual([scatter(40) - scatter(20), 0]);
    // A profile of adapters includes what they exchange: 4 x 10^6 of 14 x 10^6 parameters.
    const adapted = { ...same, trained: 4e6 };
    expect(included(adapted, ADAPTED)).toEqual([0, 0]);
    expect(included({ ...adapted, stage: 3 }, ADAPTED)).toEqual([-2 * gather(28), gather(8)]);
  });

  it("differ from a measurement of another setting by the optimizer's time", () => {
    const zero_included = { stage: 2, ranks: 4, parameters } as const;
    const slow = { micro_batch_us: 5e6, step_us: 7e6, zero_included };
    const time = (change: Partial<CostSetting>, of_ = {}) => {
      const cost = fixedCost(of(change, { ...slow, zero_included: { ...zero_included, ...of_ } }));
      return [cost.perMicroBatch - 5e6, cost.perStep - 7e6].map((us) => Math.round(us * 1e3) / 1e3);
    };
    // 44 bytes of a parameter at 1 GB/s: 110 ms for a quarter of them.
    const stepped = (parameters * 44) / 4 / 1e3;
    expect(time({}, { stage: 0 })[1]).toBeCloseTo(-3 * stepped - scatter(20), 3);
    // Offloaded, 10 x 10^6 parameters step at 5 x 10^6 a second, and cross at 0.1 GB/s, twice.
    const crossing = (parameters / 4) * 2 * 1e-2;
    expect(time({ offload: "optimizer" })).toEqual([crossing, 2e6 + crossing - stepped]);
    expect(time({ offload: "optimizer" }, { offload: "optimizer" })).toEqual([0, 0]);
  });

  it("have the least time of a micro-batch, and hide the share of traffic that was measured beside work", () => {
    const zero_included = { stage: 2, ranks: 4, parameters } as const;
    const own = { ...measured, zero_included, micro_batch_least_us: 900, zero_overlap: 0.75 };
    expect(fixedCost(of({}, own))).toMatchObject({ perMicroBatch: 50_000, least: 900 });
    const more = 2 * gather(20);
    const { perMicroBatch, least } = fixedCost(of({ zeroStage: 3 }, own));
    expect(perMicroBatch).toBeCloseTo(50_000 + more / 4, 6);
    expect(least).toBeCloseTo(Math.max(900, 0.75 * (more + scatter(20))), 6);
    const less = fixedCost(of({ reduction: "once" }, own));
    expect(less.perMicroBatch).toBeCloseTo(50_000 - scatter(20) / 4, 6);
    expect(less.least).toBe(900);
  });

  it("are never negative", () => {
    const zero_included = { stage: 3, ranks: 4, parameters } as const;
    const cheap = of({}, { micro_batch_us: 1, step_us: 1, zero_included });
    expect(fixedCost(cheap).perMicroBatch).toBe(0);
    const step = { ...zero_included, stage: 1 } as const;
    expect(fixedCost(of({}, { step_us: 1, zero_included: step })).perStep).toBe(0);
  });
});

// As of work.test.ts: FLOPs of a token in the layers, of a target and of a pair; the elementwise work of a layer is that
// of elementwise.test.ts.
const BODY = 5 * 3 * (960 + 420);
const HEAD = 3 * 220;
const PAIRS = (5 * 3 * 72) / 2;
const ELEMENTWISE = 5 * (68 * 20 + 180 * 20 + (47 + 56) * 24 + (12.5 + 22.5) * 7 + 26 * 10);
const TARGET = 20 * 11;

describe("what a run asks of a machine", () => {
  it("is the work of its model, the head apart, and its collectives", () => {
    expect(demandOf(SETTING)).toEqual({
      flops: {
        body_per_token: BODY,
        head_per_target: HEAD,
        attention_per_token: 0,
        attention_per_token_squared: PAIRS,
      },
      target_share: 0.5,
      bytes: { per_token: ELEMENTWISE, per_target: TARGET },
      collectives: { bytes_per_token: 24, gathers: 5, all_to_alls: 5 },
    });
    const again = demandOf(of({ checkpointing: "full", precision: "fp32" })).collectives;
    expect(again).toEqual({ bytes_per_token: 48, gathers: 10, all_to_alls: 5 });
  });

  it("has no head where nothing is a target", () => {
    expect(demandOf(of({ targetShare: 0 })).flops.head_per_target).toBe(0);
  });

  it("is less with adapters, whose frozen matrices have no gradient", () => {
    const { flops } = demandOf(of({ lora: LORA }));
    expect(flops.body_per_token).toBe(5 * (2 * 1380 + 3 * 2 * 2 * 3));
    expect(flops.attention_per_token_squared).toBe(PAIRS);
  });

  it("is the paper's where the spec says so", () => {
    const { flops } = demandOf(of({ formula: "skrull-paper" }));
    expect(flops.body_per_token).toBe(3 * 5 * (20 * 100 + 4 * 10 * 6));
    expect(flops.attention_per_token_squared).toBe(3 * 5 * 40);
  });
});

describe("the costs of a schedule", () => {
  it("are work over speed, each kind its own, elementwise work over memory's bandwidth", () => {
    const target = HEAD / 500 + TARGET / 2000;
    expect(targetTime(SETTING)).toBeCloseTo(target, 9);
    const cost = schedulingCost(SETTING);
    expect(cost.a1).toBeCloseTo(BODY / 1000 + ELEMENTWISE / 2000 + 0.5 * target, 9);
    expect(cost.a2).toBeCloseTo(PAIRS / 250, 9);
    expect(cost.small_shard_tokens).toBe(450);
    const { perMicroBatch, least } = fixedCost(SETTING);
    expect(cost).toMatchObject({ fixed: perMicroBatch, least });
  });

  it("have a window's part that grows with the length alone, at attention's speed", () => {
    const shape = { ...SMALL, sliding_window: { tokens: 4, layers: 2 } };
    const windowed = of({ shape, lengths: [1000, 2000] });
    const { a1, a2 } = schedulingCost(windowed);
    // 3.988 S + 0.000004 S^2 pairs in each of two layers.
    const whole = schedulingCost(of({ shape: SMALL })).a1;
    expect(a1 - whole).toBeCloseTo((3 * 72 * 2 * 3.988) / 250, 6);
    expect(a2).toBeCloseTo((3 * 72 * (2 * 0.000004 + 3 / 2)) / 250, 9);
  });

  it("follow fused kernels and compiled norms", () => {
    const fused = ELEMENTWISE - 5 * ((248 - 31.5) * 20 + (103 - 10.2) * 24 + (35 - 32) * 7);
    const saved = (ELEMENTWISE - fused) / 2000;
    const plain = schedulingCost(SETTING).a1;
    expect(plain - schedulingCost(of({ fused: true })).a1).toBeCloseTo(saved, 9);
    const norms = (5 * (248 - 31.5) * 20) / 2000;
    expect(plain - schedulingCost(of({ compiledNorms: true })).a1).toBeCloseTo(norms, 9);
  });

  it("have no elementwise work apart where matrix products include it, as in a profile or the paper", () => {
    const profile = of({}, { elementwise_bytes_per_second: null });
    expect(targetTime(profile)).toBeCloseTo(HEAD / 500, 9);
    expect(schedulingCost(profile).a1).toBeCloseTo(BODY / 1000 + (0.5 * HEAD) / 500, 9);
    const paper = of({ formula: "skrull-paper" });
    expect(targetTime(paper)).toBe(0);
    expect(schedulingCost(paper).a1).toBeCloseTo((3 * 5 * 2240) / 1000, 9);
  });

  it("have communication of every degree", () => {
    const { comm } = schedulingCost(of({ degrees: [2, 4], checkpointing: "full" }));
    expect(Object.keys(comm)).toEqual(["2", "4"]);
    // Ten gathers and five all-to-alls, which take three times as long.
    const row = [25 * 66, 25 * 60, 24 * 25 * 6e-6].map((us) => expect.closeTo(us, 9));
    expect(comm[4]).toEqual(row);
  });
});
