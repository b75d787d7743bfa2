import type { SpecSubject } from "./subject.js";

/** Optimizer steps of the run: as the spec says, or from its epochs where the data is known. */
export function stepsOf({ spec, lengths }: SpecSubject): number | undefined {
  return spec.train.steps ?? lengths?.steps;
}
