import type { MemoryPhase } from "./memory-model.js";
import type { MemorySetting } from "./memory-setting.js";

/** Moments around the loss. */
export const AROUND_LOSS: readonly MemoryPhase[] = ["loss", "head", "final"];

/** Moments at which a layer of the model runs backward. */
export function momentsOfLayers({ shape, mlpTile }: MemorySetting): readonly MemoryPhase[] {
  if (shape.experts) return ["layers", "down", "gate", "attention"];
  return mlpTile === null ? ["layers", "attention"] : ["layers", "norm", "attention"];
}
