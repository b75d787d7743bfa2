import type { Supervision } from "./count.js";
import type { Rendering } from "./render.js";

/** What to count: everything, besides the bytes of data and tokenizer, that changes a count. */
export interface CountSettings {
  readonly rendering: Rendering;
  readonly supervision: Supervision;
  /** Tokens kept of a longer sample; `null` keeps all. */
  readonly truncateTo: number | null;
}

export interface MalformedLine {
  readonly line: number;
  readonly reason: string;
}

/** Token counts of one data file; the columns are parallel, one entry a well-formed line. */
export interface FileMeasurement {
  readonly sha256: string;
  readonly bytes: number;
  readonly offset: readonly number[];
  readonly line: readonly number[];
  readonly length: readonly number[];
  readonly supervised: readonly number[];
  /** Tokens before truncation. */
  readonly fullLength: readonly number[];
  readonly malformedLines: number;
  /** The first few malformed lines, to show. */
  readonly malformed: readonly MalformedLine[];
}
