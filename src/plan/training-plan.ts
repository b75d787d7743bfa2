import { peakOf } from "../catalogue/gpu.js";
import { modelFlops } from "../cost/work.js";
import { formatCount } from "../foundation/format.js";
import type { LearningRate } from "../foundation/records.generated.js";
import { IN_STEPS, NO_PARAMETERS } from "../language/blocks/learning-rates.generated.js";
import type { Spec } from "../language/language.js";
import type { SpecReport } from "../semantics/report.js";
import type { Plan, TrainingPlan } from "./plan.js";
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
    ...optimizerPlan(optimizer),
    learning_rate: learningRate(setup, report, totalSteps),
    seed: train.seed,
    // DeepSpeed would clip what Muon has orthogonalised.
    clip: optimizer.type === "muon" ? 0 : train.clip_norm,
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

/** The optimizer as a run has it. DeepSpeed decides what precision it works in, and is told so in its own file. */
function optimizerPlan(
  optimizer: Spec["train"]["optimizer"],
): Pick<TrainingPlan, "optimizer" | "optimizer_states"> {
  if (optimizer.type === "sgd") return { optimizer, optimizer_states: "fp32" };
  const betas = pair(optimizer.betas);
  if (optimizer.type !== "adamw")
    return { optimizer: { ...optimizer, betas }, optimizer_states: "fp32" };
  const { states, ...settings } = optimizer;
  return { optimizer: { ...settings, betas }, optimizer_states: states };
}

/** A list of two, whose length the language has checked. */
const pair = ([first = 0, second = 0]: readonly number[]): readonly [number, number] => [
  first,
  second,
];
