import { REDUCTION_WORDS } from "../../foundation/vocabularies.generated.js";
import { integer, oneOf, upTo } from "../kinds.js";
import type { Block } from "../types.js";

export const parallel = {
  doc: "How the ranks share the work. The data-parallel degree is ranks / `context`.",
  since: 1,
  properties: {
    context: {
      type: { ...integer(upTo(65536, 1)), word: "auto" },
      doc: "Context-parallel (CP) degree: ranks that share a long sequence. `auto` takes, of the degrees at which everything fits, the one with the highest predicted tokens per second; of several within 2% of that, the smallest of those that lose least if figures of the machine are off.",
      since: 1,
      default: 1,
    },
    zero: { type: integer(upTo(3)), doc: "ZeRO stage.", since: 1, default: 2 },
    reduction: {
      type: oneOf("auto", ...REDUCTION_WORDS),
      doc: "When ZeRO 2 reduces gradients: in every backward pass, or `once` per step, which needs whole gradients on every rank and saves the ranks from waiting for each other at every micro-batch. `auto` takes the fastest that fits.",
      since: 1,
      default: "auto",
    },
  },
} as const satisfies Block;
