import { describe, expect, it } from "vitest";
import { files, project, skrull } from "../cli/run.js";
import { planOf } from "./make.js";

const ON_CPU = "{ gpus = 2 gpu = cpu }";

describe("whether a run fits", () => {
  it("is by what a rank needs beside the budget, and a larger budget adds to what is spare", async () => {
    const memory = (budget: number) => `{ budget = ${budget} MiB reserve = 1 MiB }`;
    const [small, large] = [
      await planOf({ memory: memory(500) }),
      await planOf({ memory: memory(700) }),
    ];
    const [one, other] = [small.plan?.fit, large.plan?.fit];
    expect(one).toMatchObject({ fits: true, node: null });
    expect(one?.rank.available_bytes).toBe(499 * 2 ** 20);
    expect(one?.rank.spare_bytes).toBe(499 * 2 ** 20 - (one?.rank.needed_bytes ?? 0));
    expect((other?.rank.spare_bytes ?? 0) - (one?.rank.spare_bytes ?? 0)).toBe(200 * 2 ** 20);
    // A bucket that the spec leaves open takes what is spare.
    expect(small.plan?.memory.peak_bytes).toBeGreaterThan(one?.rank.needed_bytes ?? Infinity);
  });

  it("is by how much a refused plan misses it: so much more makes it fit", async () => {
    const memory = (bytes: number) => `{ budget = ${bytes} B reserve = 0 B }`;
    const refused = await planOf({ memory: memory(2 ** 22) });
    expect(refused.plan).toBeUndefined();
    const short = -(refused.fit?.rank.spare_bytes ?? 0);
    expect(refused.fit?.fits).toBe(false);
    expect(short).toBeGreaterThan(0);
    expect((await planOf({ memory: memory(2 ** 22 + short) })).fit?.fits).toBe(true);
    expect((await planOf({ memory: memory(2 ** 22 + short - 4096) })).fit?.fits).toBe(false);
  });

  it("is also by a node's memory, where the spec says how much it has", async () => {
    const cluster = (host: string) => `{ gpus = 2 gpu = cpu host_memory = ${host} }`;
    const memory = "{ budget = 500 MiB reserve = 1 MiB }";
    const { fit } = await planOf({ cluster: cluster("2 GiB"), memory });
    // On CPU the ranks themselves are in it.
    expect(fit?.node).toMatchObject({ available_bytes: 2 ** 31 });
    expect(fit?.node?.needed_bytes).toBeGreaterThan(2 * (fit?.rank.needed_bytes ?? Infinity));
    const short = await planOf({ cluster: cluster("512 MiB"), memory });
    expect(short.fit).toMatchObject({ fits: false, rank: { spare_bytes: fit?.rank.spare_bytes } });
  });
});

describe("the first line of a plan", () => {
  const first = (parts: Readonly<Record<string, string>>, more: readonly string[] = []) =>
    skrull(["plan", "spec.skrull", ...more], { cwd: project(files(parts)) });

  it("says what is spare, as the JSON document does", () => {
    const memory = "{ budget = 500 MiB reserve = 1 MiB bucket = 1K }";
    const { stdout } = first({ memory });
    const { fit } = JSON.parse(first({ memory }, ["--format", "json"]).stdout);
    const mebibytes = Math.round(fit.rank.spare_bytes / 2 ** 20);
    expect(stdout.split("\n")[0]).toBe(`Fits: yes, ${mebibytes} MiB to spare`);
  });

  it("says what is too little, and why, where there is no plan", () => {
    const memory = "{ budget = 2 MiB reserve = 1 MiB }";
    const run = first({ memory });
    expect(run.status).toBe(1);
    expect(run.stdout).toMatch(/^Fits: no, [\d.]+ MiB too little\n$/);
    expect(run.stderr).toContain("[states-exceed-budget]");
    const { fit, error } = JSON.parse(first({ memory }, ["--format", "json"]).stdout);
    expect(error.code).toBe("states-exceed-budget");
    expect(fit).toMatchObject({ fits: false, rank: { available_bytes: 2 ** 20 } });
  });

  it("names a bucket that is smaller than the longest sequence's shard", () => {
    const parallel = "{ context = 1 }";
    const memory = "{ budget = 1 GiB reserve = 1 MiB bucket = 64 }";
    expect(first({ memory, parallel, cluster: ON_CPU }).stdout).toBe(
      "Fits: no, the bucket is too small for the longest sequence\n",
    );
  });

  it("names a node's memory where something is kept there", () => {
    const cluster = "{ gpus = 2 gpu = cpu host_memory = 4 GiB }";
    const memory = "{ budget = 500 MiB reserve = 1 MiB bucket = 1K }";
    expect(first({ cluster, memory }).stdout).toMatch(
      /^Fits: yes, \d+ MiB to spare, and [\d.]+ GiB of a node's memory\n/,
    );
    const small = "{ gpus = 2 gpu = cpu host_memory = 8 MiB }";
    expect(first({ cluster: small, memory }).stdout).toMatch(
      /^Fits: no, [\d.]+ MiB too little in a node's memory\n$/,
    );
  });
});
