import type { Problem } from "../problem.js";

/** A clock, ms; from wherever the caller gets the time. */
export type Clock = () => number;

/** Moves of the first of the searches that a number of moves is spent on; each of the next has twice as many. */
const FIRST_MOVES = 4096;

/** A search's length: by moves, which repeats exactly, or by the clock, or by whichever ends first. */
export interface Leg {
  /** Share of it that is used up after a number of moves, 1 where the search must end. */
  readonly used: (moves: number) => number;
}

/** What a solution may take. */
export class Budget {
  readonly #moves: number;
  /** ms of the clock; infinite without a clock. */
  readonly #deadline: number;
  readonly #start: number;

  /** @param clock for a budget by the clock, which has begun to run where this is made */
  constructor(
    { iterations, time_budget_ms: ms }: Problem,
    private readonly clock: Clock | undefined,
  ) {
    const timed = ms > 0 && clock !== undefined;
    this.#start = timed ? clock() : 0;
    this.#deadline = timed ? this.#start + ms : Number.POSITIVE_INFINITY;
    this.#moves = iterations > 0 ? iterations : timed ? Number.POSITIVE_INFINITY : 0;
  }

  /** Whether there is anything to search with. */
  get searches(): boolean {
    return this.#moves > 0;
  }

  get timed(): boolean {
    return this.#deadline < Number.POSITIVE_INFINITY;
  }

  /** Share of the time that is gone; 0 without a limit by the clock. */
  gone(): number {
    if (!this.timed || !this.clock) return 0;
    return (this.clock() - this.#start) / (this.#deadline - this.#start);
  }

  /**
   * Searches to run one after the other, each from the best so far. By moves each as long as if there were no end, the
   * last cut off: what a number of moves finds, a larger number finds too. By the clock one, which ends with it; or, of a
   * small batch, as many as there is time for.
   */
  *legs(isSmall: boolean): Generator<Leg> {
    if (this.timed && !isSmall) {
      const from = this.gone();
      if (from >= 1) return;
      const share = (moves: number) =>
        (this.gone() - from) / (1 - from) + (moves >= this.#moves ? 1 : 0);
      yield { used: share };
      return;
    }
    let left = this.#moves;
    for (let length = FIRST_MOVES; left > 0 && this.gone() < 1; length *= 2) {
      const most = Math.min(length, left);
      yield { used: (moves) => (moves >= most || this.gone() >= 1 ? 1 : moves / length) };
      left -= most;
    }
  }
}
