import {
  DEGREE_CLASS_WORDS,
  type DegreeClass,
  OBJECTIVE_WORDS,
  type Objective,
  type Padding,
  POLICY_WORDS,
  type Policy,
} from "../foundation/vocabularies.generated.js";

export type { DegreeClass, Objective, Policy } from "../foundation/vocabularies.generated.js";

/** Cost of a group of d ranks in one micro-batch: `max(c0, ca + cb * V)` us for V tokens sharded over it. */
export type CommunicationCost = readonly [number, number, number];

/** In the order that comparisons list them. */
export const POLICY_NAMES: readonly Policy[] = POLICY_WORDS.toReversed();

/**
 * Which group sizes a schedule may use: {1, N}; powers of two up to N; powers of two over all ranks. Narrow to wide:
 * each contains those before it.
 */
export const DEGREE_CLASSES = DEGREE_CLASS_WORDS;

/** `free`: the slowest data-parallel rank's sum. `lockstep`: the sum over index of the slowest at that index. */
export const OBJECTIVES = OBJECTIVE_WORDS;

/** Times in us, lengths and bucket in tokens. */
export interface CostParameters {
  /** us per token. */
  readonly a1: number;
  /** us per token squared. */
  readonly a2: number;
  /** us per micro-batch. */
  readonly fixed: number;
  /** A shard of x tokens runs its attention at rate x / (x + this). */
  readonly small_shard_tokens: number;
  readonly comm: Readonly<Record<string, CommunicationCost>>;
}

/** One scheduling problem, as outsiders give it to `skrull schedule`; see there for the meaning of every field. */
export interface Problem {
  readonly format_version: 1;
  readonly lengths: readonly number[];
  readonly data_parallel: number;
  readonly context_parallel: number;
  /** BucketSize C: tokens that a rank holds in one micro-batch. */
  readonly bucket: number;
  readonly padding: Padding;
  readonly cost: CostParameters;
  readonly policy: Policy;
  readonly degrees: DegreeClass;
  readonly objective: Objective;
  readonly iterations: number;
  readonly time_budget_ms: number;
  readonly seed: number;
}

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
