import { describe, expect, it } from "vitest";
import { loadInputs } from "../../src/inputs/load-inputs.js";
import { bandOf } from "../../src/plan/band.js";
import { countOfChanges } from "../../src/plan/changes.js";
import { savings } from "../../src/plan/cheaper.js";
import { comparePolicies } from "../../src/plan/compare.js";
import { makePlan } from "../../src/plan/make-plan.js";
import { changesTo, settingOf, specUnder } from "../../src/plan/settings.js";
import { type Tuned, type TunedSetting, tune } from "../../src/plan/tune.js";
import { withinBand } from "../../src/plan/within-band.js";
import { analyze } from "../../src/semantics/analyze.js";
import { conversation, files } from "../cli/run.js";
import { diskHost } from "../disk-host.js";

/** A checked spec and its inputs; each part of the small spec can be replaced, and others follow. */
async function loaded(
  parts: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, string>> = {},
) {
  const texts = { ...files(parts), ...more };
  const host = diskHost(texts);
  const { runs, diagnostics } = analyze("spec.skrull", texts["spec.skrull"] ?? "");
  const { spec, origins } = runs[0] ?? {};
  if (!spec || !origins) throw new Error(JSON.stringify(diagnostics));
  const { inputs, diagnostics: found } = await loadInputs(host, host.workingFolder, spec, origins);
  if (!inputs) throw new Error(JSON.stringify(found));
  const tokenizerSha256 = inputs.tokenizer.sha256;
  return { spec, origins, inputs: { ...inputs, tokenizerSha256, skrullVersion: "0" } };
}

const tuned = async (
  parts: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, string>> = {},
): Promise<Tuned> => {
  const { spec, origins, inputs } = await loaded(parts, more);
  return tune(spec, origins, inputs);
};

const H100 = "{ gpus = 8 gpu = h100_sxm_80gb }";
const SMALL_MODEL = '"Qwen/Qwen2.5-0.5B" { weights = random }';
const LARGE_MODEL = '"meta-llama/Llama-3.1-8B" { weights = random }';
/** Seven global batches of four: as many as `tune` looks at, or fewer. */
const SAMPLES = Array.from({ length: 28 }, (_, n) =>
  conversation("z".repeat(3 + ((n * 97) % 400))),
);
const thousands = (count: number) => conversation("z".repeat(1000 * count));
const DATA = { "data.jsonl": SAMPLES.join("") };
const four = "{ gpus = 4 gpu = cpu }";
const gpu = (more: Readonly<Record<string, string>>) =>
  tuned({ model: SMALL_MODEL, cluster: H100, parallel: "{ }", memory: "{ }", ...more }, DATA);

const values = (found: Tuned, key: keyof TunedSetting["setting"]) => [
  ...new Set(found.settings.map(({ setting }) => setting[key])),
];

describe("what tune predicts", () => {
  it.each([
    ["as the spec has it", { parallel: "{ context = 2 }" }],
    ["of context = auto", { parallel: "{ context = auto }" }],
    ["of stage 3", { parallel: "{ context = 4 zero = 3 }" }],
    [
      "of schedules that are planned",
      { schedule: "{ global_batch = 4 mode = planned iterations = 40 }" },
    ],
    ["of another policy", { schedule: "{ global_batch = 4 policy = packed }" }],
  ])("is what a plan forecasts on the same batches, %s", async (_, parts) => {
    const { spec, origins, inputs } = await loaded({ cluster: four, ...parts }, DATA);
    const found = tune(spec, origins, inputs);
    const compared = [true, false].map((chosen) => {
      const one = found.settings.find((setting) => (chosen ? setting.chosen : setting.current));
      if (!one?.trial.fits) throw new Error("nothing fits");
      const degree = spec.parallel.context === "auto" ? "auto" : one.setting.context;
      const under = specUnder(one.setting, spec);
      const asked = { ...under, parallel: { ...under.parallel, context: degree } } as typeof spec;
      const { plan } = makePlan(asked, origins, inputs);
      expect(plan?.forecast.sampled_batches).toBe(7);
      expect(one.trial.step_seconds).toBe(plan?.forecast.step_seconds.mean);
      expect(one.trial.tokens_per_second).toBe(plan?.forecast.tokens_per_second);
      expect(one.trial.bucket).toBe(plan?.memory.bucket);
      expect(one.setting.context).toBe(plan?.topology.context_parallel);
      expect(one.finish).toEqual(plan?.finish);
      return plan;
    });
    const [plan] = compared;
    if (!plan) throw new Error("no plan");
    const lengths = inputs.data.index.samples.length;
    const own = comparePolicies(plan, lengths, ["auto"]).find(
      ({ policy }) => policy === plan.scheduling.policy,
    );
    expect(own?.performance?.step_seconds).toEqual(plan.forecast.step_seconds);
    expect(own?.finish?.seconds).toBeCloseTo(plan.finish.seconds, 9);
    expect(own?.within_band).toBe(true);
    expect(own?.finish?.seconds).toBeCloseTo(plan.finish.seconds, 9);
    expect(own?.within_band).toBe(true);
  });

  it("has reductions as the plan has them", async () => {
    const { spec, origins, inputs } = await loaded({ cluster: four }, DATA);
    const asked = (reduction: "auto" | "once" | "every-micro-batch") =>
      makePlan({ ...spec, parallel: { ...spec.parallel, reduction } }, origins, inputs).plan;
    const [auto, once, every] = [asked("auto"), asked("once"), asked("every-micro-batch")];
    const current = tune(spec, origins, inputs).settings.find((one) => one.current);
    const fastest = Math.min(
      ...[once, every].map((plan) => plan?.forecast.step_seconds.mean ?? Infinity),
    );
    expect(auto?.forecast.step_seconds.mean).toBe(fastest);
    expect(current?.trial.fits && current.trial.step_seconds).toBe(fastest);
  });
});

describe("what tune tries", () => {
  it("leaves alone what the spec has said", async () => {
    const found = await gpu({
      model: '"Qwen/Qwen2.5-0.5B" { weights = random kernels = torch attention = flash2 }',
      memory: "{ offload = none }",
      train: "{ optimizer = adamw { lr = 1e-5 } gradients = fp32 deterministic = true }",
    });
    for (const key of ["kernels", "attention", "gradients", "offload", "rank"] as const)
      expect(values(found, key), key).toHaveLength(1);
    expect(found.tried).toBe(4 * 4 * 6);
  });

  it("tries gradients in bf16 where the spec leaves them open, after what is exact", async () => {
    const found = await gpu({});
    expect(values(found, "gradients")).toEqual(["fp32", "bf16"]);
    const exact = found.settings.filter(({ same }) => same);
    expect(found.settings.slice(0, exact.length)).toEqual(exact);
    expect(found.settings.find(({ chosen }) => chosen)?.setting.gradients).toBe("fp32");
  });

  it("tries fused kernels and offload where memory is short, and lists them where they gain", async () => {
    const found = await tuned(
      {
        model: LARGE_MODEL,
        cluster: H100,
        parallel: "{ }",
        memory: "{ budget = 40 GiB reserve = 1 GiB }",
        data: '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 32K }',
      },
      { "data.jsonl": [9, 2, 12, 1, 7, 3, 20, 4].map(thousands).join("") },
    );
    expect(values(found, "kernels")).toContain("liger");
    expect(values(found, "offload")).toContain("optimizer");
    // Their time is predicted too: an optimizer on the host is slower than one on the GPU that fits.
    const fitting = found.settings.filter(({ trial }) => trial.fits);
    expect(fitting[0]?.setting.offload).toBe("none");
    for (const { setting, trial } of found.settings.filter(
      ({ setting }) => setting.kernels === "liger",
    )) {
      const torch = found.settings.find(
        (one) => JSON.stringify(one.setting) === JSON.stringify({ ...setting, kernels: "torch" }),
      );
      if (!torch?.trial.fits || !trial.fits) continue;
      expect(trial.tokens_per_second).toBeGreaterThan(torch.trial.tokens_per_second);
    }
  });

  it("refuses what a node's memory does not hold, where that is known", async () => {
    const parts = (host: string) => ({
      model: LARGE_MODEL,
      cluster: `{ gpus = 2 gpu = h100_sxm_80gb ${host} }`,
      parallel: "{ }",
      memory: "{ budget = 30 GiB reserve = 1 GiB }",
    });
    const offloaded = async (host: string) =>
      (await tuned(parts(host), DATA)).settings.filter(
        ({ setting, trial }) => setting.offload !== "none" && trial.fits,
      );
    const weights = 16.1e9;
    expect((await offloaded("")).length).toBeGreaterThan(0);
    expect((await offloaded("host_memory = 2 TiB")).length).toBeGreaterThan(0);
    // Enough for the random weights of the start, not for an optimizer's states.
    expect(await offloaded(`host_memory = ${weights} B`)).toEqual([]);
  });

  it("tries ranks of adapters where the spec asks for some and names no rank", async () => {
    const texts = files({ model: SMALL_MODEL, cluster: H100, parallel: "{ }", memory: "{ }" });
    const spec = (lora: string) => ({ ...DATA, "spec.skrull": `${texts["spec.skrull"]}${lora}\n` });
    const open = await tuned({}, spec('lora { targets = ["q_proj"] }'.replaceAll('"', "")));
    expect(values(open, "rank").sort()).toEqual([0, 16, 32, 64, 8]);
    // As good as each other: the one that adapts most.
    expect(open.settings.find(({ chosen }) => chosen)?.setting.rank).toBe(64);
    expect(values(await tuned({}, spec("lora { rank = 4 }")), "rank")).toEqual([4]);
    expect(values(await tuned({}, spec("")), "rank")).toEqual([0]);
  });

  it("tries attention kernels where their memory differs", async () => {
    const train = "{ optimizer = adamw { lr = 1e-5 } deterministic = true }";
    const memory = "{ budget = 8 GiB reserve = 1 GiB }";
    const found = await gpu({ train, memory });
    const other = await gpu({ memory });
    expect(found.tried).toBeGreaterThan(other.tried);
    expect(values(other, "attention")).toEqual(["auto"]);
    expect(values(found, "attention").filter((kernel) => kernel === "sdpa")).toEqual([]);
  });
});

describe("the setting to take", () => {
  it("changes as little as what is as good as the fastest", async () => {
    const found = await gpu({ schedule: "{ global_batch = 28 }" });
    const chosen = found.settings.find((one) => one.chosen);
    const best = found.settings[0];
    if (!chosen?.trial.fits || !best?.trial.fits) throw new Error("nothing fits");
    expect(chosen.trial.tokens_per_second * 1.02).toBeGreaterThanOrEqual(
      best.trial.tokens_per_second,
    );
    for (const one of found.settings) {
      if (!one.same || !one.trial.fits) continue;
      if (one.trial.tokens_per_second * 1.02 < best.trial.tokens_per_second) continue;
      expect(countOfChanges(one.changes)).toBeGreaterThanOrEqual(countOfChanges(chosen.changes));
    }
    expect(found.settings.filter((one) => one.chosen)).toHaveLength(1);
  });

  it("takes a reduction back that its stage rules out", async () => {
    const { spec } = await loaded({ parallel: "{ context = 2 zero = 2 reduction = once }" });
    const setting = { ...settingOf(spec, 2), zero: 3 as const };
    expect(changesTo(setting, spec)).toEqual({
      parallel: { zero: 3, reduction: "every-micro-batch" },
    });
    expect(changesTo(settingOf(spec, 2), spec)).toEqual({});
  });
});

describe("what would make a run cheaper", () => {
  it("is in at most three lines, each of fewer GPU-hours than the one before it of fewer changes", async () => {
    const found = await gpu({
      schedule: "{ global_batch = 28 }",
      train: "{ optimizer = adamw { lr = 1e-5 } steps = 100_000 }",
    });
    const now = found.settings.find(({ current }) => current)?.finish?.gpu_hours ?? 0;
    const lines = savings(found);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThanOrEqual(3);
    for (const { gpu_hours, saved, within_band } of lines) {
      expect(gpu_hours).toBeLessThanOrEqual(0.98 * now);
      expect(saved).toBeCloseTo(1 - gpu_hours / now, 9);
      expect(within_band).toBe(withinBand(gpu_hours, now, found.relativeBand));
    }
    const ofSettings = lines.filter(({ changes }) => !("cluster" in changes));
    for (const [n, line] of ofSettings.entries()) {
      const before = ofSettings[n - 1];
      if (!before) continue;
      expect(line.gpu_hours).toBeLessThan(before.gpu_hours);
      expect(countOfChanges(line.changes)).toBeGreaterThan(countOfChanges(before.changes));
    }
  });

  it("is fewer machines where these save hours: what half of them take is planned alike", async () => {
    const { spec, origins, inputs } = await loaded({ cluster: four, parallel: "{ }" }, DATA);
    const { fewer } = tune(spec, origins, inputs);
    expect(fewer?.changes).toEqual({ cluster: { gpus: 2 } });
    const halved = { ...spec, cluster: { ...spec.cluster, gpus: 2 } };
    expect(fewer?.finish).toEqual(makePlan(halved, origins, inputs).plan?.finish);
    const one = await tuned({ cluster: "{ gpus = 1 gpu = cpu }", parallel: "{ }" });
    expect(one.fewer).toBeUndefined();
    // Two ranks that share a sequence cannot be one.
    expect((await tuned({ cluster: "{ gpus = 2 gpu = cpu }" })).fewer).toBeUndefined();
  });
});

it("the band is the plan's", async () => {
  const { spec, origins, inputs } = await loaded();
  const { plan } = makePlan(spec, origins, inputs);
  const found = tune(spec, origins, inputs);
  expect(found.relativeBand).toBe(plan?.forecast.band.time);
  expect(bandOf).toBeTypeOf("function");
  expect(withinBand(100, 124, 0.25)).toBe(true);
  expect(withinBand(126, 100, 0.25)).toBe(false);
});
