import type { Block } from "../types.js";

export const log = {
  doc: "Where figures go besides `metrics.jsonl`.",
  since: 1,
  properties: {
    tensorboard: {
      type: { kind: "boolean" },
      doc: "TensorBoard's event files, in the output folder.",
      since: 1,
      default: false,
    },
    wandb: {
      type: { kind: "string" },
      doc: "A project of Weights & Biases; the package must be installed where the run is.",
      since: 1,
      optional: "none",
    },
  },
} as const satisfies Block;
