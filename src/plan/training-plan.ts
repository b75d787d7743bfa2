import { peakOf } from "../catalogue/gpu.js";
import { modelFlops } from "../cost/work.js";
import { formatCount } from "../foundation/format.js";
import type { LearningRate } from "../foundation/records.generated.js";
import { IN_STEPS, NO_PARAMETERS } from "../language/blocks/learning-rates.generated.js";
import type { SpecReport } from "../semantics/report.js";
import type { Plan } from "./plan.js";
import { costSetting } from "./scheduling-plan.js";
import type { Setup } from "./setup.js";

/** The optimisation, in whole steps. */
export function trainingPlan(
  setup: Setup,
  report: SpecReport,
  totalSteps: number,
): Plan["training"] {
  const { train, parallel, log, model, cluster } = setup.spec;
  const { optimizer } = train;
  return {
    optimizer:
      optimizer.type === "adamw"
        ? { ...optimizer, betas: [optimizer.betas[0] ?? 0.9, optimizer.betas[1] ?? 0.999] }
        : optimizer,
    learning_rate: learningRate(setup, report, totalSteps),
    seed: train.seed,
    clip: train.clip_norm,
    non_finite_gradients: train.non_finite_gradients,
    deterministic: train.deterministic,
    resume: train.resume,
    timeout_seconds: cluster.timeout,
    checkpoint_every: train.checkpoint_every,
    keep_checkpoints: train.keep_checkpoints,
    log_every: train.log_every,
    output: train.output,
    reduction: parallel.reduction,
    gradients: model.precision === "fp32" ? "fp32" : train.gradients,
    export: train.export,
    tensorboard: log.tensorboard,
    wandb: log.wandb ?? null,
    model_flops: {
      ...modelFlops(costSetting(setup)),
      peak: peakOf(setup.inputs.gpu, model.precision),
    },
  };
}

/** Shares of the run as whole steps. */
function learningRate(setup: Setup, report: SpecReport, totalSteps: number): LearningRate {
  const { type, ...parameters } = setup.spec.train.learning_rate;
  const { warmup_steps, warmup_ratio, ...others } = parameters;
  const part = (share: number) => Math.round(share * totalSteps);
  const warmup = warmup_ratio === undefined ? warmup_steps : part(warmup_ratio);
  if (warmup >= totalSteps && warmup > 0) {
    const values = { warmup: formatCount(warmup), steps: formatCount(totalSteps) };
    report.at("warmup-too-long", "train.learning_rate", values);
  }
  // From its peak, so not before the warm-up is over: rounded shares may overlap by a step.
  const after = (share: number) => Math.max(1, Math.min(part(share), totalSteps - warmup));
  const stated = Object.entries(others).map(([name, value]) =>
    name in IN_STEPS ? [IN_STEPS[name as keyof typeof IN_STEPS], after(value)] : [name, value],
  );
  return { type, ...NO_PARAMETERS, warmup_steps: warmup, ...Object.fromEntries(stated) };
}
