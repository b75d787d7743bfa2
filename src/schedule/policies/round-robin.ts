import type { Problem } from "../problem.js";
import type { Assignment } from "../schedule.js";
import { gds } from "./parts/gds.js";

/** The paper's ablation: GDS over its Algorithm 4, whole sequences to the ranks in turn. @throws Infeasible */
export const roundRobin = (problem: Problem): Assignment => gds("in-turn", problem);
