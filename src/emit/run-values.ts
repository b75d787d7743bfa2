import type { Plan } from "../plan/plan.js";

/** What `train.py` states of the run, as the runtime's configuration classes take it. */
export function runConfig({ model, training, steps }: Plan) {
  return {
    model: {
      weights: model.weights,
      source: model.source?.name ?? null,
      source_kind: model.source?.kind ?? null,
      revision: model.revision,
      precision: model.precision,
      checkpointing: model.checkpointing,
      attention: model.attention,
      loss_chunk: model.loss_chunk,
    },
    optimizer: training.optimizer,
    learning_rate: training.learning_rate,
    total_steps: steps.total_steps,
    training,
  };
}

/** Where the samples lie and how they become tokens. */
export function dataConfig({ data }: Plan, root: string | null) {
  const tokenizer = data.tokenizer.kind === "bytes" ? "bytes" : "tokenizer";
  return {
    root,
    tokenizer,
    supervise: data.supervise,
    max_length: data.max_length,
    overlong: data.summary.overlong.policy,
  };
}

/** What `launch.sh` needs to know of the machines. */
export function launchValues({ topology }: Plan) {
  const multiNode = topology.nodes > 1;
  const torchrun = topology.launcher === "torchrun";
  return {
    ranks: topology.ranks,
    nodes: topology.nodes,
    last_node: topology.nodes - 1,
    gpus: topology.gpus_per_node,
    cpu: topology.device === "cpu",
    torchrun,
    multi_node: multiNode,
    by_node_rank: multiNode && (torchrun || topology.hosts.length === 0),
  };
}
