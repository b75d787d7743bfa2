import { ADAPTABLE } from "../../cost/adapters.js";
import { aboveZero, integer, number, oneOf, path, upTo } from "../kinds.js";
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
      doc: "Adapters are scaled by alpha / rank; with `rslora`, by alpha / the root of the rank.",
      since: 1,
      optional: "twice the rank; with `rslora`, twice its root",
    },
    dropout: {
      type: number(upTo(0.9)),
      doc: "Dropout before the adapters, drawn by every rank for its own tokens.",
      since: 1,
      default: 0,
    },
    targets: {
      type: { kind: "list", item: oneOf(...ADAPTABLE), nonEmpty: true },
      doc: "Matrices of every layer that get an adapter: by what they are for (`attention`, which is what a layer mixes tokens with; `mlp`, experts that every token passes through among them; `all-linear`, both; `experts`), whatever a family calls them, or by name. Routers have none. Experts whose weights are one tensor have adapters only by `experts`, which peft adds to the weights in every forward: a layer's experts exist twice then. In a model of such experts, peft takes the names of other MLPs (`gate_proj`, ...) for parts of these, so that dense layers and shared experts have no adapters, by `mlp` and `all-linear` neither.",
      since: 1,
      default: ["q_proj", "k_proj", "v_proj", "o_proj"],
    },
    adapter: {
      type: {
        kind: "tagged",
        variants: {
          none: {},
          folder: {
            path: {
              type: path,
              doc: "Below the spec's folder: what a run has exported, or peft has saved.",
              since: 1,
              required: "It says where the adapters are.",
            },
          },
          hub: {
            name: {
              type: { kind: "string" },
              doc: "Such as `OWNER/NAME`.",
              since: 1,
              required: "It says where the adapters are.",
            },
            revision: {
              type: { kind: "string" },
              doc: "A branch, tag or commit.",
              since: 1,
              optional: "the newest",
            },
          },
        },
      },
      doc: "Trained adapters to start from. They must be of the same base model, rank, scale and targets: what differs is said before anything is trained.",
      since: 1,
      default: { type: "none" },
    },
    base: {
      type: oneOf("model", "nf4"),
      doc: "Number format of the frozen matrices of layers: the model's, or NF4, four bits with a scale for every 64 weights (QLoRA, arXiv:2305.14314; package `bitsandbytes`). They are computed with in the model's precision, one matrix at a time; embedding, head, norms and routers keep it. Under ZeRO 3, and of experts whose weights are one tensor, it is refused.",
      since: 1,
      default: "model",
    },
    double_quantisation: {
      type: { kind: "boolean" },
      doc: "With `base = nf4`, keep the scales in eight bits too: a weight takes 4.13 bits instead of 4.5.",
      since: 1,
      default: true,
    },
    merge: {
      type: { kind: "boolean" },
      doc: "Export the whole model with the adapters merged into its weights, which transformers loads without peft, instead of the adapters alone.",
      since: 1,
      default: false,
    },
    modules_to_save: {
      type: { kind: "list", item: oneOf("embedding", "head") },
      doc: "Ends of the model that are trained whole beside the adapters, and saved with them. Where the model ties both, they are trained as one.",
      since: 1,
      default: [],
    },
    rslora: {
      type: { kind: "boolean" },
      doc: "Rank-stabilised: adapters are scaled by alpha / the root of the rank (arXiv:2312.03732), so that larger ranks do not learn more slowly.",
      since: 1,
      default: false,
    },
    dora: {
      type: { kind: "boolean" },
      doc: "DoRA (arXiv:2402.09353): also train a magnitude for every output of an adapted matrix. peft makes the whole update of every matrix in each forward, which takes time and memory; the plan counts both.",
      since: 1,
      default: false,
    },
  },
} as const satisfies Block;
