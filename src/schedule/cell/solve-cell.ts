import { ROUNDS_PER_RANK } from "../../foundation/limits.generated.js";
import type { Workload } from "../workload.js";
import { type Cell, makeCell } from "./cell.js";
import type { Placer } from "./placer.js";
import { type Aims, bestTarget, FEW_AIMS } from "./targets.js";
import { bestThreshold } from "./thresholds.js";

/** The cell of `members`, longest first; `undefined` where they do not fit together, or no way was found. */
export function solveCell(
  members: readonly number[],
  workload: Workload,
  placer: Placer,
  aims: Aims = FEW_AIMS,
): Cell | undefined {
  const rounds = ROUNDS_PER_RANK * workload.size;
  const threshold = bestThreshold(members, workload, placer, rounds);
  // With two degrees, thresholds are all there is to aim at.
  const target =
    workload.levels.length > 2
      ? bestTarget(members, workload, placer, rounds, aims, threshold?.time)
      : undefined;
  const degrees = target ?? threshold;
  if (!degrees) return undefined;
  placer.place(members, degrees.levels, rounds);
  return makeCell(members, degrees.levels, placer.firsts, workload);
}
