/** `[c0, ca, cb]` in us: sharding V tokens over a group costs `max(c0, ca + cb * V)` in a micro-batch. */
export type CommunicationRow = readonly [number, number, number];

export const POLICIES = [
  "deepspeed",
  "packed",
  "sorted",
  "dacp",
  "round-robin",
  "skrull-paper",
  "auto",
] as const;
export type PolicyName = (typeof POLICIES)[number];

export const DEGREE_CLASSES = ["local-or-all", "powers-of-two", "pool"] as const;
export type DegreeClass = (typeof DEGREE_CLASSES)[number];

export const OBJECTIVES = ["free", "lockstep"] as const;
export type Objective = (typeof OBJECTIVES)[number];

export const PADDINGS = ["exact", "zigzag"] as const;
export type Padding = (typeof PADDINGS)[number];

/** One scheduling problem in the contract's JSON shape, defaults filled in. Times in microseconds. */
export interface Problem {
  readonly format_version: 1;
  /** Tokens of each sequence, in batch order. */
  readonly lengths: readonly number[];
  readonly data_parallel: number;
  readonly context_parallel: number;
  /** BucketSize C: tokens a rank can hold in a micro-batch. */
  readonly bucket: number;
  readonly padding: Padding;
  readonly cost: CostConstants;
  readonly policy: PolicyName;
  readonly degrees: DegreeClass;
  readonly objective: Objective;
  readonly iterations: number;
  readonly time_budget_ms: number;
  readonly seed: number;
}

export interface CostConstants {
  /** us per token */
  readonly a1: number;
  /** us per token squared */
  readonly a2: number;
  /** us per micro-batch */
  readonly fixed: number;
  /** A shard of x tokens runs its attention at rate x / (x + small_shard_tokens). */
  readonly small_shard_tokens: number;
  /** Rows by degree; a degree above 1 without a row may not be used. */
  readonly comm: Readonly<Record<string, CommunicationRow>>;
}

export type ScheduleErrorCode =
  | "invalid-problem"
  | "sequence-too-long"
  | "degree-unavailable"
  | "policy-gave-up";

export interface ScheduleError {
  readonly code: ScheduleErrorCode;
  readonly message: string;
  /** JSON pointer into the problem. */
  readonly path?: string;
  readonly sequence?: number;
}

/** What can fail by the user's doing returns this; it never throws. */
export type Attempt<Value> =
  | ({ readonly ok: true } & Value)
  | { readonly ok: false; readonly error: ScheduleError };

export function refuse(error: ScheduleError): { readonly ok: false; readonly error: ScheduleError } {
  return { ok: false, error };
}
