import { DECAYED_WORDS } from "../../foundation/vocabularies.generated.js";
import { aboveZero, number, oneOf, upTo } from "../kinds.js";
import type { Properties } from "../types.js";

export const adamw = {
  lr: {
    type: number({ ...aboveZero, max: 10 }),
    doc: "Learning rate at its peak.",
    since: 1,
    required: "There is no learning rate that suits every model.",
  },
  betas: {
    type: { kind: "list", item: number({ min: 0, max: 1 }), length: 2 },
    doc: "Decay of the running averages of gradient and squared gradient.",
    since: 1,
    default: [0.9, 0.999],
  },
  eps: {
    type: number({ ...aboveZero, max: 1 }),
    doc: "Added to the denominator.",
    since: 1,
    default: 1e-8,
  },
  weight_decay: { type: number(upTo(1)), doc: "Decoupled weight decay.", since: 1, default: 0 },
  decayed: {
    type: oneOf(...DECAYED_WORDS),
    doc: "What weight decay applies to: `matrices` leaves norms, biases and every other one-dimensional parameter alone, as transformers' Trainer does; `all` decays them too.",
    since: 1,
    default: "matrices",
  },
} as const satisfies Properties;

export const sgd = {
  lr: adamw.lr,
  momentum: { type: number(upTo(1)), doc: "Momentum.", since: 1, default: 0 },
  weight_decay: {
    ...adamw.weight_decay,
    doc: "Weight decay, added to the gradient.",
  },
  decayed: adamw.decayed,
} as const satisfies Properties;
