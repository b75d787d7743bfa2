import { Ajv } from "ajv";
import type { OptimizerKind } from "../foundation/vocabularies.generated.js";
import type { Plan } from "../plan/plan.js";
import { reductionOf } from "../plan/reduction.js";
import { gradientSettings } from "./gradients.js";

/**
 * DeepSpeed's configuration of the run. Batch keys only feed counters: a global batch has a varying number of
 * micro-batches, so the run says which is the last, or leaves the boundary to the optimizer step. What has a default that
 * changed between versions is stated.
 */
export function deepspeedConfig(plan: Plan): Record<string, unknown> {
  const reduction = reductionOf(plan);
  return {
    train_micro_batch_size_per_gpu: 1,
    gradient_accumulation_steps: 1,
    // Excludes one reduction a step; offloaded gradients would go to the host and back once more.
    ...(reduction.everyBackward ? { managed_gradient_accumulation: false } : {}),
    gradient_clipping: plan.training.clip,
    ...(plan.model.precision === "bf16" ? { bf16: bf16Settings(plan) } : {}),
    ...gradientSettings(plan),
    zero_optimization: {
      stage: reduction.stage,
      ...zeroSettings(plan),
      ...offloading(plan),
    },
    // The runtime hands in the optimizer, DeepSpeed's own for the host where it can be compiled.
    ...(plan.memory.offload === "none" ? {} : { zero_force_ds_cpu_optimizer: false }),
    ...(UNTESTED.includes(plan.training.optimizer.type)
      ? { zero_allow_untested_optimizer: true }
      : {}),
    // The runtime prints its own line a step.
    steps_per_print: 1_000_000_000,
    wall_clock_breakdown: false,
  };
}

/** What DeepSpeed calls untested under ZeRO, and our tests cover. */
const UNTESTED: readonly OptimizerKind[] = ["sgd", "adamw8bit"];

/** Without the check, ZeRO 1 and 2 would train on a gradient that is not finite: once the default. */
function bf16Settings({ training }: Plan) {
  const settings = { enabled: true, check_grad_overflow: true };
  if (training.optimizer_states === "fp32") return settings;
  return { ...settings, bf16_master_weights_and_grads: true, bf16_optimizer_states: true };
}

function offloading({ memory, topology }: Plan) {
  const host = { device: "cpu", pin_memory: topology.device === "cuda" };
  return {
    ...(memory.offload === "none" ? {} : { offload_optimizer: host }),
    ...(memory.offload === "all" ? { offload_param: host } : {}),
  };
}

function zeroSettings(plan: Plan) {
  const { memory, training } = plan;
  const { stage, overlaps } = reductionOf(plan);
  if (stage === 0) return {};
  // DeepSpeed refuses an odd one.
  const bucket = 2 * Math.ceil(memory.zero_bucket / 2);
  const common = {
    contiguous_gradients: true,
    overlap_comm: overlaps,
    // Under ZeRO 3 DeepSpeed refuses it with Muon.
    reduce_scatter: stage < 3 || training.optimizer.type !== "muon",
    reduce_bucket_size: bucket,
    allgather_bucket_size: bucket,
  };
  const { zero_gather: gather } = memory;
  if (gather === null) return common;
  return {
    ...common,
    stage3_prefetch_bucket_size: gather.prefetch,
    stage3_max_live_parameters: gather.max_live,
    stage3_max_reuse_distance: gather.max_reuse,
    stage3_param_persistence_threshold: gather.persistent,
    stage3_gather_16bit_weights_on_model_save: true,
  };
}

/**
 * What in a configuration DeepSpeed would ignore or reject, as JSON pointers with reasons; empty when sound.
 *
 * @param schema the closed schema in `schemas/deepspeed-config.schema.json`
 */
export function deepspeedConfigProblems(
  config: Record<string, unknown>,
  schema: object,
): readonly string[] {
  const validate = new Ajv({ allErrors: true, strict: false }).compile(schema);
  if (validate(config)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    const key = "additionalProperty" in params ? ` '${params["additionalProperty"]}'` : "";
    return `${instancePath || "/"} ${message}${key}`;
  });
}
