/** A code of an earlier version; `explain`, suppressions and configurations still know it. */
export interface RetiredCode {
  /** The version that is without it. */
  readonly since: string;
  /** The code that covers the same now; none where nothing does. */
  readonly successor?: string;
  /** Options of the successor, by the names that they had. */
  readonly options?: Readonly<Record<string, string>>;
  /** Why it was retired. */
  readonly why: string;
}

const RATES = "One rule now judges the learning rate, whatever is trained.";

/** Every code that there was. */
export const RETIRED_CODES: Readonly<Record<string, RetiredCode>> = {
  "adapter-rate-high": {
    since: "0.1.0",
    successor: "learning-rate-unusual",
    options: { most: "adapters_most" },
    why: RATES,
  },
  "adapter-rate-low": {
    since: "0.1.0",
    successor: "learning-rate-unusual",
    options: { least: "adapters_least" },
    why: RATES,
  },
  "budget-assumed": {
    since: "0.1.0",
    why: "It noted that CPU ranks have no memory budget. `skrull plan` shows the budget that it uses.",
  },
  "gain-too-small": {
    since: "0.1.0",
    why: "It noted that a simpler policy is predicted to be nearly as fast, which is not a mistake. `skrull compare` shows the policies side by side.",
  },
  "host-memory-at-start": {
    since: "0.1.0",
    successor: "host-memory-exceeded",
    why: "Random weights that a node's memory cannot hold end the run as surely as states that it cannot hold.",
  },
  "learning-rate-high": {
    since: "0.1.0",
    successor: "learning-rate-unusual",
    options: { most: "most" },
    why: RATES,
  },
  "planned-search-short": {
    since: "0.1.0",
    why: "It warned of fewer refinement moves than a global batch has sequences. Few moves cost little and harm nothing.",
  },
  "unknown-deepspeed": {
    since: "0.1.0",
    why: "It warned of a version of DeepSpeed newer than any that was tested. A run warns about the installed version when it starts.",
  },
};
