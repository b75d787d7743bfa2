import type { Policy, Problem } from "../problem.js";
import type { Assignment } from "../schedule.js";
import { deepspeed } from "./deepspeed.js";
import { packed, sorted } from "./packed.js";
import { skrullPaper } from "./skrull-paper.js";

/** A policy: micro-batches of every data-parallel rank. @throws Infeasible */
export type PolicyFunction = (problem: Problem) => Assignment;

/** Every policy that stands on its own. To add one, add a file and a line; `auto` then considers it. */
export const POLICIES: Readonly<Partial<Record<Policy, PolicyFunction>>> = {
  deepspeed,
  packed,
  sorted,
  "skrull-paper": skrullPaper,
};
