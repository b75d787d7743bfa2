#!/usr/bin/env node
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../host/cache-folder.js";
import { keepCompiled, runScript } from "../host/code-cache.js";
import { EXIT } from "./exit-code.js";

// `lint` runs often and shortly, so it is built as one file that starts fast. The other verbs load what they need.
const folder = cacheFolder(process.env);
if (process.argv[2] === "lint") {
  // Help and broken specs need less of the compiler, and leave the exit code at something else.
  const isTypical = () => process.exitCode === EXIT.clean;
  runScript(fileURLToPath(new URL("lint.cjs", import.meta.url)), folder, isTypical);
} else {
  keepCompiled(folder);
  const { runProgram } = await import("./program.js");
  const { addVerbs } = await import("./verbs.js");
  await runProgram(addVerbs);
}
