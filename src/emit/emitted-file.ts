/** A file of the run's folder, before anything is written. */
export interface EmittedFile {
  /** Relative to the run's folder, with `/`. */
  readonly path: string;
  readonly content: string | Uint8Array;
  /** A program that users start by its name. */
  readonly executable?: boolean;
}
