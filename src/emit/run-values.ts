import type {
  DataConfig,
  ModelConfig,
  SchedulingConfig,
  TrainConfig,
} from "../foundation/records.generated.js";
import { hasConversations } from "../lengths/prepare-data.js";
import { allocatedBytes } from "../plan/memory-plan.js";
import type { Plan } from "../plan/plan.js";
import { addsWider, reductionOf } from "../plan/reduction.js";
import { RANGES } from "./versions.js";

/** What `train.py` states of the model. */
export function modelConfig({ model, memory, lighter }: Plan): ModelConfig {
  return {
    weights: model.weights,
    precision: model.precision,
    checkpointing: model.checkpointing,
    lighter_checkpointing: lighter.map(({ checkpointing, tokens }) => ({ checkpointing, tokens })),
    attention: model.attention,
    attention_workspace: memory.attention_workspace,
    kernels: model.kernels,
    compile_norms: model.compile_norms,
    loss_chunk: model.loss_chunk,
    mlp_tile: model.mlp_tile,
    source: model.source?.name ?? null,
    source_kind: model.source?.kind ?? null,
    revision: model.revision,
    lora: model.lora,
    stored_vocabulary: model.stored_vocabulary,
  };
}

/** How samples become tokens. */
export function dataConfig({ data }: Plan, root: string | null): DataConfig {
  return {
    root,
    tokenizer: data.tokenizer.kind === "bytes" ? "bytes" : "tokenizer",
    rendering: data.rendering,
    conversations: hasConversations(data.summary.masks),
    supervise: data.supervise,
    max_length: data.max_length,
    overlong: data.summary.overlong.policy,
  };
}

/** The optimisation. Clipping is DeepSpeed's, and in its own file. */
export function trainConfig(plan: Plan): TrainConfig {
  const { training, steps, evaluation, memory } = plan;
  const { clip: _, optimizer_states: __, ...rest } = training;
  return {
    total_steps: steps.total_steps,
    ...rest,
    reduction: reductionOf(plan).reduction,
    gradients: addsWider(plan) ? "fp32" : "model",
    evaluate_every: evaluation?.every ?? 0,
    predicted_peak_bytes: Math.ceil(allocatedBytes(memory)),
  };
}

/** The packages of a run: the versions that all take, and what only some need. */
export function requirements({ model, training, topology }: Plan) {
  return {
    ranges: RANGES,
    deepspeed: topology.deepspeed ?? null,
    peft: model.lora !== null,
    bitsandbytes: training.optimizer.type === "adamw8bit" || model.lora?.base === "nf4",
    tensorboard: training.tensorboard,
    wandb: training.wandb !== null,
  };
}

/** What `sampler.py` states. */
export function schedulingConfig({
  scheduling,
  search,
  steps,
  training,
  step,
  demand,
  data,
  lighter,
  forecast: { band: of },
}: Plan): SchedulingConfig {
  const { mode, strict } = search;
  const { fixed_us, target_us } = step;
  const forecast = {
    fixed_us,
    target_us,
    target_share: demand.target_share,
    lighter: lighter.map(({ tokens, cost }) => ({ tokens, ...cost })),
    band: { time: of.time, kind: of.kind, points: of.time_points },
  };
  const { global_batch } = steps;
  const mixture = data.mixture.map(({ samples, draws }) => [samples, draws] as const);
  const batches = { global_batch, seed: training.seed, mixture };
  return { ...scheduling, ...batches, mode, strict, forecast };
}

/** What `launch.sh` needs to know of the machines. */
export function launchValues({ topology, training }: Plan) {
  const { nodes, hosts } = topology;
  return {
    ranks: topology.ranks,
    nodes,
    last_node: nodes - 1,
    gpus: topology.gpus_per_node,
    cpu: topology.device === "cpu",
    launcher: topology.launcher,
    timeout: training.timeout_seconds,
    multi_node: nodes > 1,
    hosts: nodes > 1 ? hosts : [],
  };
}
