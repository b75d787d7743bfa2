import { describe, expect, it } from "vitest";
import { files, project, skrull } from "./run.js";

const CLUSTER = '{ gpus = 2 gpu = cpu profile = "profile.json" }';
const HEAD = { format_version: 1, name: "two \u001b[31mcores", gpu: "cpu", precision: "fp32" };
const TABLE = {
  ranks: 2,
  nodes: 1,
  megabytes: [1, 10],
  all_gather_us: [100, 1000],
  reduce_scatter_us: [200, 2000],
};

const folder = (profile: unknown, parts: Readonly<Record<string, string>> = {}) =>
  project({
    ...files({ cluster: CLUSTER, ...parts }),
    "profile.json": typeof profile === "string" ? profile : JSON.stringify(profile),
  });
const plan = (profile: unknown, arguments_: readonly string[] = []) =>
  skrull(["plan", "spec.skrull", ...arguments_], { cwd: folder(profile) });
const json = (profile: unknown) => JSON.parse(plan(profile, ["--format", "json"]).stdout);

describe("a profile", () => {
  it("comes before the catalogue's figures, one by one", () => {
    const plain = json(HEAD);
    expect(plain.hardware).toMatchObject({ profile: HEAD.name, measured: [] });
    const faster = json({ ...HEAD, matmul_flops: 4 * plain.hardware.figures.matmul_flops });
    expect(faster.scheduling.cost.a1).toBeCloseTo(plain.scheduling.cost.a1 / 4);
    expect(faster.scheduling.cost.a2).toBe(plain.scheduling.cost.a2);
    const measured = json({
      ...HEAD,
      attention_flops: 2 * plain.hardware.figures.attention_flops,
      small_shard_tokens: 77,
      micro_batch_us: 5,
      collectives: [TABLE],
    });
    const { cost } = measured.scheduling;
    expect(cost.a2).toBeCloseTo(plain.scheduling.cost.a2 / 2);
    expect(cost.small_shard_tokens).toBe(77);
    expect(cost.fixed).toBeLessThan(plain.scheduling.cost.fixed);
    // Two layers, a gather and an all-to-all each; older profiles have a reduce-scatter's times for it.
    expect(cost.comm["2"][0]).toBe(2 * 300);
    const newer = json({ ...HEAD, collectives: [{ ...TABLE, all_to_all_us: [50, 500] }] });
    expect(newer.scheduling.cost.comm["2"][0]).toBe(2 * 150);
    expect(measured.hardware.measured).toEqual([
      "attention_flops",
      "small_shard_tokens",
      "micro_batch_us",
      "collectives",
    ]);
  });

  it("changes the memory of activations", () => {
    const rows = (factor: number) => json({ ...HEAD, activation_factor: factor }).memory.per_token;
    const [half, whole] = [rows(0.5), rows(1)];
    for (const [n, row] of whole.entries()) {
      const measured = ["activations", "layer-at-work", "attention-at-work"].includes(row.id);
      expect(half[n].bytes / row.bytes).toBe(measured ? 0.5 : 1);
    }
  });

  it("is named in the plan, and what it holds, without its control characters", () => {
    const { stdout } = plan({ ...HEAD, micro_batch_us: 5 });
    expect(stdout).toMatch(/^ {2}figures +profile two \S*cores$/m);
    expect(stdout).toMatch(/^ {4}measured +micro batch us$/m);
    expect(stdout).not.toContain("\u001b");
  });

  it("of another machine or precision is warned of", () => {
    const { status, stderr } = plan({ ...HEAD, precision: "bf16" });
    expect(status).toBe(0);
    expect(stderr).toMatch(/profile-mismatch[\s\S]*cpu in bf16, but the spec has cpu in fp32/);
  });

  it.each([
    ["{", /profile.json: is not JSON/],
    ["null", /the document must be object/],
    [{ ...HEAD, speed: 1 }, /must NOT have additional properties \('speed'\)/],
    [{ ...HEAD, matmul_flops: 0 }, /\/matmul_flops must be > 0/],
    [{ ...HEAD, matmul_flops: "fast", micro_batch_us: -1 }, /matmul_flops[\s\S]*micro_batch_us/],
    [{ ...HEAD, collectives: [] }, /\/collectives must NOT have fewer than 1 items/],
    [{ ...HEAD, collectives: [{ ...TABLE, megabytes: [10, 1] }] }, /megabytes must ascend/],
    [{ ...HEAD, collectives: [{ ...TABLE, megabytes: [1, 2, 3] }] }, /one time for every size/],
    [{ ...HEAD, collectives: [{ ...TABLE, all_to_all_us: [1, 2, 3] }] }, /one time for every size/],
    [{ ...HEAD, collectives: [{ ...TABLE, all_gather_us: [9, 9] }] }, /must grow with the size/],
    [{ ...HEAD, collectives: [{ ...TABLE, nodes: 3 }] }, /more nodes than ranks/],
  ])("of %j is refused with the reason", (profile, reason) => {
    const { status, stderr } = plan(profile);
    expect(stderr).toMatch(reason);
    expect(status).toBe(1);
  });

  it("that is not there is said at its place", () => {
    const { status, stderr } = skrull(["plan", "spec.skrull"], {
      cwd: project(files({ cluster: CLUSTER })),
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/spec.skrull:3:\d+ error[\s\S]*profile.json/);
  });

  it("is an input of the run", () => {
    const cwd = folder(HEAD);
    expect(skrull(["compile", "spec.skrull", "--out", "run"], { cwd }).status).toBe(0);
    const manifest = skrull(["compile", "spec.skrull", "--out", "run", "--check"], { cwd });
    expect(manifest.status).toBe(0);
  });
});

describe("schedule { cost = skrull-paper }", () => {
  it("takes the paper's generic layer", () => {
    const cost = (parts: Readonly<Record<string, string>>) => {
      const cwd = project(files(parts));
      const run = skrull(["plan", "spec.skrull", "--format", "json"], { cwd });
      return JSON.parse(run.stdout).scheduling.cost;
    };
    const paper = cost({ schedule: "{ global_batch = 4 cost = skrull-paper }" });
    // h = 32, h_kv = 16, 2 layers, three passes, 1e10 FLOP/s.
    expect(paper.a1).toBeCloseTo((3 * 2 * (20 * 32 * 32 + 4 * 32 * 16)) / 1e4);
    expect(paper.a2).toBeCloseTo((3 * 2 * 4 * 32) / 1e4);
    expect(cost({}).a2).not.toBeCloseTo(paper.a2);
  });
});
