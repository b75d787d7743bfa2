import { type MemoryModel, peakBytes } from "./memory-model.js";

/** BucketSize C: tokens that a rank can hold in one micro-batch, after model states (arXiv:2505.19609 section 3). */
export interface Bucket {
  /** Tokens; 0 where the fixed part alone does not fit. */
  readonly tokens: number;
  /** Bytes left for tokens; negative where the fixed part alone does not fit. */
  readonly room: number;
}

/** More than any rank holds. */
const MOST_TOKENS = 2 ** 40;

/**
 * Largest C that the budget allows. One token is left for the dummy of a rank without sequences.
 *
 * @param budgetBytes bytes of a rank, reserve already taken off
 */
export function bucketFor(model: MemoryModel, budgetBytes: number): Bucket {
  const room = budgetBytes - peakBytes(model, 0);
  return { room, tokens: Math.max(0, mostTokens(model, budgetBytes) - 1) };
}

/** The most tokens whose peak is within the budget, by halving: a peak never falls as tokens are added. */
function mostTokens(model: MemoryModel, budgetBytes: number): number {
  let [fit, over] = [0, MOST_TOKENS];
  while (over - fit > 1) {
    const middle = Math.floor((fit + over) / 2);
    if (peakBytes(model, middle) <= budgetBytes) fit = middle;
    else over = middle;
  }
  return fit;
}
