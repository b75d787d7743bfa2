import { describe, expect, it } from "vitest";
import { HOST_FIGURES, hostFigure } from "../../src/catalogue/host-figures.js";
import { finishAt } from "../../src/plan/finish.js";
import { conversation, files, project, skrull } from "../cli/run.js";
import { planOf } from "./make.js";

const made = async (
  parts: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, string>> = {},
) => {
  const { plan, diagnostics } = await planOf(parts, more);
  if (!plan) throw new Error(JSON.stringify(diagnostics));
  return plan;
};
const train = (more: string) => `{ optimizer = adamw { lr = 1e-3 } ${more} }`;

type Finish = Awaited<ReturnType<typeof made>>["finish"];
const part = (finish: Finish, id: string) => finish.parts.find((one) => one.id === id);

describe("the time to finish", () => {
  it("is the sum of parts that are there", async () => {
    const { finish, steps, forecast, topology } = await made();
    const sum = finish.parts.reduce((seconds, one) => seconds + one.seconds, 0);
    expect(finish.seconds).toBeCloseTo(sum, 9);
    for (const one of finish.parts)
      expect(one.seconds).toBeCloseTo(one.count * one.each_seconds, 9);
    expect(part(finish, "steps")).toEqual({
      id: "steps",
      count: steps.total_steps,
      each_seconds: forecast.step_seconds.mean,
      seconds: steps.total_steps * forecast.step_seconds.mean,
    });
    // No held-out data, and gloo has no communicators that take time.
    expect(part(finish, "evaluations")).toBeUndefined();
    expect(part(finish, "communicators")).toBeUndefined();
    expect(finish.gpu_hours).toBeCloseTo((finish.seconds * topology.ranks) / 3600, 9);
  });

  it("has a checkpoint every so many steps and one after the last", async () => {
    const count = async (more: string) =>
      part((await made({ train: train(more) })).finish, "checkpoints")?.count;
    expect(await count("steps = 10")).toBe(1);
    expect(await count("steps = 10 checkpoint_every = 5")).toBe(2);
    expect(await count("steps = 10 checkpoint_every = 4")).toBe(3);
    expect(await count("steps = 10 checkpoint_every = 40")).toBe(1);
  });

  it("has the bytes of checkpoints and of the export at the disk's rate", async () => {
    const { finish, disk } = await made();
    const rate = hostFigure("write_bytes_per_second");
    expect(part(finish, "checkpoints")?.each_seconds).toBeCloseTo(
      hostFigure("checkpoint_seconds") + disk.checkpoint_bytes / rate,
      9,
    );
    expect(part(finish, "export")?.seconds).toBeCloseTo(disk.export_bytes / rate, 9);
    expect(part((await made({ train: train("export = false") })).finish, "export")).toBeUndefined();
  });

  it("counts a communicator of all ranks and of every degree, on GPUs", async () => {
    const count = async (gpus: number, context: number, degrees: string) => {
      const plan = await made({
        model: '"Qwen/Qwen2.5-0.5B" { weights = random }',
        cluster: `{ gpus = ${gpus} gpu = h100_sxm_80gb }`,
        parallel: `{ context = ${context} }`,
        memory: "{ }",
        schedule: `{ global_batch = 4 degrees = ${degrees} }`,
      });
      return part(plan.finish, "communicators")?.count ?? 0;
    };
    expect(await count(1, 1, "local-or-all")).toBe(0);
    expect(await count(8, 1, "local-or-all")).toBe(1);
    expect(await count(8, 4, "local-or-all")).toBe(2);
    expect(await count(8, 4, "powers-of-two")).toBe(3);
  });

  it("grows with the steps alone where they take longer", async () => {
    const { finish, topology } = await made();
    const later = finishAt(finish, topology.ranks, 3);
    const steps = part(finish, "steps")?.seconds ?? 0;
    expect(later.seconds - finish.seconds).toBeCloseTo(2 * steps, 9);
    expect(later.gpu_hours / finish.gpu_hours).toBeCloseTo(later.seconds / finish.seconds, 9);
  });
});

describe("an evaluation", () => {
  const DATA = Array.from({ length: 40 }, (_, n) => conversation("x".repeat(1 + 9 * n))).join("");
  const evaluated = (every: number, checkpointing: string, steps = 10) =>
    made(
      {
        model: `{ config = "model.json" weights = random precision = fp32 checkpointing = ${checkpointing} }`,
        evaluate: `{ data = ["held.jsonl"] every = ${every} }`,
        train: train(`steps = ${steps}`),
      },
      { "data.jsonl": DATA, "held.jsonl": DATA },
    );

  it("comes every so many steps and after the last", async () => {
    expect(part((await evaluated(4, "none")).finish, "evaluations")?.count).toBe(3);
    expect(part((await evaluated(5, "none")).finish, "evaluations")?.count).toBe(2);
    expect(part((await evaluated(0, "none")).finish, "evaluations")?.count).toBe(1);
  });

  it("of the training data takes a third of an epoch without its optimizer steps", async () => {
    const { finish, forecast, steps } = await evaluated(0, "none");
    expect(forecast.sampled_batches).toBe(steps.steps_per_epoch);
    const epoch = steps.steps_per_epoch * (forecast.step_seconds.mean - (forecast.parts.step ?? 0));
    const seconds = part(finish, "evaluations")?.seconds ?? 0;
    expect(seconds / (epoch / 3)).toBeCloseTo(1, 1);
  });

  it("recomputes nothing: training that does so takes longer, evaluation does not", async () => {
    const [none, full] = [await evaluated(0, "none"), await evaluated(0, "full")];
    const seconds = (plan: typeof none) => part(plan.finish, "evaluations")?.seconds ?? 0;
    expect(full.forecast.parts.work / none.forecast.parts.work).toBeGreaterThan(1.2);
    expect(seconds(full) / seconds(none)).toBeCloseTo(1, 1);
  });
});

describe("the disk that a run takes", () => {
  it("is of the checkpoints that it keeps, one more while that is written, and the export", async () => {
    const disk = async (more: string) => (await made({ train: train(more) })).disk;
    const one = await disk("steps = 100");
    expect(one).toMatchObject({ checkpoints_written: 1, checkpoints_held: 1 });
    expect(one.peak_bytes).toBe(one.checkpoint_bytes + one.export_bytes);
    const many = await disk("steps = 100 checkpoint_every = 10 keep_checkpoints = 3");
    expect(many).toMatchObject({ checkpoints_written: 10, checkpoints_held: 4 });
    expect(many.peak_bytes).toBe(4 * many.checkpoint_bytes + many.export_bytes);
    // As many as it ever writes.
    const few = await disk("steps = 20 checkpoint_every = 10 keep_checkpoints = 3");
    expect(few.checkpoints_held).toBe(2);
    expect((await disk("steps = 20 export = false")).export_bytes).toBe(0);
  });
});

describe("the price of a GPU-hour", () => {
  const cluster = "{ gpus = 2 gpu = cpu gpu_hour = 2.5 }";
  const head = (more: readonly string[]) =>
    skrull(["plan", "spec.skrull", ...more], { cwd: project(files({ cluster })) });

  it("makes a cost of the hours, and nothing else", async () => {
    const [priced, not] = [await made({ cluster }), await made()];
    expect(priced.finish.cost).toBeCloseTo(2.5 * priced.finish.gpu_hours, 9);
    expect(not.finish).toMatchObject({ gpu_hour: null, cost: null });
    const { gpu_hour: _, cost: __, ...rest } = priced.finish;
    expect({ ...not, finish: rest }).toMatchObject({ ...priced, finish: rest });
  });

  it("is the spec's, or another for once", () => {
    const line = (run: { stdout: string }) => run.stdout.split("\n")[3];
    expect(line(head([]))).toMatch(/^Cost: 0\.\d+, at 2.5 a rank-hour$/);
    expect(line(head(["--rate", "40"]))).toMatch(/^Cost: [\d.]+, at 40 a rank-hour$/);
    expect(JSON.parse(head(["--rate", "40", "--format", "json"]).stdout).finish.gpu_hour).toBe(40);
  });

  it.each(["much", "-1", "1e7", ""])("is refused as '%s'", (price) => {
    const run = head(["--rate", price]);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain("must be a number from 0 to 1000000");
  });
});

it("every figure of a host has a source or is assumed, and is above zero", () => {
  expect(HOST_FIGURES.length).toBeGreaterThan(5);
  for (const [name, { value, source, about }] of HOST_FIGURES) {
    expect(value, name).toBeGreaterThan(0);
    expect(source, name).toMatch(/^assumed$|^https:|^arXiv:|^measured /);
    expect(about, name).not.toBe("");
  }
});
