import { ROUNDS_PER_RANK } from "../../foundation/limits.generated.js";
import type { Workload } from "../workload.js";
import { type Cell, makeCell } from "./cell.js";
import type { Placer } from "./placer.js";
import { bestTarget } from "./targets.js";
import { bestThreshold, type Degrees } from "./thresholds.js";

/** Degrees for the members of one cell; `undefined` where they do not fit together, or it found no way. */
export function chooseDegrees(
  members: ArrayLike<number>,
  workload: Workload,
  placer: Placer,
): Degrees | undefined {
  const rounds = ROUNDS_PER_RANK * workload.size;
  const threshold = bestThreshold(members, workload, placer, rounds);
  if (workload.problem.degrees === "local-or-all") return threshold;
  const target = bestTarget(members, workload, placer, rounds);
  return target && (!threshold || target.time < threshold.time) ? target : threshold;
}

/** The cell of `members`, longest first; `undefined` as {@link chooseDegrees} says. */
export function solveCell(
  members: readonly number[],
  workload: Workload,
  placer: Placer,
): Cell | undefined {
  const degrees = chooseDegrees(members, workload, placer);
  if (!degrees) return undefined;
  placer.place(members, degrees.levels, ROUNDS_PER_RANK * workload.size);
  return makeCell(members, degrees.levels, placer.firsts, workload);
}
