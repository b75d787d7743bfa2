/** A file of the run's folder, before anything is written. */
export interface EmittedFile {
  /** Relative to the run's folder, with `/`. */
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly executable?: boolean;
}

/** JSON as every emitted document has it: two spaces, keys in the order given, a final newline. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
