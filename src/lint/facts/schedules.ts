import type { Spec } from "../../language/language.js";
import { contextsOf } from "../../plan/contexts.js";
import { rankMemory } from "../../plan/fit.js";
import { type PlanInputs, type SettledSpec, setUp } from "../../plan/setup.js";
import { tryOut } from "../../plan/try-out.js";
import type { Origins } from "../../semantics/report.js";
import type { PlanFacts, ScheduleChange } from "../subject.js";
import { settleForMemory } from "./memory.js";

/** Enough to tell a gain from none; lint has no time for more. */
const MOST_BATCHES = 4;
const MOST_SEQUENCES = 1024;

/** Predicted speeds of a spec, each found when it is first asked for. */
export function planFacts(spec: Spec, origins: Origins, inputs: PlanInputs): PlanFacts {
  const sequences = Math.min(spec.schedule.global_batch, inputs.data.summary.samples);
  const batches = Math.max(1, Math.min(MOST_BATCHES, Math.floor(MOST_SEQUENCES / sequences)));
  const tried = new Map<string, number | undefined>();
  const speedAt = (context: number, policy: Policy): number | undefined => {
    const key = `${context} ${policy}`;
    if (!tried.has(key)) {
      const changed = settled(spec, { context, policy }, origins, inputs);
      const trial = tryOut(setUp(changed, origins, inputs), batches);
      tried.set(key, trial.fits ? trial.tokens_per_second : undefined);
    }
    return tried.get(key);
  };
  const degrees = contextsOf(spec, inputs.data.summary.longest);
  const own = spec.schedule.policy;
  const chosen = () =>
    spec.parallel.context === "auto"
      ? fastest(degrees, (degree) => speedAt(degree, own))
      : spec.parallel.context;
  return {
    degrees,
    speed: ({ context = chosen(), policy = own }: ScheduleChange = {}) => speedAt(context, policy),
  };
}

type Policy = Spec["schedule"]["policy"];

/** As `context = auto` chooses. */
function fastest(degrees: readonly number[], speed: (degree: number) => number | undefined) {
  let best = degrees[0] ?? 1;
  for (const degree of degrees) if ((speed(degree) ?? 0) > (speed(best) ?? 0)) best = degree;
  return best;
}

function settled(
  spec: Spec,
  { context, policy }: Required<ScheduleChange>,
  origins: Origins,
  inputs: PlanInputs,
): SettledSpec {
  const changed: Spec = {
    ...spec,
    parallel: { ...spec.parallel, context },
    schedule: { ...spec.schedule, policy },
  };
  const least = settleForMemory(changed, origins, inputs);
  return spec.parallel.reduction === "auto" ? reducedOnce(least, origins, inputs) : least;
}

/** With gradients reduced once a step where they fit, which is nearly always the faster. */
function reducedOnce(spec: SettledSpec, origins: Origins, inputs: PlanInputs): SettledSpec {
  if (spec.parallel.zero !== 2 || spec.memory.offload !== "none") return spec;
  const once: SettledSpec = { ...spec, parallel: { ...spec.parallel, reduction: "once" } };
  return rankMemory(setUp(once, origins, inputs)).fits ? once : spec;
}
