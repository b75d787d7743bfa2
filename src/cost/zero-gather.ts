import { largestLayer } from "./layer-parameters.js";
import type { TransformerShape } from "./shape.js";

/** What ZeRO 3 gathers of the weights at a time, in parameters. */
export interface GatherSettings {
  /** Gathered ahead, whenever a module's own weights are gathered. */
  readonly prefetch: number;
  /** Beyond so many that are gathered, none are gathered ahead. */
  readonly max_live: number;
  /** Weights that are used again within so many are not given up in between. */
  readonly max_reuse: number;
  /** Smaller parameters are whole on every rank all the time. */
  readonly persistent: number;
}

/** Layers of more parameters, of very many experts, are gathered ahead in part. */
const MOST_PREFETCHED = 1_000_000_000;

/**
 * Two layers: while one is at work, the next is gathered. A layer that is recomputed is used again within two layers, its
 * own forward and backward, so that it is gathered once for both (`__params_to_release` of DeepSpeed's
 * `PartitionedParameterCoordinator`). Norms and biases are kept whole: ten times the hidden size is transformers' bound.
 */
export function gatherSettings(shape: TransformerShape): GatherSettings {
  const layer = Math.min(largestLayer(shape), shape.parameters);
  return {
    prefetch: Math.min(layer, MOST_PREFETCHED),
    max_live: 2 * layer,
    max_reuse: 2 * layer,
    persistent: 10 * shape.hidden_size,
  };
}

/** Parameters that are gathered while a layer is at work: its own, and the next layer's or the previous one's. */
export const gatheredInLayers = (shape: TransformerShape): number =>
  Math.min(2, shape.layers) * largestLayer(shape);

/**
 * Parameters that are gathered while the output head is at work: its own, and where the limit leaves room beside them a
 * layer, which is the next to run (`_fetch_sub_module_impl` of DeepSpeed's `PartitionedParameterCoordinator`).
 */
export function gatheredAtEnds(shape: TransformerShape): number {
  const head = shape.vocab_size * shape.hidden_size;
  const { max_live, prefetch } = gatherSettings(shape);
  return Math.min(shape.parameters, head + (head < max_live ? prefetch : 0));
}
