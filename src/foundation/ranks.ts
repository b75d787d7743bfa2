/** Ranks of one run, and of one scheduling problem: what is planned for more would take longer than anyone waits. */
export const MOST_RANKS = 2 ** 16;
