import { hostFigure } from "../catalogue/host-figures.js";
import { sum } from "../foundation/statistics.js";
import { type CostSetting, demandOf, schedulingCost } from "./machine-times.js";
import type { Performance } from "./performance.js";
import { costSetting } from "./scheduling-plan.js";
import type { Setup } from "./setup.js";

/**
 * Seconds of one evaluation: the held-out samples' forward passes, with as much communication and waiting for their
 * work as training has for its own; and a forward's share of the fixed cost of micro-batches, of which training has so
 * many for its tokens, and a global batch at least one. 0 without held-out samples.
 */
export function evaluationSeconds(
  setup: Setup,
  { step_seconds, tokens_per_second, parts }: EvaluationInputs,
): number {
  const { evaluation } = setup.inputs;
  if (!evaluation) return 0;
  const { length: lengths } = evaluation.index.samples;
  const setting = costSetting(setup);
  const { perToken, perTokenSquared } = forwardTimes(setting);
  const tokens = sum(lengths);
  const squares = sum(lengths.map((length) => length * length));
  const work = (perToken * tokens + perTokenSquared * squares) / 1e6 / setup.topology.ranks;
  const { communication, waiting } = parts;
  const busy = parts.work > 0 ? (parts.work + communication + waiting) / parts.work : 1;
  const batches = Math.ceil(lengths.length / setup.spec.schedule.global_batch);
  const fixedOfTokens = (parts.fixed * tokens) / (tokens_per_second * step_seconds.mean);
  const fixedOfBatches = (batches * (schedulingCost(setting).fixed ?? 0)) / 1e6;
  return work * busy + Math.max(fixedOfTokens, fixedOfBatches) * hostFigure("forward_share");
}

export type EvaluationInputs = Pick<Performance, "step_seconds" | "tokens_per_second" | "parts">;

/** Time of a token and of a token squared in a forward pass, us. Adapters, whose work is small, are left out. */
function forwardTimes(setting: CostSetting) {
  const { a1, a2 } = schedulingCost(setting);
  const whole = demandOf(setting).flops;
  // A backward is twice its forward where everything is trained and nothing recomputed.
  const three = demandOf({ ...setting, checkpointing: "none", lora: null }).flops;
  const linear = ({ body_per_token, head_per_target, attention_per_token }: typeof whole) =>
    body_per_token + setting.targetShare * head_per_target + attention_per_token;
  const share = (part: number, of: number) => (of > 0 ? part / 3 / of : 0);
  return {
    perToken: a1 * share(linear(three), linear(whole)),
    perTokenSquared:
      a2 * share(three.attention_per_token_squared, whole.attention_per_token_squared),
  };
}
