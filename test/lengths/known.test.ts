import { renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { knownMeasurement, Sightings } from "../../src/lengths/known.js";
import { measureFiles } from "../../src/lengths/measure.js";
import type { Rendering } from "../../src/lengths/rendering.js";
import { conversation } from "../cli/run.js";
import { diskHost } from "../disk-host.js";

const RENDERING: Rendering = {
  format: { type: "auto" },
  columns: {},
  roles: {},
  ignore: [],
  template: { type: "auto" },
  arguments: {},
  date: "2024-07-26",
  begin: null,
  end: null,
  markers: "text",
  train_newline: false,
  rewritten: "split",
};

async function measured() {
  const host = diskHost({ "data.jsonl": conversation("abc") });
  const path = join(host.workingFolder, "data.jsonl");
  const request = { key: "test", files: [] };
  const counting = {
    tokenizer: "bytes",
    settings: { rendering: RENDERING, supervision: "assistant", truncateTo: null } as const,
    request,
    folder: host.workingFolder,
  };
  const count = async () => {
    const { files, facts } = await measureFiles(host, [{ name: "data.jsonl", path }], counting);
    return { file: files[0], facts };
  };
  const state = async () => (await knownMeasurement(host, path, request)).state;
  return { host, path, request, first: await count(), count, state };
}

it("counts are known while the file is the same, and again where only its time has changed", async () => {
  const { path, state } = await measured();
  expect(await state()).toBe("known");
  utimesSync(path, 1, 1);
  expect(await state()).toBe("known");
});

it("another file of the same size and time is another file", async () => {
  const { path, first, count, state } = await measured();
  const { atime, mtime } = statSync(path);
  writeFileSync(`${path}.new`, conversation("xyz"));
  utimesSync(`${path}.new`, atime, mtime);
  renameSync(`${path}.new`, path);
  expect(await state()).toBe("changed");
  expect((await count()).file?.sha256).not.toBe(first.file?.sha256);
});

it("nothing is noted of a file that changed while it was counted", async () => {
  const { host, path, first } = await measured();
  const request = { key: "another", files: [] };
  const sightings = new Sightings(host, request, [path]);
  writeFileSync(path, conversation("changed meanwhile"));
  sightings.note(path, first.file?.sha256 ?? "", join(host.workingFolder, "table"), first.facts);
  expect((await knownMeasurement(host, path, request)).state).toBe("unknown");
});
