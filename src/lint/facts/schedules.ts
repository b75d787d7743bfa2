import type { Spec } from "../../language/language.js";
import { type PlanInputs, Planner, type SettledSpec } from "../../plan/build-plan.js";
import type { Origins } from "../../semantics/report.js";
import type { PlanFacts } from "../subject.js";
import { settleForMemory } from "./memory.js";

/** Enough to tell a gain from none; lint has no time for more. */
const MOST_BATCHES = 4;
const MOST_SEQUENCES = 1024;
const SIMPLER = ["packed", "sorted"] as const;

/** Predicted speed of the spec's policy and of simpler ones; `undefined` where the spec's own finds no schedule. */
export function planFacts(spec: Spec, origins: Origins, inputs: PlanInputs): PlanFacts | undefined {
  const least = settleForMemory(spec, origins, inputs);
  const settled = spec.parallel.reduction === "auto" ? reducedOnce(least, origins, inputs) : least;
  const sequences = Math.min(spec.schedule.global_batch, inputs.data.summary.samples);
  const batches = Math.max(1, Math.min(MOST_BATCHES, Math.floor(MOST_SEQUENCES / sequences)));
  const speedOf = (policy: Spec["schedule"]["policy"]): number | undefined => {
    const other = { ...settled, schedule: { ...settled.schedule, policy } };
    const trial = new Planner(other, origins, inputs).tryOut(batches);
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

/** With gradients reduced once a step where they fit, which is nearly always the faster. */
function reducedOnce(spec: SettledSpec, origins: Origins, inputs: PlanInputs): SettledSpec {
  if (spec.parallel.zero !== 2 || spec.memory.offload !== "none") return spec;
  const once: SettledSpec = { ...spec, parallel: { ...spec.parallel, reduction: "once" } };
  return new Planner(once, origins, inputs).rankMemory().fits ? once : spec;
}
