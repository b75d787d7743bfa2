import { stackedGradientWork } from "./adapted-weights.js";
import type { LoraShape } from "./adapters.js";
import { attentionParameters } from "./layer-parameters.js";
import {
  activeMlpWidth,
  type Checkpointing,
  mlpMatrices,
  pairWidth,
  recomputesAttention,
  recomputesLayers,
  type TransformerShape,
} from "./shape.js";
import { CAUSAL, windowPairs } from "./window.js";

/** FLOPs of a sequence of S tokens: `perToken * S + perTokenSquared * S^2`. */
export interface Work {
  /** Matrix products of projections, MLPs and output head. */
  readonly perToken: number;
  /** Of `perToken`, the output head and its loss at the data's share of targets. */
  readonly headPerToken: number;
  /** Attention, of a window its part that grows with the length alone: at the speed of attention. */
  readonly attentionPerToken: number;
  readonly perTokenSquared: number;
}

export interface WorkSetting {
  readonly shape: TransformerShape;
  readonly checkpointing: Checkpointing;
  /** Share of tokens that are targets of the loss. */
  readonly targetShare: number;
  /** `null` where every matrix is trained. */
  readonly lora: LoraShape | null;
  /** The data's lengths in tokens; a sliding window's work depends on them. */
  readonly lengths: readonly number[];
}

/**
 * FLOPs of forward, backward and recomputation over the whole model, from its exact dimensions. A matrix
 * product counts 2 FLOPs a multiply-add; causal attention is half of the full square; the backward is twice the
 * forward, once where a matrix is frozen and has no gradient of its own; the output head runs on tokens with a target
 * only, and is never recomputed: its gradients are made with its loss, chunk by chunk.
 */
export function trainingWork(setting: WorkSetting): Work {
  const { shape, checkpointing, targetShare, lora } = setting;
  const { hidden_size: hidden, layers, experts } = shape;
  const projections = 2 * attentionParameters(shape);
  const mlp = 2 * mlpMatrices(shape) * hidden * activeMlpWidth(shape);
  const router = experts ? (2 * hidden * experts.count * experts.layers) / layers : 0;
  const head = 2 * hidden * shape.vocab_size * targetShare;
  const adapters = lora ? 2 * lora.rank * lora.widths : 0;
  const recomputed = recomputesLayers(checkpointing) ? 1 : 0;
  const mlpRecomputed = checkpointing === "none" ? 0 : 1;
  const passes = lora ? 2 : 3;
  const headPasses = lora?.ends.head === false ? 2 : 3;
  const layer =
    (passes + recomputed) * projections +
    (passes + mlpRecomputed) * (mlp + router) +
    (3 + recomputed) * adapters;
  const pairs = attentionPairs(setting);
  const perPair = 2 * pairWidth(shape) * (3 + (recomputesAttention(checkpointing) ? 1 : 0));
  return {
    perToken: layers * layer + stackedGradientWork(shape, lora) + headPasses * head,
    headPerToken: headPasses * head,
    attentionPerToken: perPair * pairs.perToken,
    perTokenSquared: perPair * pairs.perTokenSquared,
  };
}

/** FLOPs that a model needs whatever is recomputed: what MFU counts. */
export function modelFlops(setting: WorkSetting): {
  readonly per_token: number;
  readonly per_token_squared: number;
} {
  const work = trainingWork({ ...setting, checkpointing: "none" });
  return {
    per_token: work.perToken + work.attentionPerToken,
    per_token_squared: work.perTokenSquared,
  };
}

/** Pairs of query and key over all layers. */
function attentionPairs({ shape, lengths }: WorkSetting) {
  const { sliding_window: window } = shape;
  const narrow = window?.layers ?? 0;
  const layers = shape.layers - (shape.mixer_layers ?? 0);
  const inWindow = window ? windowPairs(window.tokens, lengths) : CAUSAL;
  return {
    perToken: narrow * inWindow.perToken,
    perTokenSquared: narrow * inWindow.perTokenSquared + (layers - narrow) * CAUSAL.perTokenSquared,
  };
}

/**
 * The paper's generic layer, three times its forward: `(20 h^2 + 4 h h_kv) S + 4 h S^2` a layer
 * (arXiv:2505.19609 Eq. 13). It knows nothing of head counts, MLP width, vocabulary, the causal half or recomputation.
 */
export function paperWork(shape: TransformerShape): Work {
  const { hidden_size: hidden, layers, kv_heads, head_dim } = shape;
  const linear = 20 * hidden * hidden + 4 * hidden * kv_heads * head_dim;
  return {
    perToken: 3 * layers * linear,
    headPerToken: 0,
    attentionPerToken: 0,
    perTokenSquared: 3 * layers * 4 * hidden,
  };
}
