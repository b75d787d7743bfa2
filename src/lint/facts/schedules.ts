import type { Spec } from "../../language/language.js";
import { contextsOf } from "../../plan/contexts.js";
import { rankMemory } from "../../plan/fit.js";
import { type PlanInputs, type SettledSpec, setUp } from "../../plan/setup.js";
import { tryOut } from "../../plan/try-out.js";
import type { Origins } from "../../semantics/report.js";
import type { PlanFacts } from "../subject.js";
import { settleForMemory } from "./memory.js";

/** Enough to tell a gain from none; lint has no time for more. */
const MOST_BATCHES = 4;
const MOST_SEQUENCES = 1024;

/** Predicted speeds of a spec, each found when it is asked for. */
export function planFacts(spec: Spec, origins: Origins, inputs: PlanInputs): PlanFacts {
  const sequences = Math.min(spec.schedule.global_batch, inputs.data.summary.samples);
  const batches = Math.max(1, Math.min(MOST_BATCHES, Math.floor(MOST_SEQUENCES / sequences)));
  return {
    degrees: contextsOf(spec, inputs.data.summary.longest, inputs.dimensions.shape),
    speed: (context) => {
      const trial = tryOut(
        setUp(settled(spec, context, origins, inputs), origins, inputs),
        batches,
      );
      return trial.fits ? trial.tokens_per_second : undefined;
    },
  };
}

function settled(spec: Spec, context: number, origins: Origins, inputs: PlanInputs): SettledSpec {
  const changed: Spec = { ...spec, parallel: { ...spec.parallel, context } };
  const least = settleForMemory(changed, origins, inputs);
  return spec.parallel.reduction === "auto" ? reducedOnce(least, origins, inputs) : least;
}

/** With gradients reduced once a step where they fit, which is nearly always the faster. */
function reducedOnce(spec: SettledSpec, origins: Origins, inputs: PlanInputs): SettledSpec {
  if (spec.parallel.zero !== 2 || spec.memory.offload !== "none") return spec;
  const once: SettledSpec = { ...spec, parallel: { ...spec.parallel, reduction: "once" } };
  return rankMemory(setUp(once, origins, inputs)).fits ? once : spec;
}
