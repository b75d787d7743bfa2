#!/usr/bin/env node
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../host/cache-folder.js";
import { keepCompiled, runScript } from "../host/code-cache.js";

// `lint` runs often and shortly, so it is built as one file that starts fast. The other verbs load what they need.
const folder = cacheFolder(process.env);
if (process.argv[2] === "lint") {
  runScript(fileURLToPath(new URL("lint.cjs", import.meta.url)), folder);
} else {
  keepCompiled(folder);
  const { runProgram } = await import("./program.js");
  const { addVerbs } = await import("./verbs.js");
  await runProgram(addVerbs);
}
