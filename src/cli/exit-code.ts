/** The contract's exit codes. */
export const EXIT = {
  clean: 0,
  /** Errors in the input's content, an infeasible problem, stale output, malformed data, a refused overwrite. */
  findings: 1,
  /** Usage, a path that cannot be read, an input that is not a problem, an internal fault. */
  couldNotRun: 2,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
