import { describe, expect, it } from "vitest";
import { GPU_NAMES, gpuByName, gpusMeant } from "../../src/catalogue/names.js";
import { gpuOf } from "../../src/catalogue/own-gpu.js";

const H100 = ["h100_nvl_94gb", "h100_pcie_80gb", "h100_sxm_80gb"];

describe("another spelling of a GPU's name", () => {
  it.each([
    ["H100-PCIe", ["h100_pcie_80gb"]],
    ["NVIDIA H100 NVL", ["h100_nvl_94gb"]],
    ["h100-80gb", ["h100_pcie_80gb", "h100_sxm_80gb"]],
    ["h100", H100],
    ["A100", ["a100_sxm_40gb", "a100_sxm_80gb"]],
    ["A100-SXM4-40GB", ["a100_sxm_40gb"]],
    ["a100_80", ["a100_sxm_80gb"]],
    ["NVIDIA A100 80 GB HBM2e", ["a100_sxm_80gb"]],
    ["rtx4090", ["rtx_4090_24gb"]],
    ["RTX-5090", ["rtx_5090_32gb"]],
    ["4090", ["rtx_4090_24gb"]],
    ["a6000", ["rtx_a6000_48gb"]],
    ["RTXA6000", ["rtx_a6000_48gb"]],
    ["rtx-6000-ada", ["rtx_6000_ada_48gb"]],
    ["Tesla V100-SXM2-32GB", ["v100_sxm_32gb"]],
    ["h100_smx_80gb", ["h100_sxm_80gb"]],
    ["H20", ["h20_sxm_96gb"]],
    ["L4", ["l4_24gb"]],
    ["CPU", ["cpu"]],
  ])("%s", (written, expected) => expect(gpusMeant(written)).toEqual(expected));

  it.each([
    "",
    "_",
    "gpu",
    "x100",
    "h100_64gb",
    "h100_nvl_80gb",
    "a100_sxm_64gb",
    "mi300x",
    "b300",
    "l40",
    "rtx_4080",
    "h10",
    "constructor",
    "a".repeat(1000),
  ])("is none: %j", (written) => expect(gpusMeant(written)).toEqual([]));

  it("never means another amount of memory than is written", () => {
    for (const name of GPU_NAMES) {
      for (const size of ["16gb", "24GB", "32G", "40 GiB", "80gb", "96-gb"]) {
        const written = `${name.replace(/_\d+gb$/, "")}_${size}`;
        const wanted = `_${Number.parseInt(size, 10)}gb`;
        for (const near of gpusMeant(written)) expect(near.endsWith(wanted)).toBe(true);
      }
    }
  });
});

describe("a GPU of a spec's own", () => {
  const STATED = {
    h100_sxm_80gb: { bandwidth: 3.35e12, link: 900e9 },
    h200_sxm_141gb: { bandwidth: 4.8e12, link: 900e9 },
    a100_sxm_80gb: { bandwidth: 2.039e12, link: 600e9 },
    b200_sxm_180gb: { bandwidth: 8e12, link: 1800e9 },
    h20_sxm_96gb: { bandwidth: 4e12, link: 900e9 },
  } as const;

  it.each(Object.entries(STATED))("with the data sheet of %s is planned like it", (name, sheet) => {
    const known = gpuByName(name);
    if (!known?.peak_flops.bf16) throw new Error(name);
    const { bf16, fp32 } = known.peak_flops;
    const stated = { memory: known.memory_bytes, peak_bf16: bf16, peak_fp32: fp32, ...sheet };
    const own = gpuOf({ cluster: { gpu: "mine" }, gpu_model: stated });
    expect(own).toMatchObject({ name: "mine", memory_bytes: known.memory_bytes, device: "cuda" });
    expect(own?.peak_flops).toEqual(known.peak_flops);
    expect(own?.efficiency).toBeCloseTo(known.efficiency, 12);
    for (const key of ["all_gather_us", "reduce_scatter_us"] as const) {
      for (const [n, time] of known.collectives[key].entries())
        expect(own?.collectives[key][n]).toBeCloseTo(time, 2);
    }
  });

  it("reaches less of its peak where its memory is slow, and waits longer where its link is", () => {
    const stated = { memory: 24e9, peak_bf16: 120e12, peak_fp32: undefined, link: 64e9 };
    const gpu = (bandwidth: number) =>
      gpuOf({ cluster: { gpu: "mine" }, gpu_model: { ...stated, bandwidth } });
    expect(gpu(1e12)?.efficiency).toBe(0.45);
    expect(gpu(0.2e12)?.efficiency).toBeCloseTo((0.45 * (989 / 3.35)) / 600, 12);
    expect(gpu(1e12)?.peak_flops.fp32).toBe(60e12);
    expect(gpu(1e12)?.collectives.all_gather_us[0]).toBeCloseTo((53.29 * 900) / 64, 9);
  });
});
