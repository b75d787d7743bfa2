import {
  DEGREE_CLASS_WORDS,
  POLICY_WORDS,
  type Policy,
} from "../foundation/vocabularies.generated.js";

export type {
  CommunicationCost,
  Cost as CostParameters,
  ScheduleProblem as Problem,
} from "../foundation/records.generated.js";
export type { DegreeClass, Objective, Policy } from "../foundation/vocabularies.generated.js";

/** In the order that comparisons list them. */
export const POLICY_NAMES: readonly Policy[] = POLICY_WORDS.toReversed();

/**
 * Which group sizes a schedule may use: {1, N}; powers of two up to N; powers of two over all ranks. Narrow to wide:
 * each contains those before it.
 */
export const DEGREE_CLASSES = DEGREE_CLASS_WORDS;

export type ScheduleErrorCode =
  | "invalid-problem"
  | "sequence-too-long"
  | "degree-unavailable"
  | "policy-gave-up";

/** Why there is no schedule. */
export interface ScheduleError {
  readonly code: ScheduleErrorCode;
  readonly message: string;
  /** JSON pointer to what is invalid. */
  readonly path?: string;
  /** Index of the sequence at fault. */
  readonly sequence?: number;
}

/** A policy's way of saying that it found no schedule; turned into a result where policies are called. */
export class Infeasible extends Error {
  constructor(readonly reason: ScheduleError) {
    super(reason.message);
  }
}
