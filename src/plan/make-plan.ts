import { formatCount } from "../foundation/format.js";
import type { Spec } from "../language/language.js";
import { type Origins, SpecReport } from "../semantics/report.js";
import { buildPlan, type PlanResult } from "./build-plan.js";
import { reportChangedDefaults } from "./changed-defaults.js";
import { sampledOver } from "./sample.js";
import { type DegreeChoice, settle, TRIED_BATCHES } from "./settle.js";
import { type PlanInputs, setUp } from "./setup.js";

/** From a checked spec and its inputs to a plan; `context = auto` is decided first. */
export function makePlan(spec: Spec, origins: Origins, inputs: PlanInputs): PlanResult {
  const settled = settle(spec, origins, inputs);
  const result = buildPlan(setUp(settled.spec, origins, inputs));
  const report = new SpecReport(origins);
  const [best, next] = settled.choices;
  if (best) {
    report.at("context-chosen", "parallel.context", {
      context: best.context,
      speed: formatCount(best.tokens_per_second),
      batches: sampledOver(spec.cluster.nodes * spec.cluster.gpus, TRIED_BATCHES),
      next: next ? `next best is ${next.context}, ${slower(best, next)}` : "no other degree fits",
    });
  }
  reportChangedDefaults(spec, origins, report);
  return { ...result, diagnostics: [...report.diagnostics, ...result.diagnostics] };
}

function slower(best: DegreeChoice, next: DegreeChoice): string {
  const times = best.tokens_per_second / next.tokens_per_second;
  return times < 1.005 ? "as fast" : `${times.toFixed(2)} x slower`;
}
