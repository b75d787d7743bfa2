import type { LoraShape } from "./adapters.js";
import { keyValueWidth, mlpMatrices, queryWidth, type TransformerShape } from "./shape.js";

/**
 * FLOPs in which Muon orthogonalises the updates of all matrices of layers, once a step: five iterations of DeepSpeed's
 * `zeropower_via_gram_newtonschulz`.
 */
export function orthogonalisationFlops(shape: TransformerShape, lora: LoraShape | null): number {
  if (lora) return shape.layers * ofAdapters(lora);
  const { hidden_size: hidden, layers, experts, intermediate_size: width } = shape;
  const keyValue = keyValueWidth(shape) / 2;
  const attention = 2 * ofMatrix(hidden, queryWidth(shape)) + 2 * ofMatrix(hidden, keyValue);
  const dense = mlpMatrices(shape) * ofMatrix(hidden, width);
  const sparse = experts ? experts.count * mlpMatrices(shape) * ofMatrix(hidden, experts.width) : 0;
  const sparseLayers = experts?.layers ?? 0;
  return layers * attention + (layers - sparseLayers) * dense + sparseLayers * sparse;
}

/** Four products of the whole matrix and 14 of its Gram matrix, or 15 of a square one. */
function ofMatrix(height: number, width: number): number {
  const [narrow, wide] = height < width ? [height, width] : [width, height];
  if (narrow === wide) return 30 * narrow ** 3;
  return 8 * narrow ** 2 * wide + 28 * narrow ** 3;
}

/** Of a layer: each matrix has two factors, which `widths` are the lengths of, all added up. */
const ofAdapters = ({ rank, widths, matrices }: LoraShape): number =>
  8 * rank ** 2 * widths + 28 * rank ** 3 * 2 * (matrices.attention + matrices.mlp);
