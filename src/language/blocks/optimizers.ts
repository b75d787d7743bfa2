import { DECAYED_WORDS } from "../../foundation/vocabularies.generated.js";
import { aboveZero, number, oneOf, upTo } from "../kinds.js";
import type { Properties } from "../types.js";

const adam = {
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

export const adamw = {
  ...adam,
  states: {
    type: oneOf("fp32", "bf16"),
    doc: "Precision of the moments and of the optimizer's own copy of the weights: `bf16` takes 6 bytes per parameter in place of 12. An update below 1/512 of a weight is then rounded away, so small learning rates train nothing. For a model in bf16 under ZeRO 1 to 3, not offloaded.",
    since: 1,
    default: "fp32",
  },
} as const satisfies Properties;

/** AdamW's settings, without a choice of precision. */
export const adamw8bit = adam;

export const muon = {
  lr: {
    ...adamw.lr,
    doc: "Learning rate of Muon at its peak, in units of the spectral norm: a matrix of more rows than columns moves by `sqrt(rows / columns)` of it.",
  },
  adam_lr: {
    type: number({ ...aboveZero, max: 10 }),
    doc: "Learning rate of AdamW at its peak: of the embedding, the output head, norms and biases. It follows the same schedule as `lr`.",
    since: 1,
    default: 3e-4,
  },
  momentum: {
    type: number(upTo(1)),
    doc: "Decay of Muon's running average of gradients, with Nesterov's look-ahead.",
    since: 1,
    default: 0.95,
  },
  betas: { ...adamw.betas, doc: "Decay of AdamW's running averages.", default: [0.9, 0.95] },
  eps: { ...adamw.eps, doc: "Added to AdamW's denominator.", default: 1e-10 },
  weight_decay: adamw.weight_decay,
  decayed: adamw.decayed,
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
