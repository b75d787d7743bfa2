import { addLengths } from "./lengths-verb.js";
import { addLint } from "./lint-verb.js";
import { addCompare, addCompile, addPlan, addTune } from "./plan-verbs.js";
import type { Program } from "./program.js";
import { addExplain, addFmt, addInit } from "./text-verbs.js";
import { addCache, addLsp, addSchedule } from "./tool-verbs.js";

/** In the order of `--help`. */
const VERBS = [
  addInit,
  addLint,
  addExplain,
  addFmt,
  addPlan,
  addCompare,
  addTune,
  addCompile,
  addLengths,
  addCache,
  addSchedule,
  addLsp,
];

/** Each verb loads its own code: `schedule` and `--help` start without a parser or a tokenizer. */
export function addVerbs(program: Program): void {
  for (const add of VERBS) add(program);
}
