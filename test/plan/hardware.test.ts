import { describe, expect, it } from "vitest";
import type { Gpu } from "../../src/catalogue/gpu.js";
import type { Profile } from "../../src/catalogue/profile.js";
import { CONSTANT_VALUES, MACHINE_CONSTANTS } from "../../src/cost/machine-constants.js";
import { hardwareOf, type KernelSetting } from "../../src/plan/hardware.js";

const GPU: Gpu = {
  name: "mine",
  title: "Mine",
  source: "a data sheet",
  device: "cuda",
  memory_bytes: 8e10,
  peak_flops: { bf16: 1000, fp32: 500 },
  memory_bandwidth: 200,
  host_link: 30,
  host_adam_parameters: 40,
  matmul_efficiency: 0.5,
  attention_efficiency: { flash2: 0.4 },
  sources: {},
  collectives: {
    ...{ ranks: 8, source: "measured", megabytes: [1, 2] },
    ...{ all_gather_us: [3, 4], reduce_scatter_us: [5, 6] },
  },
};
/** One for which FlashAttention-3 is made. */
const HOPPER: Gpu = { ...GPU, attention_efficiency: { flash2: 0.4, flash3: 0.6 } };
const NOTHING = { memory_bandwidth: null, host_link: null, host_adam_parameters: null };
const CPU: Gpu = { ...GPU, device: "cpu", ...NOTHING };
const KERNELS: KernelSetting = {
  precision: "bf16",
  kernel: "auto",
  checkpointing: "none",
  headWidth: 128,
  deterministic: false,
};
const PROFILE: Profile = { format_version: 1, name: "ours", gpu: "mine", precision: "bf16" };

const {
  matmul_in_training: MATMUL,
  attention_in_training: ATTENTION,
  hopper_attention_in_training: ON_HOPPER,
} = CONSTANT_VALUES;
const figures = (gpu: Gpu, profile?: Partial<Profile>, kind: Partial<KernelSetting> = {}) =>
  hardwareOf(gpu, profile && { ...PROFILE, ...profile }, { ...KERNELS, ...kind }).figures;

describe("a GPU's matrix products", () => {
  it("reach their share of the peak, and in training a share of that", () => {
    const { matmul_flops, head_flops } = figures(GPU);
    expect(matmul_flops).toBeCloseTo(1000 * 0.5 * MATMUL, 9);
    expect(head_flops).toBe(matmul_flops);
    expect(figures(GPU, undefined, { precision: "fp32" }).matmul_flops).toBeCloseTo(
      500 * 0.5 * MATMUL,
      9,
    );
  });
});

describe("a GPU's attention", () => {
  const attention = (gpu: Gpu, kind: Partial<KernelSetting> = {}) =>
    figures(gpu, undefined, kind).attention_flops / 1000;

  it("counts a backward as two forwards, which takes two and a half", () => {
    expect(attention(GPU)).toBeCloseTo((0.4 * ATTENTION * 3) / 3.5, 9);
    for (const checkpointing of ["selective", "attention"] as const)
      expect(attention(GPU, { checkpointing })).toBe(attention(GPU));
    for (const checkpointing of ["full", "offload"] as const)
      expect(attention(GPU, { checkpointing })).toBeCloseTo((0.4 * ATTENTION * 4) / 4.5, 9);
  });

  it("reaches less with heads under 128", () => {
    expect(attention(GPU, { headWidth: 127 })).toBeCloseTo(0.88 * attention(GPU), 9);
    expect(attention(GPU, { headWidth: 256 })).toBe(attention(GPU));
  });

  it("reaches on Hopper what its kernel is made for", () => {
    for (const kernel of ["auto", "flash2", "sdpa"] as const)
      expect(attention(HOPPER, { kernel })).toBeCloseTo((0.4 * ON_HOPPER * 3) / 3.5, 9);
    expect(attention(HOPPER, { kernel: "flash3" })).toBeCloseTo((0.6 * ATTENTION * 3) / 3.5, 9);
    expect(attention(GPU, { kernel: "flash3" })).toBe(attention(GPU));
  });

  it("takes longer where it adds up in order, unless that was measured", () => {
    // Two sevenths of the work as fast as before, five at 37.9% less throughput.
    const slower = 2 / 7 + 5 / 7 / 0.621;
    expect(attention(GPU) / attention(GPU, { deterministic: true })).toBeCloseTo(slower, 9);
    const deterministic = { deterministic: true };
    expect(figures(GPU, { attention_flops: 7 }, deterministic).attention_flops).toBe(7);
  });
});

describe("the other figures of a GPU", () => {
  it("are those of the catalogue, and what holds for every GPU", () => {
    const { source: _, ...table } = GPU.collectives;
    expect(figures(GPU)).toMatchObject({
      small_shard_tokens: CONSTANT_VALUES.attention_half_tokens,
      elementwise_bytes_per_second: 200 / CONSTANT_VALUES.elementwise,
      micro_batch_us: null,
      step_us: null,
      memory_bandwidth: 200,
      host_link: 30,
      host_adam_parameters: 40,
      network_bytes_per_second: null,
      crossing_factor: null,
      zero_included: null,
      activation_factor: 1,
      collectives: [{ ...table, nodes: 1 }],
      constants: CONSTANT_VALUES,
    });
    expect(figures(GPU).collectives[0]).not.toHaveProperty("source");
  });

  it("say whose they are", () => {
    const stated = { memory: 1, peak_bf16: 2, peak_fp32: 3, bandwidth: 4, link: 5 };
    expect(hardwareOf(GPU, undefined, KERNELS)).toMatchObject({
      ...{ profile: null, measured: [], stated: null },
    });
    expect(hardwareOf({ ...GPU, stated }, undefined, KERNELS).stated).toEqual(stated);
  });
});

it("a CPU has efficiencies that hold in training, and a micro-batch of 20 ms", () => {
  for (const kind of [{}, { checkpointing: "full", headWidth: 64, deterministic: true }] as const)
    expect(figures(CPU, undefined, kind)).toMatchObject({
      ...{ matmul_flops: 500, head_flops: 500, attention_flops: 400, small_shard_tokens: 0 },
      ...{ elementwise_bytes_per_second: null, micro_batch_us: 20_000, step_us: 0 },
      ...NOTHING,
    });
});

describe("a profile", () => {
  const measured = {
    ...{ matmul_flops: 11, head_flops: 12, attention_flops: 13, small_shard_tokens: 14 },
    ...{ micro_batch_us: 15, step_us: 16, activation_factor: 1.7, micro_batch_least_us: 19 },
    ...{ elementwise_bytes_per_second: 20, zero_overlap: 0.5, memory_bandwidth: 21, host_link: 22 },
    ...{ host_adam_parameters: 23, network_bytes_per_second: 24, crossing_factor: 25 },
    zero_included: { stage: 2, ranks: 8, parameters: 18 },
    collectives: [
      {
        ...{ ranks: 2, nodes: 1, megabytes: [1, 2] },
        ...{ all_gather_us: [1, 2], reduce_scatter_us: [3, 4] },
      },
    ],
  } as const;

  it("has figures that take the place of the catalogue's", () => {
    const plan = hardwareOf(GPU, { ...PROFILE, ...measured }, KERNELS);
    expect(plan.profile).toBe("ours");
    expect(plan.figures).toMatchObject(measured);
    expect([...plan.measured].sort()).toEqual(Object.keys(measured).sort());
  });

  it("leaves what it did not measure", () => {
    const plan = hardwareOf(GPU, { ...PROFILE, step_us: 16 }, KERNELS);
    expect(plan.measured).toEqual(["step_us"]);
    expect(plan.figures).toEqual({ ...figures(GPU), step_us: 16 });
  });

  it("has norms and activations in its matrix products, and the head as fast without a figure of its own", () => {
    const own = figures(GPU, { matmul_flops: 11 });
    expect(own).toMatchObject({ head_flops: 11, elementwise_bytes_per_second: null });
    expect(own.memory_bandwidth).toBe(200);
    expect(figures(GPU, { attention_flops: 13 }).elementwise_bytes_per_second).not.toBeNull();
  });
});

describe("figures that nobody measured", () => {
  const sources = {
    memory_bandwidth: "data sheet",
    host_link: "assumed",
    host_adam_parameters: "assumed",
    matmul_efficiency: "assumed as of another",
    attention_efficiency: "a paper",
  };
  const gpu = { ...GPU, sources };
  const of = (profile?: Partial<Profile>, own: Gpu = gpu) => {
    const { fitted, assumed } = hardwareOf(own, profile && { ...PROFILE, ...profile }, KERNELS);
    return { fitted, assumed };
  };
  const constants = (from: "fitted" | "assumed") =>
    Object.entries(MACHINE_CONSTANTS).flatMap(([name, constant]) =>
      constant.from === from ? [name] : [],
    );

  it("are constants, and what the catalogue assumes of the GPU", () => {
    expect(of()).toEqual({
      fitted: constants("fitted"),
      assumed: ["host_link", "host_adam_parameters", "matmul_efficiency", ...constants("assumed")],
    });
    expect(constants("fitted")).toContain("zero_overlap");
    expect(constants("assumed")).toContain("step_us");
  });

  it("are no constants on a CPU, which no run was fitted to", () => {
    const assumed = ["host_link", "host_adam_parameters", "matmul_efficiency"];
    expect(of(undefined, { ...CPU, sources })).toEqual({ fitted: [], assumed });
  });

  it.each([
    ["matmul_flops", ["matmul_in_training", "elementwise"], ["matmul_efficiency"]],
    ["attention_flops", ["attention_in_training", "hopper_attention_in_training"], []],
    ["micro_batch_us", ["zero3_layer_us", "adapter_factor", "zero_overlap"], []],
    ["step_us", [], ["step_us"]],
    ["zero_overlap", ["zero_overlap"], []],
    ["host_link", [], ["host_link"]],
    ["host_adam_parameters", [], ["host_adam_parameters"]],
    ["small_shard_tokens", [], []],
  ] as const)("are fewer where a profile has %s", (measured, fitted, assumed) => {
    const without = (names: readonly string[], gone: readonly string[]) =>
      names.filter((name) => !gone.includes(name));
    expect(of({ [measured]: 1 })).toEqual({
      fitted: without(of().fitted, fitted),
      assumed: without(of().assumed, assumed),
    });
    for (const name of [...fitted, ...assumed])
      expect([...of().fitted, ...of().assumed]).toContain(name);
  });
});
