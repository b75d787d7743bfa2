import { Ajv } from "ajv";
import type { Plan } from "../plan/plan.js";
import { addsInStageTwo, gradientSettings } from "./gradients.js";

/**
 * DeepSpeed's configuration of the run. Batch keys only feed counters: the runtime sets the accumulation
 * boundary itself, because a global batch has a varying number of micro-batches. What has a default that
 * changed between versions is stated.
 */
export function deepspeedConfig(plan: Plan): Record<string, unknown> {
  const stage = addsInStageTwo(plan) ? 2 : plan.topology.zero_stage;
  return {
    train_micro_batch_size_per_gpu: 1,
    gradient_accumulation_steps: 1,
    gradient_clipping: plan.training.clip,
    ...(plan.model.precision === "bf16" ? { bf16: BF16 } : {}),
    ...gradientSettings(plan),
    zero_optimization: {
      stage,
      ...zeroSettings(stage, plan.memory.zero_bucket),
      ...offloading(plan),
    },
    // The runtime hands in the optimizer, DeepSpeed's own for the host where it can be compiled.
    ...(plan.memory.offload === "none" ? {} : { zero_force_ds_cpu_optimizer: false }),
    // DeepSpeed knows AdamW under ZeRO; SGD it calls untested, and our tests cover it.
    ...(plan.training.optimizer.type === "sgd" ? { zero_allow_untested_optimizer: true } : {}),
    // The runtime prints its own line a step.
    steps_per_print: 1_000_000_000,
    wall_clock_breakdown: false,
  };
}

/** Without the check, ZeRO 1 and 2 would train on a gradient that is not finite: once the default. */
const BF16 = { enabled: true, check_grad_overflow: true };

function offloading({ memory, topology }: Plan) {
  const host = { device: "cpu", pin_memory: topology.device === "cuda" };
  return {
    ...(memory.offload === "none" ? {} : { offload_optimizer: host }),
    ...(memory.offload === "all" ? { offload_param: host } : {}),
  };
}

function zeroSettings(stage: Plan["topology"]["zero_stage"], bucket: number) {
  if (stage === 0) return {};
  const common = {
    contiguous_gradients: true,
    // Not tried on GPUs together with the context-parallel communicators.
    overlap_comm: false,
    reduce_scatter: true,
    reduce_bucket_size: bucket,
    allgather_bucket_size: bucket,
  };
  if (stage < 3) return common;
  return {
    ...common,
    stage3_prefetch_bucket_size: bucket,
    stage3_max_live_parameters: 2 * bucket,
    stage3_max_reuse_distance: 2 * bucket,
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
