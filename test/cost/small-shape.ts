import type { TransformerShape } from "../../src/cost/shape.js";

/** Dimensions that differ from each other, so that none can stand in for another: queries are 18 wide, keys and values 6 each. */
export const SMALL: TransformerShape = {
  hidden_size: 10,
  layers: 5,
  heads: 6,
  kv_heads: 2,
  head_dim: 3,
  intermediate_size: 7,
  gated_mlp: true,
  experts: null,
  sliding_window: null,
  vocab_size: 11,
  parameters: 1001,
};

/** Four of the five layers, of which a token passes through two of six: 31 / 5 wide on average. */
export const SPARSE: TransformerShape = {
  ...SMALL,
  experts: { layers: 4, count: 6, active: 2, width: 3 },
};
