import { ADAPTABLE } from "../../cost/adapters.js";
import { aboveZero, integer, number, oneOf, upTo } from "../kinds.js";
import type { Block } from "../types.js";

export const lora = {
  doc: "Low-rank adapters (peft), trained instead of the model's own weights.",
  since: 1,
  properties: {
    rank: {
      type: integer(upTo(8192)),
      doc: "Rank of the adapters; 0 trains the whole model.",
      since: 1,
      default: 0,
    },
    alpha: {
      type: number({ ...aboveZero, max: 1e6 }),
      doc: "Adapters are scaled by alpha / rank.",
      since: 1,
      optional: "twice the rank",
    },
    dropout: {
      type: number(upTo(0.9)),
      doc: "Dropout before the adapters, drawn by every rank for its own tokens.",
      since: 1,
      default: 0,
    },
    targets: {
      type: { kind: "list", item: oneOf(...ADAPTABLE), nonEmpty: true },
      doc: "Matrices of every layer that get an adapter. A mixture of experts can have them only in its attention.",
      since: 1,
      default: ["q_proj", "k_proj", "v_proj", "o_proj"],
    },
  },
} as const satisfies Block;
