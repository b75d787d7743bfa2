/** Policies that are compared and that only the compiler schedules by: each has a run of its own beside the one replayed. */
export const PLANNED = ["skrull-paper"];

/** A setting's spec under another policy. */
export const withPolicy = (spec, policy) =>
  spec.replace("schedule {\n", `schedule {\n  policy = ${policy}\n`);
