import type { Spec } from "../language/language.js";
import type { Origins } from "../semantics/report.js";
import { type PlanInputs, Planner, type PlanResult } from "./build-plan.js";
import { settle } from "./tune.js";

/** From a checked spec and its inputs to a plan; `context = auto` is decided first. */
export function makePlan(spec: Spec, origins: Origins, inputs: PlanInputs): PlanResult {
  return new Planner(settle(spec, origins, inputs), origins, inputs).build();
}
