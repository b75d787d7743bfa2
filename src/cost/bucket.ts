import { type MemoryModel, totalBytes } from "./memory.js";

/** BucketSize C: tokens that a rank can hold in one micro-batch, after model states (arXiv:2505.19609 section 3). */
export interface Bucket {
  /** Tokens; 0 or less where the fixed part alone does not fit. */
  readonly tokens: number;
  /** Bytes left for tokens; negative where the fixed part alone does not fit. */
  readonly room: number;
}

/**
 * Largest C that the budget allows. One token is left for the dummy of a rank without sequences.
 *
 * @param budgetBytes bytes of a rank, reserve already taken off
 */
export function bucketFor(model: MemoryModel, budgetBytes: number): Bucket {
  const room = budgetBytes - totalBytes(model.fixed);
  return { room, tokens: Math.max(0, Math.floor(room / totalBytes(model.perToken)) - 1) };
}

/** Bytes of a rank whose micro-batch holds `tokens`. */
export function peakBytes(model: MemoryModel, tokens: number): number {
  return totalBytes(model.fixed) + tokens * totalBytes(model.perToken);
}
