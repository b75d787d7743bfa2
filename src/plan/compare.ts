import { rankCount } from "../schedule/degrees.js";
import { PEER_NAMES, type Peer, solveByPeer } from "../schedule/peers/index.js";
import { POLICY_NAMES, type Policy } from "../schedule/problem.js";
import { solve } from "../schedule/solve.js";
import { finishAt } from "./finish.js";
import { solveBatches } from "./forecast.js";
import { type Performance, performanceOf } from "./performance.js";
import type { FinishPlan, Plan } from "./plan.js";
import { neighbourBatches, sampleBatches, sampledOver } from "./sample.js";
import { withinBand } from "./within-band.js";

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
  /** When a run of the plan is done under it; `null` where it has no schedule. */
  readonly finish: ComparedFinish | null;
  /** Whether it is as fast as the plan's own policy, as far as predictions tell. */
  readonly within_band: boolean | null;
}

export type ComparedFinish = Pick<FinishPlan, "seconds" | "gpu_hours" | "cost">;

/** Without these a comparison says little. */
export const ALWAYS_COMPARED: readonly Policy[] = ["deepspeed", "packed", "sorted"];
/** The name of LongAlign's own sorted batching. */
export const LONGALIGN = "longalign";

/** What stands for all peers among the names to compare. */
export const ALL_PEERS = "peers";
/** Names that a comparison may be asked for. */
export const COMPARABLE: readonly string[] = [...POLICY_NAMES, ...PEER_NAMES, ALL_PEERS];

/**
 * Predicted step times of policies side by side, on the same sampled global batches; peers last but for `auto`.
 *
 * @param chosen names of {@link COMPARABLE}; without, all policies
 */
export function comparePolicies(
  plan: Plan,
  lengths: readonly number[],
  chosen: readonly string[] = POLICY_NAMES,
): readonly ComparedPolicy[] {
  const { steps, training, data } = plan;
  const { global_batch: size } = steps;
  const sampled = sampledOver(rankCount(plan.scheduling));
  const batches = sampleBatches(lengths.length, size, training.seed, data.mixture).slice(
    0,
    sampled,
  );
  const compared = namesIn(chosen).map((name) => ({
    policy: name as string,
    other_batches: false,
    ...perform(name, batches, plan, lengths),
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
    ...finishUnder(one.performance, plan),
  }));
}

function namesIn(chosen: readonly string[]): readonly (Policy | Peer)[] {
  const policies = POLICY_NAMES.filter(
    (policy) => chosen.includes(policy) || ALWAYS_COMPARED.includes(policy),
  );
  const peers = PEER_NAMES.filter((peer) => chosen.includes(peer) || chosen.includes(ALL_PEERS));
  const others = policies.filter((policy) => policy !== "auto");
  return [...others, ...peers, ...policies.slice(others.length)];
}

const isPeer = (name: string): name is Peer => PEER_NAMES.some((peer) => peer === name);

/** The plan's own time to finish, with its steps as much slower or faster as the tokens per second are. */
function finishUnder(
  performance: Performance | null,
  { finish, forecast, topology }: Plan,
): Pick<ComparedPolicy, "finish" | "within_band"> {
  if (!performance) return { finish: null, within_band: null };
  const { tokens_per_second: own } = forecast;
  const { tokens_per_second: other } = performance;
  const { seconds, gpu_hours, cost } = finishAt(finish, topology.ranks, own / other);
  return {
    finish: { seconds, gpu_hours, cost },
    within_band: withinBand(own, other, forecast.band.time),
  };
}

function perform(
  name: Policy | Peer,
  batches: readonly (readonly number[])[],
  { scheduling, search, forecast, lighter }: Plan,
  lengths: readonly number[],
): Pick<ComparedPolicy, "performance" | "problem"> {
  const found = solveBatches(
    { ...scheduling, policy: isPeer(name) ? "auto" : name },
    batches,
    lengths,
    search.iterations,
    lighter,
    isPeer(name) ? (problem) => solveByPeer(name, problem) : solve,
  );
  if (!found.ok) return { performance: null, problem: found.error.message };
  return { performance: performanceOf(found.solved, forecast.parts.step), problem: null };
}
