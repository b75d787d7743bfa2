export type Severity = "error" | "warning" | "info";

/** A diagnostic as it is declared. */
export interface Entry {
  readonly severity: Severity;
  /** What is wrong; `{name}` is filled in. */
  readonly message: string;
  /** Why it matters. */
  readonly why: string;
  /** Where message or reason come from the place that reports it: what it is about in general. */
  readonly about?: string;
  /** What it is in a line, where the message comes from the place that reports it. */
  readonly summary?: string;
  /** Found only by `plan` and `compile`, in the data, the tokenizer or the schedules. Said of what can be suppressed. */
  readonly planOnly?: true;
  /** What to do, unless the place that reports it knows better. */
  readonly help?: string;
}

/** Declarations by code. */
export type Entries = Readonly<Record<string, Entry>>;
