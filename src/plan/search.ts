import { ONLINE_POLICY_WORDS, type ScheduleMode } from "../foundation/vocabularies.generated.js";
import type { SearchPlan } from "./plan.js";
import type { SettledSpec } from "./setup.js";

/** When schedules are made, and how long each is searched for. */
export function searchPlan({ schedule }: Pick<SettledSpec, "schedule">): SearchPlan {
  const mode = modeOf(schedule);
  return {
    mode,
    iterations: mode === "planned" && schedule.policy === "auto" ? schedule.iterations : 0,
    strict: schedule.strict,
  };
}

/** The runtime schedules by its own policies only: others are planned. */
const modeOf = ({ mode, policy }: SettledSpec["schedule"]): ScheduleMode =>
  ONLINE_POLICY_WORDS.some((word) => word === policy) ? mode : "planned";
