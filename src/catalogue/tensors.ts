import type { TransformerShape } from "../cost/shape.js";
import { type ModelDimensions, readLayout, type TensorLayout } from "./dimensions.js";

/** Shapes of a model's parameters by the names that transformers gives them; tied ones by both names. */
export type TensorShapes = ReadonlyMap<string, readonly number[]>;

/** More layers than any model's: they are not worth listing. */
const MOST_LAYERS = 4096;

export const EMBEDDINGS = "model.embed_tokens.weight";
export const HEAD = "lm_head.weight";

/** What a configuration asks for; `undefined` where it has absurdly many layers. */
export function tensorShapes(
  config: unknown,
  { shape }: ModelDimensions,
): TensorShapes | undefined {
  const layout = readLayout(config);
  if (!layout || shape.layers > MOST_LAYERS) return undefined;
  const found = new Map<string, readonly number[]>();
  const { hidden_size: hidden, vocab_size: vocabulary } = shape;
  found.set(EMBEDDINGS, [vocabulary, hidden]);
  for (let layer = 0; layer < shape.layers; layer += 1) addLayer(found, layer, shape, layout);
  addNorm(found, "model.norm", hidden, layout.norm_bias);
  found.set(HEAD, [vocabulary, hidden]);
  return found;
}

type Shapes = Map<string, readonly number[]>;

function addLayer(found: Shapes, layer: number, shape: TransformerShape, layout: TensorLayout) {
  const { hidden_size: hidden, head_dim: head, heads, kv_heads } = shape;
  const prefix = `model.layers.${layer}`;
  const attention = `${prefix}.self_attn`;
  addLinear(found, `${attention}.q_proj`, heads * head, hidden, layout.input_bias);
  addLinear(found, `${attention}.k_proj`, kv_heads * head, hidden, layout.input_bias);
  addLinear(found, `${attention}.v_proj`, kv_heads * head, hidden, layout.input_bias);
  addLinear(found, `${attention}.o_proj`, hidden, heads * head, layout.output_bias);
  if (layout.query_key_norm) {
    found.set(`${attention}.q_norm.weight`, [head]);
    found.set(`${attention}.k_norm.weight`, [head]);
  }
  if (layout.isSparse(layer)) addExperts(found, `${prefix}.mlp`, shape);
  else addMlp(found, `${prefix}.mlp`, shape, layout.mlp_bias);
  addNorm(found, `${prefix}.input_layernorm`, hidden, layout.norm_bias);
  addNorm(found, `${prefix}.post_attention_layernorm`, hidden, layout.norm_bias);
}

function addMlp(found: Shapes, prefix: string, shape: TransformerShape, bias: boolean) {
  const { hidden_size: hidden, intermediate_size: width } = shape;
  const [inwards, outwards] = shape.gated_mlp
    ? [["gate_proj", "up_proj"], "down_proj"]
    : [["c_fc"], "c_proj"];
  for (const name of inwards) addLinear(found, `${prefix}.${name}`, width, hidden, bias);
  addLinear(found, `${prefix}.${outwards}`, hidden, width, bias);
}

/** Gate and up of all experts are one parameter, however they are stored. */
function addExperts(found: Shapes, prefix: string, { hidden_size, experts }: TransformerShape) {
  if (!experts) return;
  found.set(`${prefix}.gate.weight`, [experts.count, hidden_size]);
  found.set(`${prefix}.experts.gate_up_proj`, [experts.count, 2 * experts.width, hidden_size]);
  found.set(`${prefix}.experts.down_proj`, [experts.count, hidden_size, experts.width]);
}

function addLinear(found: Shapes, name: string, rows: number, columns: number, bias: boolean) {
  found.set(`${name}.weight`, [rows, columns]);
  if (bias) found.set(`${name}.bias`, [rows]);
}

function addNorm(found: Shapes, name: string, size: number, bias: boolean) {
  found.set(`${name}.weight`, [size]);
  if (bias) found.set(`${name}.bias`, [size]);
}
