import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { files, MODEL, PYTHON, project, skrull } from "./run.js";

/** Bytes of a folder's files, but for the scripts that DeepSpeed puts beside a checkpoint. */
function bytesIn(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names
    .map((name) => ({ name, found: statSync(join(folder, name)) }))
    .filter(({ name, found }) => found.isFile() && !name.endsWith(".py"))
    .reduce((sum, { found }) => sum + found.size, 0);
}

/** So large that names and headers hardly count beside its weights. */
const LARGER = JSON.stringify({ ...JSON.parse(MODEL), hidden_size: 192, intermediate_size: 512 });

it.each([
  ["bf16", 0, ""],
  ["bf16", 2, "lora { rank = 16 }"],
  ["bf16", 3, ""],
] as const)(
  "a checkpoint and an export in %s under ZeRO %i %s have the planned bytes",
  (precision, zero, lora) => {
    const parts = {
      model: `{ config = "model.json" weights = random precision = ${precision} }`,
      parallel: `{ context = 2 zero = ${zero} }`,
    };
    const spec = files(parts);
    const text = `${spec["spec.skrull"]}${lora}\n`;
    const folder = project({ ...spec, "spec.skrull": text, "model.json": LARGER });
    const compiled = skrull(["compile", "spec.skrull", "--out", "run"], { cwd: folder });
    expect(compiled.status, compiled.stderr).toBe(0);
    const run = join(folder, "run");
    const env = { ...process.env, PYTHON };
    const options = { cwd: run, encoding: "utf8", env, timeout: 200_000 } as const;
    const launched = spawnSync("bash", ["launch.sh", "--no-preflight"], options);
    expect(launched.status, `${launched.stdout}${launched.stderr}`).toBe(0);
    const { disk } = JSON.parse(readFileSync(join(run, "plan.json"), "utf8"));
    const checkpoint = bytesIn(join(run, "output/checkpoints"));
    // Names of parameters and settings are some kB a file.
    expect(checkpoint).toBeGreaterThan(disk.checkpoint_bytes);
    expect(checkpoint).toBeLessThan(1.02 * disk.checkpoint_bytes + 100_000);
    const exported = bytesIn(join(run, "output/model"));
    expect(exported).toBeGreaterThan(disk.export_bytes);
    expect(exported).toBeLessThan(1.02 * disk.export_bytes + 50_000);
  },
  240_000,
);
