/** How many optimizer steps a run makes. The last, smaller global batch of an epoch is trained. */
export interface StepCount {
  readonly global_batch: number;
  readonly steps_per_epoch: number;
  readonly last_batch: number;
  readonly total_steps: number;
  /** Epochs begun by the last step. */
  readonly epochs: number;
}

/** @param limit epochs or steps, as the spec says */
export function countSteps(
  samples: number,
  globalBatch: number,
  limit: { readonly epochs: number } | { readonly steps: number },
): StepCount {
  const perEpoch = Math.ceil(samples / globalBatch);
  const total = "steps" in limit ? limit.steps : limit.epochs * perEpoch;
  return {
    global_batch: globalBatch,
    steps_per_epoch: perEpoch,
    last_batch: samples - (perEpoch - 1) * globalBatch,
    total_steps: total,
    epochs: Math.ceil(total / perEpoch),
  };
}
