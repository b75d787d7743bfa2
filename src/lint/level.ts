/** What a rule must know of a file besides its text; a rule is silent where that is not known. */
export const LEVELS = ["text", "names", "spec", "model", "inputs", "lengths", "plan"] as const;
export type Level = (typeof LEVELS)[number];
