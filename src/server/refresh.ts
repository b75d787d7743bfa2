/** What {@link Refresher} needs of the clock. */
export interface Clock {
  now(): number;
}

/** No text is left without its diagnostics for longer than this. */
const LONGEST_REST = 250;

/**
 * Shows what changed, soon but not for every key: it rests after each round as long as the round took, and what
 * changes meanwhile is one round.
 */
export class Refresher {
  readonly #waiting = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #restUntil = 0;

  /** @param show called with the documents that changed */
  constructor(
    private readonly clock: Clock,
    private readonly show: (uris: readonly string[]) => void,
  ) {}

  add(uris: readonly string[]): void {
    for (const uri of uris) this.#waiting.add(uri);
    if (this.#waiting.size === 0 || this.#timer !== undefined) return;
    const rest = Math.max(0, this.#restUntil - this.clock.now());
    this.#timer = setTimeout(() => this.#round(), rest);
  }

  forget(uri: string): void {
    this.#waiting.delete(uri);
  }

  #round(): void {
    this.#timer = undefined;
    const started = this.clock.now();
    const uris = [...this.#waiting];
    this.#waiting.clear();
    this.show(uris);
    const ended = this.clock.now();
    this.#restUntil = ended + Math.min(LONGEST_REST, ended - started);
  }
}
