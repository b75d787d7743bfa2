import { memoryModel } from "../cost/memory.js";
import type { Checkpointing } from "../cost/shape.js";
import { shardTokens } from "../schedule/time-and-memory.js";
import { fitProblem, fits, largestBucket } from "./fit.js";
import type { LighterMode } from "./lighter.js";
import { schedulingPlan } from "./scheduling-plan.js";
import type { Setup } from "./setup.js";

/** What recomputes less than whole layers do, least first. */
const LIGHTER: readonly Checkpointing[] = ["none", "selective", "attention"];

/** What micro-batches may do instead of recomputing whole layers under `checkpointing = auto`, least first. */
export const lighterModes = (setup: Setup, bucket: number): readonly LighterMode[] =>
  limitsOf(setup)
    .filter((_, n, limits) => (limits[n - 1]?.tokens ?? 0) < bucket)
    .map(({ checkpointing, tokens }) => ({
      checkpointing,
      tokens: Math.min(tokens, bucket),
      cost: costUnder(checkpointing, setup),
    }));

/** The most tokens that each mode has memory for, least recomputation first; each has memory for more than those before. */
function limitsOf(setup: Setup): readonly Pick<LighterMode, "checkpointing" | "tokens">[] {
  if (setup.spec.model.checkpointing !== "auto") return [];
  const fit = fitProblem(setup);
  const limits: Pick<LighterMode, "checkpointing" | "tokens">[] = [];
  for (const checkpointing of LIGHTER) {
    const tokens = largestBucket(fit, memoryModel({ ...fit.setting, checkpointing }));
    if (tokens > (limits.at(-1)?.tokens ?? 0)) limits.push({ checkpointing, tokens });
  }
  return limits;
}

function costUnder(checkpointing: Checkpointing, setup: Setup): LighterMode["cost"] {
  const { a1, a2, comm } = schedulingPlan({ ...setup, checkpointing }, 1).cost;
  return { a1, a2, comm };
}

/**
 * Buckets that may be worth more than the largest, for a spec that leaves it open: micro-batches that are no larger than
 * a lighter mode has memory for, or than the longest sequence needs, recompute less.
 */
export function smallerBuckets(setup: Setup): readonly number[] {
  const fit = fitProblem(setup);
  if (fit.bucket !== undefined || !fits(fit)) return [];
  const needed = shardTokens(fit.longest, fit.setting.largestGroup);
  const largest = largestBucket(fit, memoryModel(fit.setting));
  const buckets = limitsOf(setup).map(({ tokens }) => Math.max(tokens, needed));
  return [...new Set(buckets)].filter((bucket) => bucket < largest);
}
