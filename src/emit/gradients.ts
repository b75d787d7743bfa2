import type { Plan } from "../plan/plan.js";
import { addsWider } from "../plan/reduction.js";

/** The keys of DeepSpeed's configuration that say in what gradients are added over micro-batches and over ranks. */
export function gradientSettings(plan: Plan) {
  if (!addsWider(plan)) return {};
  const reduced = { communication_data_type: "fp32" };
  // Stage 0 refuses the key; there autograd adds in fp32, as the runtime tells it.
  if (plan.topology.zero_stage === 0) return reduced;
  return { ...reduced, data_types: { grad_accum_dtype: "fp32" } };
}
