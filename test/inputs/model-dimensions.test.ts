import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { NodeHost } from "../../src/host/node-host.js";
import { dimensionsOf, knownDimensions } from "../../src/inputs/model-dimensions.js";
import { MODEL, project } from "../cli/run.js";
import { diskHost } from "../disk-host.js";

const LLAMA = JSON.parse(MODEL);
const PHI = { ...LLAMA, model_type: "phi3", pad_token_id: 0 };
const HELP = { help: expect.stringContaining("pip install torch transformers") };

/** Where no Python can make a model. */
function bare(files: Readonly<Record<string, string>> = {}): NodeHost {
  const folder = project(files);
  return new NodeHost(folder, {
    SKRULL_CACHE: join(folder, ".cache"),
    SKRULL_PYTHON: join(folder, "python"),
  });
}

describe("the dimensions of a model", () => {
  it("are read by keys where its family is known, without Python", async () => {
    const host = bare();
    const read = await dimensionsOf(host, host.workingFolder, LLAMA);
    expect(read.ok && read.dimensions.model_type).toBe("qwen2");
  });

  it("are told by the model once, and kept by the configuration's content", async () => {
    const host = diskHost({});
    expect(knownDimensions(host, PHI)).toMatchObject({ ok: false, undescribed: true });
    const told = await dimensionsOf(host, host.workingFolder, PHI);
    expect(told).toMatchObject({ ok: true, dimensions: { model_type: "phi3" } });
    expect(knownDimensions(host, PHI)).toEqual(told);
    expect(knownDimensions(host, { ...PHI, hidden_size: 64 }).ok).toBe(false);
    const later = new NodeHost(host.workingFolder, {
      SKRULL_CACHE: join(host.workingFolder, ".cache"),
      SKRULL_PYTHON: "/nowhere/python",
    });
    expect(await dimensionsOf(later, later.workingFolder, PHI)).toEqual(told);
  }, 180_000);

  it("are asked for with what to install, where no Python can tell them", async () => {
    const host = bare();
    const read = await dimensionsOf(host, host.workingFolder, PHI);
    expect(read).toMatchObject({ ok: false, problems: [HELP] });
  });

  it("are not those of a file in the cache that is something else", async () => {
    const host = diskHost({});
    const told = await dimensionsOf(host, host.workingFolder, PHI);
    const folder = join(host.workingFolder, ".cache", "models");
    for (const name of host.list(folder)) writeFileSync(join(folder, name), '{"format_version":1}');
    expect(knownDimensions(host, PHI).ok).toBe(false);
    expect(await dimensionsOf(host, host.workingFolder, PHI)).toEqual(told);
  }, 180_000);
});
