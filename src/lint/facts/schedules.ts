import type { Spec } from "../../language/language.js";
import { type PlanInputs, Planner } from "../../plan/build-plan.js";
import { settle } from "../../plan/tune.js";
import type { Origins } from "../../semantics/report.js";
import type { PlanFacts } from "../subject.js";

/** Enough to tell a gain from none; lint has no time for more. */
const BATCHES = 4;
const SIMPLER = ["packed", "sorted"] as const;

/** Predicted speed of the spec's policy and of simpler ones; `undefined` where the spec's own finds no schedule. */
export function planFacts(spec: Spec, origins: Origins, inputs: PlanInputs): PlanFacts | undefined {
  const { spec: settled } = settle(spec, origins, inputs);
  const speedOf = (policy: Spec["schedule"]["policy"]): number | undefined => {
    const other = { ...settled, schedule: { ...settled.schedule, policy } };
    const trial = new Planner(other, origins, inputs).tryOut(BATCHES);
    return trial.fits ? trial.tokens_per_second : undefined;
  };
  const speed = speedOf(spec.schedule.policy);
  if (speed === undefined) return undefined;
  const others = SIMPLER.flatMap((policy) => {
    const found = speedOf(policy);
    return found === undefined ? [] : [[policy, found] as const];
  });
  return { speed, others: Object.fromEntries(others) };
}
