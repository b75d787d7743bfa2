import { addLint } from "./lint-verb.js";
import { runProgram } from "./program.js";

// What the build makes `dist/cli/lint.cjs` of: the program with one verb.
void runProgram(addLint);
