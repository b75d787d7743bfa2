import type { Problem } from "../../src/schedule/problem.js";

export function waitingBound(problem: Problem): number;
