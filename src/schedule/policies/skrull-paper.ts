import type { Problem } from "../problem.js";
import type { Assignment } from "../schedule.js";
import { gds } from "./parts/gds.js";

/** The paper's scheduler: GDS over DACP (arXiv:2505.19609 Algorithms 2 and 1). @throws Infeasible */
export const skrullPaper = (problem: Problem): Assignment => gds("least-loaded", problem);
