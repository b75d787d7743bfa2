import { adapterParameters } from "../cost/adapters.js";
import type { Plan } from "./plan.js";
import type { Setup } from "./setup.js";

export function modelPlan(setup: Setup): Plan["model"] {
  const { model } = setup.spec;
  const folder = model.path !== undefined;
  const source = {
    kind: folder ? "folder" : "hub",
    name: model.path ?? model.label ?? "",
  } as const;
  return {
    name: setup.inputs.modelName,
    weights: model.weights,
    source: model.weights === "random" ? null : source,
    revision: model.revision ?? null,
    precision: model.precision,
    checkpointing: model.checkpointing,
    attention: model.attention,
    kernels: model.kernels,
    compile_norms: model.compile_norms,
    lora: loraPlan(setup),
    loss_chunk: setup.lossChunk,
    rope_type: setup.inputs.dimensions.rope_type,
    max_positions: setup.inputs.dimensions.max_positions ?? null,
    shape: setup.shape,
  };
}

function loraPlan(setup: Setup): Plan["model"]["lora"] {
  const { rank, alpha, dropout, targets } = setup.spec.lora;
  const shape = setup.lora;
  if (!shape) return null;
  const parameters = adapterParameters(setup.shape, shape);
  return { rank, alpha: alpha ?? 2 * rank, dropout, targets, parameters };
}
