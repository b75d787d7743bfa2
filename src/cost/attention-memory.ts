import { layerBytes } from "./activations.js";
import type { MemoryRow } from "./memory-model.js";
import type { MemorySetting } from "./memory-setting.js";
import { BYTES_PER_ELEMENT, keyValueWidth, queryWidth, recomputesLayers } from "./shape.js";

const FP32 = 4;

/** Bytes for which heads of sharded sequences are attended to at a time, at most. */
export const MOST_WORKSPACE = 4 * 2 ** 30;

/** The most multiprocessors of a GPU in the catalogue: a B200's. */
const MULTIPROCESSORS = 148;

/** A layer's keys and values of a token that is shared by a whole group; none where no sequence is shared. */
export const gatheredBytes = ({ shape, precision, largestGroup }: MemorySetting): number =>
  largestGroup > 1 ? largestGroup * keyValueWidth(shape) * BYTES_PER_ELEMENT[precision] : 0;

/** The backward of attention, and what a sequence that is shared gathers for it. */
export function attentionRows(setting: MemorySetting): MemoryRow[] {
  const { checkpointing, activationFactor: factor } = setting;
  const own = factor * atWork(setting) + workspaceBytes(setting) + filledBytes(setting);
  const rows: MemoryRow[] = [
    { id: "attention-at-work", name: "attention at work", bytes: own, phase: "attention" },
  ];
  if (setting.largestGroup > 1) {
    // Where layers run again, keys and values are gathered again too.
    if (!recomputesLayers(checkpointing)) rows.push(keptRow(setting));
    rows.push(...slicedRows(setting));
  }
  return [...rows, ...orderedSumRows(setting)];
}

/**
 * Of layers that see everything: a half of what the rank's own shard takes is kept besides, as its own part of the
 * exchange. Those of a window gather no more than that, and the window ({@link windowRows}).
 */
function keptRow(setting: MemorySetting): MemoryRow {
  const { shape, precision } = setting;
  const own = keyValueWidth(shape) * BYTES_PER_ELEMENT[precision];
  const narrow = shape.sliding_window?.layers ?? 0;
  const wide = shape.layers - narrow;
  const bytes = wide * (gatheredBytes(setting) + own / 2) + narrow * own;
  return { id: "gathered", name: "gathered keys and values", bytes };
}

/** Keys and values of a window that layers gather from before their own shard, whatever the bucket. */
export function windowRows(setting: MemorySetting): MemoryRow[] {
  const { shape, precision, checkpointing, largestGroup } = setting;
  const { sliding_window: window } = shape;
  if (!window || largestGroup === 1 || recomputesLayers(checkpointing)) return [];
  const own = keyValueWidth(shape) * BYTES_PER_ELEMENT[precision];
  // A rank has two chunks of a sequence, each with a window before it.
  const bytes = window.layers * 2 * window.tokens * own;
  return [{ id: "gathered", name: "keys and values of windows", bytes }];
}

/**
 * Heads of a sharded sequence are attended to in slices that fit a workspace, of one key-value head at least: keys and
 * values as gathered, in order and as gradients, and gradients for every query head (slicing.py).
 */
function slicedRows(setting: MemorySetting): MemoryRow[] {
  const { shape, precision, largestGroup } = setting;
  const allNarrow = shape.sliding_window?.layers === shape.layers;
  const ofHead =
    (allNarrow ? 1 : largestGroup) *
    shape.head_dim *
    BYTES_PER_ELEMENT[precision] *
    (6 + (2 * shape.heads) / shape.kv_heads);
  const sliced = (2 * gatheredBytes(setting)) / (allNarrow ? largestGroup : 1);
  const name = "keys and values at work";
  return sliced > ofHead
    ? [{ id: "gathered", name, bytes: sliced, phase: "attention", most: MOST_WORKSPACE }]
    : [{ id: "gathered", name, bytes: ofHead, phase: "attention" }];
}

/** Beyond what is kept: what runs again, gradients of queries, keys, values and the output, less what is used up. */
function atWork(setting: MemorySetting): number {
  const { shape, precision, checkpointing } = setting;
  const bytes = BYTES_PER_ELEMENT[precision];
  const layer = layerBytes(setting);
  const gradients = bytes * (2 * queryWidth(shape) + keyValueWidth(shape) + shape.hidden_size);
  const again = {
    none: -layer.mlp - layer.postNorm,
    selective: -layer.postNorm,
    attention: layer.inputNorm + layer.attention - layer.made,
    full: layer.inputNorm + layer.attention,
    offload: layer.inputNorm + layer.attention,
  }[checkpointing];
  return gradients + again;
}

/**
 * Of the kernel's backward for a local token: the gradient of queries in fp32 and a sum for every head; then gradients of keys
 * and values for every query head (FlashAttention-2's `mha_varlen_bwd`, PyTorch's varlen_attn alike), or in fp32 for
 * their own heads (FlashAttention-3), where query heads share keys.
 */
function workspaceBytes({ shape, precision, kernel }: MemorySetting): number {
  if (kernel === "none") return 0;
  const { heads, kv_heads } = shape;
  const query = queryWidth(shape);
  const sums = (kernel === "flash3" ? 2 : 1) * FP32 * heads;
  const own = FP32 * query + sums;
  if (heads === kv_heads) return own;
  const grouped =
    kernel === "flash3" ? FP32 * keyValueWidth(shape) : 2 * BYTES_PER_ELEMENT[precision] * query;
  return own + grouped;
}

/** The widths of latent attention, which FlashAttention-3 takes as they are (`LATENT` of the runtime's flash3.py). */
const LATENT = { key: 192, value: 128 };

/**
 * Heads of values that are filled up to the width of keys, and the results that are: values, their gradient, the output and
 * its gradient (widths.py).
 */
function filledBytes({ shape, precision, kernel }: MemorySetting): number {
  const { heads, kv_heads, head_dim, value_dim = head_dim } = shape;
  const taken =
    kernel === "flash3" && head_dim <= LATENT.key && head_dim > 128 && value_dim <= LATENT.value;
  if (kernel === "none" || taken || value_dim >= head_dim) return 0;
  return 2 * (heads + kv_heads) * head_dim * BYTES_PER_ELEMENT[precision];
}

/**
 * FlashAttention-2 takes ceil(multiprocessors / (sequences x heads)) copies of the fp32 gradient of queries, of all heads
 * of a call (`mha_varlen_bwd` of flash_api.cpp): most for one sequence and few heads.
 */
function orderedSumRows({ shape, orderedSums }: MemorySetting): MemoryRow[] {
  if (!orderedSums) return [];
  const copies = MULTIPROCESSORS + shape.heads;
  const bytes = (copies * FP32 * queryWidth(shape)) / shape.heads;
  return [{ id: "ordered-sums", name: "attention's sums in order", bytes, phase: "attention" }];
}
