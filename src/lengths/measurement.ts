import type { Supervise } from "../foundation/vocabularies.generated.js";
import type { Rendering } from "./rendering.js";

/** What to count: everything, besides the bytes of data and tokenizer, that changes a count. */
export interface CountSettings {
  readonly rendering: Rendering;
  readonly supervision: Supervise;
  /** Tokens kept of a longer sample; `null` keeps all. */
  readonly truncateTo: number | null;
}

export interface MalformedLine {
  readonly line: number;
  readonly reason: string;
}

/** A column or key that nothing reads. */
export interface UnreadKey {
  readonly where: "row" | "message" | "tool_call";
  readonly name: string;
  readonly count: number;
  /** Number of the first row that has it. */
  readonly first: number;
  readonly example: string;
  /** It is known to change what should be trained. */
  readonly meaning: boolean;
  /** It is known to change nothing, such as an identifier. */
  readonly harmless: boolean;
}

/** What a template makes of a sample otherwise than the tokenizer's own does. */
export interface TemplateDifference {
  readonly line: number;
  /** From shortly before where they differ. */
  readonly chosen: string;
  readonly own: string;
}

/** Samples of one data file; the columns are parallel, one entry a sample. */
export interface FileMeasurement {
  readonly sha256: string;
  readonly bytes: number;
  /** Names of the tables in the token store. */
  readonly blocks: readonly string[];
  /** Index into `blocks`, and the sample's place there. */
  readonly block: Uint32Array;
  readonly row: Uint32Array;
  readonly line: Uint32Array;
  readonly length: Uint32Array;
  readonly supervised: Uint32Array;
  /** Tokens before truncation. */
  readonly fullLength: Uint32Array;
  /** Answers. */
  readonly turns: Uint32Array;
  /** Checksum of ids and mask. */
  readonly check: Uint32Array;
  /** Digest of the ids, two entries a sample. */
  readonly content: Uint32Array;
  readonly malformedLines: number;
  /** The first few malformed lines, to show. */
  readonly malformed: readonly MalformedLine[];
  /** Samples by how it was found what the loss counts of them. */
  readonly methods: Readonly<Record<string, number>>;
  /** Samples with a special token's text in their contents. */
  readonly marked: number;
  readonly unread: readonly UnreadKey[];
  readonly difference: TemplateDifference | null;
}

/** What the engine found out about tokenizer and template. */
export interface RenderingFacts {
  /** What renders conversations. */
  readonly template: "own" | "jinja" | "declared";
  readonly template_sha256: string;
  /** Whether the template asks what day it is. */
  readonly reads_date: boolean;
  /** What the tokenizer itself puts in front of a text. */
  readonly begin: string;
  /** What ends a text, where the tokenizer says. */
  readonly end: string;
  /** What ends an answer, and as how many tokens. */
  readonly ends: readonly (readonly [string, number])[];
  /** Digest of all that decides the tokens of a row. */
  readonly settings: string;
}
