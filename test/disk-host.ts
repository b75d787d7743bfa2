import { join } from "node:path";
import { NodeHost } from "../src/host/node-host.js";
import { PYTHON, project } from "./cli/run.js";

/** A host whose working folder is a fresh one with these files. */
export function diskHost(files: Readonly<Record<string, string | Uint8Array>>): NodeHost {
  const folder = project(files);
  const environment = { SKRULL_CACHE: join(folder, ".cache"), SKRULL_PYTHON: PYTHON };
  return new NodeHost(folder, { ...process.env, ...environment });
}
