import { keyValueWidth, mlpMatrices, queryWidth, type TransformerShape } from "./shape.js";

/** Weights of a layer's attention, without norms and biases. */
export const attentionParameters = (shape: TransformerShape): number =>
  shape.attention_parameters ?? shape.hidden_size * (2 * queryWidth(shape) + keyValueWidth(shape));

/** Weights of a dense layer's MLP. */
export const mlpParameters = (shape: TransformerShape): number =>
  shape.hidden_size * mlpMatrices(shape) * shape.intermediate_size;

/** Weights of all experts of a layer, and of their router; 0 in a dense model. */
export function expertParameters(shape: TransformerShape): number {
  const { experts, hidden_size: hidden } = shape;
  if (!experts) return 0;
  const shared = hidden * mlpMatrices(shape) * (experts.shared ?? 0);
  return experts.count * hidden * (mlpMatrices(shape) * experts.width + 1) + shared;
}

/** Weights of all layers. */
export function layersParameters(shape: TransformerShape): number {
  const sparse = shape.experts?.layers ?? 0;
  return (
    shape.layers * attentionParameters(shape) +
    (shape.layers - sparse) * mlpParameters(shape) +
    sparse * expertParameters(shape)
  );
}

/** Weights of the largest layer. */
export function largestLayer(shape: TransformerShape): number {
  const sparse = shape.experts?.layers ?? 0;
  const dense = sparse < shape.layers ? mlpParameters(shape) : 0;
  return attentionParameters(shape) + Math.max(dense, expertParameters(shape));
}
