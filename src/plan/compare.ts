import { rankCount } from "../schedule/degrees.js";
import { POLICY_NAMES, type Policy } from "../schedule/problem.js";
import { solveBatches } from "./forecast.js";
import { type Performance, performanceOf } from "./performance.js";
import type { Plan } from "./plan.js";
import { neighbourBatches, sampleBatches, sampledOver } from "./sample.js";

/** One policy on the run's global batches; without a performance where it found no schedule. */
export interface ComparedPolicy {
  readonly policy: string;
  /** Whether it ran on other batches than the rest, so that only its tokens per second compare. */
  readonly other_batches: boolean;
  readonly performance: Performance | null;
  /** Why there is none. */
  readonly problem: string | null;
  /** Tokens per second over those of `deepspeed`. */
  readonly speedup: number | null;
}

/** Without these a comparison says little. */
export const ALWAYS_COMPARED: readonly Policy[] = ["deepspeed", "packed", "sorted"];
/** The name of LongAlign's own sorted batching. */
export const LONGALIGN = "longalign";

/** Predicted step times of policies side by side, on the same sampled global batches. */
export function comparePolicies(
  plan: Plan,
  lengths: readonly number[],
  chosen: readonly Policy[],
): readonly ComparedPolicy[] {
  const { steps, training, data } = plan;
  const { global_batch: size } = steps;
  const sampled = sampledOver(rankCount(plan.scheduling));
  const batches = sampleBatches(lengths.length, size, training.seed, data.mixture).slice(
    0,
    sampled,
  );
  const policies = POLICY_NAMES.filter(
    (policy) => chosen.includes(policy) || ALWAYS_COMPARED.includes(policy),
  );
  const compared = policies.map((policy) => ({
    policy: policy as string,
    other_batches: false,
    ...perform(policy, batches, plan, lengths),
  }));
  compared.splice(compared.findIndex(({ policy }) => policy === "sorted") + 1, 0, {
    policy: LONGALIGN,
    other_batches: true,
    ...perform(
      "packed",
      neighbourBatches(lengths, size, training.seed, data.mixture, sampled),
      plan,
      lengths,
    ),
  });
  const base = compared.find(({ policy }) => policy === "deepspeed")?.performance;
  return compared.map((one) => ({
    ...one,
    speedup:
      base && one.performance ? one.performance.tokens_per_second / base.tokens_per_second : null,
  }));
}

function perform(
  policy: Policy,
  batches: readonly (readonly number[])[],
  { scheduling, search, forecast }: Plan,
  lengths: readonly number[],
): Pick<ComparedPolicy, "performance" | "problem"> {
  const found = solveBatches({ ...scheduling, policy }, batches, lengths, search.iterations);
  if (!found.ok) return { performance: null, problem: found.error.message };
  return { performance: performanceOf(found.solved, forecast.parts.step), problem: null };
}
