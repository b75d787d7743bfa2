import type { Policy, Problem } from "../problem.js";
import type { Assignment } from "../schedule.js";
import { dacp } from "./dacp.js";
import { deepspeed } from "./deepspeed.js";
import { packed } from "./packed.js";
import { roundRobin } from "./round-robin.js";
import { skrullPaper } from "./skrull-paper.js";
import { sorted } from "./sorted.js";

/** A policy: micro-batches of every data-parallel rank. @throws Infeasible */
export type PolicyFunction = (problem: Problem) => Assignment;

/** Every policy that stands on its own. To add one, add a file and a line. */
export const POLICIES: Readonly<Record<Exclude<Policy, "auto">, PolicyFunction>> = {
  deepspeed,
  packed,
  sorted,
  dacp,
  "round-robin": roundRobin,
  "skrull-paper": skrullPaper,
};
