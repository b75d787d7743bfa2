import type { LintSubject } from "./subject.js";

/** Optimizer steps of the run: as the spec says, or from its epochs where the data is known. */
export function stepsOf({ spec, lengths }: LintSubject): number | undefined {
  return spec.train.steps ?? lengths?.steps;
}
