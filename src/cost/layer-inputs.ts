import { BYTES_PER_ELEMENT, type Precision, type TransformerShape } from "./shape.js";

/**
 * Bytes of a token's layer inputs, of all layers: what full checkpointing keeps of it, on the device or, under
 * `checkpointing = offload`, in the host's memory. A node keeps so many of every token of its ranks' micro-batches.
 */
export const layerInputBytes = (shape: TransformerShape, precision: Precision): number =>
  shape.layers * shape.hidden_size * BYTES_PER_ELEMENT[precision];
