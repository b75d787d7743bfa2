import { describe, expect, it } from "vitest";
import { GPUS } from "../../src/catalogue/data.generated.js";
import type { Gpu } from "../../src/catalogue/gpu.js";
import { MACHINE_CONSTANTS } from "../../src/cost/machine-constants.js";
import { applyFixes } from "../../src/diagnostics/fixes.js";
import { analyze } from "../../src/semantics/analyze.js";
import { readYaml } from "../../src/syntax/yaml/read-yaml.js";
import { spec } from "../cli/run.js";
import { codes, planOf } from "../plan/make.js";

const OWN =
  "gpu_model mine { memory = 64 GiB peak_bf16 = 800 TFLOP/s bandwidth = 3.2 TB/s link = 600 GB/s }";
const using = (gpu: string, more: Readonly<Record<string, string>> = {}) =>
  spec({ cluster: `{ gpus = 2 gpu = ${gpu} }`, ...more });
const found = (text: string) =>
  analyze("a.skrull", text).diagnostics.map(({ code, help }) => [code, help]);

describe("a GPU of one's own", () => {
  it("is part of the spec that names it, and of no other", () => {
    const { runs, diagnostics, symbols } = analyze("a.skrull", `${using("mine")}${OWN}`);
    expect(diagnostics).toEqual([]);
    expect(runs[0]?.spec?.gpu_model).toEqual({
      memory: 64 * 2 ** 30,
      peak_bf16: 800e12,
      peak_fp32: undefined,
      bandwidth: 3.2e12,
      link: 600e9,
    });
    expect(symbols).toMatchObject([{ kind: "block", block: "gpu_model", uses: [{}] }]);
    const other = analyze("a.skrull", `${using("h100_sxm_80gb")}${OWN}`);
    expect(other.runs[0]?.spec?.gpu_model).toBeUndefined();
  });

  it("can be extended, imported, and differ from run to run", () => {
    const library = `skrull 1\n${OWN}\ngpu_model small extends mine { memory = 8 GiB }`;
    const text = `${using("mine")}run a { cluster { gpu = small } }\nrun b {}`.replace(
      "skrull 1",
      'skrull 1\nimport "gpus.skrull"',
    );
    const { runs, diagnostics } = analyze("a.skrull", text, { load: () => ({ text: library }) });
    expect(diagnostics).toEqual([]);
    expect(runs.map((run) => run.spec?.gpu_model?.memory)).toEqual([8 * 2 ** 30, 64 * 2 ** 30]);
    expect(runs[0]?.spec?.gpu_model?.link).toBe(600e9);
  });

  it("may be written in YAML", () => {
    const yaml = `skrull: 1
named: { gpu_model: { mine: { memory: 64 GiB, peak_bf16: 800 TFLOP/s, bandwidth: 3.2 TB/s, link: 600 GB/s } } }
model: { config: model.json, weights: random }
cluster: { gpus: 2, gpu: mine }
data: { train: [data.jsonl], tokenizer: bytes, max_length: 1K }
schedule: { global_batch: 4 }
train: { optimizer: { type: adamw, lr: 1e-3 } }
`;
    const { runs, diagnostics } = analyze("a.skrull.yaml", yaml, { yaml: readYaml });
    expect(diagnostics).toEqual([]);
    expect(runs[0]?.spec?.gpu_model?.peak_bf16).toBe(800e12);
  });

  it("lacks nothing where it is used", () => {
    expect(found(`${using("mine")}gpu_model mine { memory = 64 GiB link = 1 TB/s }`)).toEqual([
      ["missing-key", "Add peak_bf16 = ... to it."],
      ["missing-key", "Add bandwidth = ... to it."],
    ]);
    // It may still be extended.
    expect(found(`${using("cpu")}gpu_model mine { memory = 64 GiB }`)).toEqual([]);
  });

  it.each([
    [`gpu_model { memory = 1 GiB }`, "missing-name", /^Write the name after the word/],
    [OWN.replace("mine", "a40_48gb"), "name-of-catalogue", /another name/],
    [`${OWN}\ngpu_model = mine`, "unexpected-token", /^Write cluster \{ gpu = NAME \}/],
    [`run a { ${OWN.replace(" mine", "")} }`, "misplaced-statement", /out of the braces/],
    [OWN.replace("TFLOP/s", "TFLOPS"), "wrong-unit", /^Did you mean TFLOP\/s\?/],
    [OWN.replace("600 GB/s", "0 GB/s"), "out-of-range", undefined],
  ])("%s is refused: %s", (more, code, help) => {
    const [first, ...others] = found(`${using("cpu")}${more}`);
    expect(others).toEqual([]);
    expect(first?.[0]).toBe(code);
    if (help) expect(first?.[1]).toMatch(help);
  });

  it("holds the budget, and its figures are in the plan", async () => {
    const model = '{ config = "model.json" weights = random }';
    const parts = (memory: string) => ({
      model,
      cluster: "{ gpus = 2 gpu = mine }",
      memory: `{ budget = ${memory} reserve = 1 MiB bucket = 1K }\n${OWN}`,
    });
    const { plan } = await planOf(parts("64 GiB"));
    expect(plan?.topology).toMatchObject({ gpu: "mine", device: "cuda" });
    expect(plan?.hardware.stated).toEqual({
      memory: 64 * 2 ** 30,
      peak_bf16: 800e12,
      bandwidth: 3.2e12,
      link: 600e9,
    });
    const { matmul_efficiency: large } = GPUS.h100_sxm_80gb as Gpu;
    const { matmul_in_training: training } = MACHINE_CONSTANTS;
    expect(plan?.hardware.figures.matmul_flops).toBe(800e12 * large * training.value);
    expect(plan?.training.model_flops.peak).toBe(800e12);
    expect(codes(await planOf(parts("65 GiB")))).toEqual(["budget-exceeds-memory"]);
  });
});

describe("a GPU that nobody knows", () => {
  it.each([
    ["rtx4090", "Did you mean rtx_4090_24gb?", "rtx_4090_24gb"],
    ['"H100-PCIe"', "Did you mean h100_pcie_80gb?", "h100_pcie_80gb"],
    ['"NVIDIA H100 NVL"', "Did you mean h100_nvl_94gb?", "h100_nvl_94gb"],
    ['"h100_sxm_80gb"', "Write the word without quotes.", "h100_sxm_80gb"],
    ["h100", "Did you mean h100_nvl_94gb, h100_pcie_80gb or h100_sxm_80gb?", undefined],
    ['"a100"', "Did you mean a100_sxm_40gb or a100_sxm_80gb?", undefined],
    ["mini", "Did you mean mine?", "mine"],
    ["mi300x", "Choose one of them, or describe your own: gpu_model NAME { ... }.", undefined],
    ["h100_64gb", "Choose one of them, or describe your own: gpu_model NAME { ... }.", undefined],
  ])("%s: %s", (written, help, fixed) => {
    const text = `${using(written, { memory: "{}" })}${OWN}`;
    const { diagnostics } = analyze("a.skrull", text);
    expect(diagnostics.map((one) => one.help)).toEqual([help]);
    const after = applyFixes(text, diagnostics, { unsafe: true });
    expect(after).toBe(fixed === undefined ? text : text.replace(written, fixed));
  });

  it("or that has no bf16 is refused with what to write", () => {
    const text = (model: string) => using("v100_sxm_32gb", { model, memory: "{}" });
    const config = 'config = "model.json" weights = random';
    expect(found(text(`{ ${config} }`))).toEqual([
      ["precision-unsupported", "Write model { precision = fp32 }, or choose another GPU."],
    ]);
    expect(found(text(`{ ${config} precision = fp32 }`))).toEqual([]);
  });
});
