import { type Checkpointing, keyValueWidth, queryWidth, type TransformerShape } from "./shape.js";

/** FLOPs of a sequence of S tokens: `perToken * S + perTokenSquared * S^2`. */
export interface Work {
  readonly perToken: number;
  readonly perTokenSquared: number;
}

/**
 * FLOPs of forward, backward and recomputation over the whole model, from its exact dimensions. A matrix
 * product counts 2 FLOPs a multiply-add; causal attention is half of the full square; backward is twice the
 * forward; the output head runs on tokens with a target only and is recomputed once, because its loss is computed
 * in chunks.
 * The paper's generic layer (arXiv:2505.19609 Eq. 13) ignores head counts, MLP width and vocabulary.
 *
 * @param targetShare share of tokens that are targets of the loss
 */
export function trainingWork(
  shape: TransformerShape,
  checkpointing: Checkpointing,
  targetShare = 1,
): Work {
  const { hidden_size: hidden, layers } = shape;
  const projections = 2 * hidden * (2 * queryWidth(shape) + keyValueWidth(shape));
  const mlp = 6 * hidden * shape.intermediate_size;
  const head = 2 * hidden * shape.vocab_size * targetShare;
  const attention = 2 * queryWidth(shape);
  const forwards = checkpointing === "full" ? 4 : 3;
  const mlpForwards = checkpointing === "none" ? 3 : 4;
  return {
    perToken: layers * (forwards * projections + mlpForwards * mlp) + 4 * head,
    perTokenSquared: layers * forwards * attention,
  };
}
