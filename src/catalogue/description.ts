import { Ajv } from "ajv";
import { once } from "../foundation/once.js";
import type { ModelDescription } from "../foundation/records.generated.js";
import { DESCRIPTION_SCHEMA } from "./description-schema.generated.js";
import type { ModelDimensions } from "./dimensions.js";

/** Few specs need it. */
const validator = once(() =>
  new Ajv({ strict: false }).compile<ModelDescription>(DESCRIPTION_SCHEMA),
);

/** Dimensions that a model has told of itself (`skrull_runtime.describe`); `undefined` for what is no such description. */
export function dimensionsIn(json: unknown): ModelDimensions | undefined {
  if (!validator()(json)) return undefined;
  const { shape, model_type, max_positions, rope, router_loss, matrices } = json;
  return {
    shape,
    model_type,
    tied_embeddings: shape.tied_embeddings,
    max_positions: max_positions ?? undefined,
    rope_type: rope.find((kind) => kind !== "default") ?? "default",
    router_loss,
    yarn_original: undefined,
    matrices,
  };
}
