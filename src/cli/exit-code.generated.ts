// Generated from contract/exit-codes.json by scripts/generate-contract.mjs. Do not edit.

/** Exit codes of the command line. */
export const EXIT = {
  /** Nothing was found. */
  clean: 0,
  /** Errors in the input's content, an infeasible problem, stale output, malformed data, a refused overwrite. */
  findings: 1,
  /** Usage, a path that cannot be read, an input that is not a problem, an internal fault. */
  couldNotRun: 2,
} as const;
