import type { Spec } from "../language/language.js";
import type { LoraPlan, Plan } from "./plan.js";
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
    checkpointing: setup.checkpointing,
    attention: model.attention,
    kernels: model.kernels,
    compile_norms: model.compile_norms,
    lora: loraPlan(setup),
    stored_vocabulary: setup.inputs.dimensions.resized?.stored ?? null,
    loss_chunk: setup.lossChunk,
    mlp_tile: setup.mlpTile,
    rope_type: setup.inputs.dimensions.rope_type,
    max_positions: setup.inputs.dimensions.max_positions ?? null,
    shape: setup.shape,
  };
}

function loraPlan(setup: Setup): Plan["model"]["lora"] {
  const {
    rank,
    alpha,
    dropout,
    targets,
    rslora,
    dora,
    modules_to_save,
    adapter,
    merge,
    base,
    double_quantisation,
  } = setup.spec.lora;
  const { resized } = setup.inputs.dimensions;
  if (!setup.lora) return null;
  return {
    rank,
    alpha: alpha ?? 2 * (rslora ? Math.sqrt(rank) : rank),
    dropout,
    targets,
    ...(rslora && { rslora }),
    ...(dora && { dora }),
    ...(base !== "model" && { base, double_quantisation }),
    ...(merge && { merge }),
    ...startOf(adapter),
    ...(modules_to_save.length > 0 && { modules_to_save }),
    ...(setup.lora.ends.rows &&
      resized && { token_rows: [resized.stored, resized.tokens] as const }),
    parameters: setup.lora.parameters,
  };
}

/** Where the adapters come from that a run starts from, if any. */
function startOf(adapter: Spec["lora"]["adapter"]): Pick<LoraPlan, "start"> {
  switch (adapter.type) {
    case "none":
      return {};
    case "folder":
      return { start: { kind: "folder", name: adapter.path } };
    case "hub": {
      const { name, revision } = adapter;
      return { start: { kind: "hub", name, ...(revision !== undefined && { revision }) } };
    }
  }
}
