import { integer, number, path, upTo } from "../kinds.js";
import type { Block } from "../types.js";

export const evaluate = {
  doc: "Evaluation on held-out data, with the same scheduler.",
  since: 1,
  properties: {
    data: {
      type: { kind: "list", item: path },
      doc: "Files, folders or glob patterns, in the spec's folder or below it; read like the training data. Without any, and without `share`, nothing is evaluated.",
      since: 1,
      default: [] as readonly string[],
    },
    share: {
      type: number({ min: 0, max: 0.5 }),
      doc: "Share of the training samples to hold out instead; their order does not affect which ones, and equal samples stay together.",
      since: 1,
      default: 0,
    },
    every: {
      type: integer(upTo(1e9)),
      doc: "Steps between evaluations; 0 evaluates only at the end.",
      since: 1,
      default: 0,
    },
  },
} as const satisfies Block;
