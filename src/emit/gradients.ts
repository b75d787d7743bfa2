import type { Plan } from "../plan/plan.js";

/** Whether gradients are added in more than the model's precision. */
export const addsWider = ({ model, training }: Plan): boolean =>
  model.precision === "bf16" && training.gradients === "fp32";

/**
 * Whether ZeRO 1 runs as DeepSpeed's stage 2 with one reduction a step: both keep whole gradients and reduce them once.
 * In fp32 DeepSpeed's stage 1 takes its BF16_Optimizer, which all-reduces where stage 2 reduces, and has checkpoints of
 * another layout. With an offloaded optimizer it does not.
 */
export const addsInStageTwo = (plan: Plan): boolean =>
  addsWider(plan) && plan.topology.zero_stage === 1 && plan.memory.offload === "none";

/** The keys of DeepSpeed's configuration that say in what gradients are added over micro-batches and over ranks. */
export function gradientSettings(plan: Plan) {
  if (!addsWider(plan)) return {};
  const reduced = { communication_data_type: "fp32" };
  // Stage 0 refuses the key; there autograd adds in fp32, as the runtime tells it.
  if (plan.topology.zero_stage === 0) return reduced;
  return { ...reduced, data_types: { grad_accum_dtype: "fp32" } };
}
