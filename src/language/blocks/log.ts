import type { Block } from "../types.js";

export const log = {
  doc: "Where metrics go besides `metrics.jsonl`.",
  since: 1,
  properties: {
    tensorboard: {
      type: { kind: "boolean" },
      doc: "Write TensorBoard event files to the output folder.",
      since: 1,
      default: false,
    },
    wandb: {
      type: { kind: "string" },
      doc: "A Weights & Biases project; the package must be installed where the run trains.",
      since: 1,
      optional: "none",
    },
  },
} as const satisfies Block;
