import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import type { NodeHost } from "../../src/host/node-host.js";
import { project, ROOT } from "../cli/run.js";

/** Says how it was loaded: what `require` loads is in its cache. */
const MODULE = `
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
const { cache } = createRequire(import.meta.url);
export default (task) => ({ task, required: fileURLToPath(import.meta.url) in cache });
`;

it("loads a thread's module by import, which may be ended at any time", async () => {
  const built = await import(pathToFileURL(join(ROOT, "dist/host/node-host.js")).href);
  const host: NodeHost = new built.NodeHost();
  const module = relative(join(ROOT, "dist"), join(project({ "work.mjs": MODULE }), "work.mjs"));
  const answers = await host.runInWorkers(module, ["a", "b"], () => {});
  expect(answers).toEqual([
    { task: "a", required: false },
    { task: "b", required: false },
  ]);
});
