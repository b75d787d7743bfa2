import { describe, expect, it } from "vitest";
import type { StatedGpu } from "../../src/catalogue/gpu.js";
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
  const ownOf = (stated: StatedGpu) => gpuOf({ cluster: { gpu: "mine" }, gpu_model: stated });
  /** By the data sheet of one of the catalogue. */
  function likeKnown(name: string, sheet: { readonly bandwidth: number; readonly link: number }) {
    const known = gpuByName(name);
    if (!known?.peak_flops.bf16) throw new Error(name);
    const { bf16, fp32 } = known.peak_flops;
    const stated = { memory: known.memory_bytes, peak_bf16: bf16, peak_fp32: fp32, ...sheet };
    const own = ownOf(stated);
    if (!own) throw new Error("the spec has it");
    return { known, own, stated };
  }

  it("with the data sheet of the H100 is planned like it", () => {
    const { known, own, stated } = likeKnown("h100_sxm_80gb", { bandwidth: 3.35e12, link: 900e9 });
    expect(own).toEqual({
      ...known,
      ...{ name: "mine", title: "mine", source: "the spec", stated },
      sources: own.sources,
      collectives: { ...known.collectives, source: own.collectives.source },
    });
    expect(Object.keys(own.sources).sort()).toEqual(Object.keys(known.sources).sort());
    for (const source of Object.values(own.sources)) expect(source).not.toBe("");
    expect(own.collectives.source).toContain(known.collectives.source);
  });

  const STATED = {
    h200_sxm_141gb: { bandwidth: 4.8e12, link: 900e9 },
    a100_sxm_80gb: { bandwidth: 2.039e12, link: 600e9 },
    b200_sxm_180gb: { bandwidth: 8e12, link: 1800e9 },
    h20_sxm_96gb: { bandwidth: 4e12, link: 900e9 },
  } as const;

  it.each(
    Object.entries(STATED),
  )("with the data sheet of %s is planned much like it", (name, sheet) => {
    const { known, own } = likeKnown(name, sheet);
    expect(own).toMatchObject({ memory_bytes: known.memory_bytes, device: "cuda" });
    expect([own.peak_flops, own.memory_bandwidth]).toEqual([known.peak_flops, sheet.bandwidth]);
    expect(Math.abs(own.matmul_efficiency / known.matmul_efficiency - 1)).toBeLessThan(0.2);
    for (const key of ["all_gather_us", "reduce_scatter_us", "all_to_all_us"] as const) {
      const [time, ofKnown] = [own, known].map(({ collectives }) => collectives[key]?.at(-1) ?? 0);
      expect(Math.abs((time ?? 0) / (ofKnown ?? 0) - 1)).toBeLessThan(0.2);
    }
  });

  it("reaches less of its peak where its memory is slow, and waits longer where its link is", () => {
    const stated = { memory: 24e9, peak_bf16: 120e12, peak_fp32: undefined, link: 64e9 };
    const gpu = (bandwidth: number) => ownOf({ ...stated, bandwidth });
    expect(gpu(1e12)?.matmul_efficiency).toBe(0.749);
    expect(gpu(0.2e12)?.matmul_efficiency).toBeCloseTo((0.749 * (989 / 3.35)) / 600, 12);
    expect(gpu(1e12)?.peak_flops.fp32).toBe(60e12);
    const first = ["all_gather_us", "reduce_scatter_us", "all_to_all_us"] as const;
    expect(first.map((key) => gpu(1e12)?.collectives[key]?.[0])).toEqual(
      [17.1, 14.6, 15.6].map((us) => expect.closeTo((us * 900) / 64, 9)),
    );
  });
});
