import { formatShare } from "../foundation/format.js";
import type { Share } from "../foundation/global-batches.js";
import type { FileMeasurement } from "./measurement.js";

export type OverlongPolicy = "drop" | "truncate" | "error";

export interface MeasuredFile {
  /** Relative to the spec's folder. */
  readonly path: string;
  readonly measurement: FileMeasurement;
  /** Number of the pattern that it was found by. */
  readonly pattern: number;
}

/** Where the tokens of every sample of the run are, and how many: `data_index.json`, parallel columns. */
export interface SampleIndex {
  readonly files: readonly {
    readonly path: string;
    readonly sha256: string;
    readonly bytes: number;
  }[];
  /** Tables of the token store. */
  readonly blocks: readonly {
    readonly key: string;
    /** Index into `files`. */
    readonly file: number;
  }[];
  readonly samples: SampleColumns;
}

export interface SampleColumns {
  /** Index into `blocks`. */
  readonly block: Uint32Array;
  /** Place in the block's table. */
  readonly row: Uint32Array;
  /** Line number, from 1. */
  readonly line: Uint32Array;
  /** Tokens, after truncation. */
  readonly length: readonly number[];
  /** Targets that the loss counts. */
  readonly supervised: Uint32Array;
  /** Checksum of the tokens in the store. */
  readonly check: Uint32Array;
}

/** What the data amounts to, and what was lost of it. */
export interface DataSummary {
  readonly rows: number;
  readonly samples: number;
  readonly tokens: number;
  readonly supervised_tokens: number;
  readonly longest: number;
  readonly malformed_lines: number;
  readonly overlong: {
    readonly policy: OverlongPolicy;
    readonly rows: number;
    readonly tokens_lost: number;
  };
  /** Samples without a single target: they cost time and teach nothing. */
  readonly unsupervised_samples: number;
  /** Samples that the spec leaves out. */
  readonly left_out: {
    readonly few_turns: number;
    readonly duplicates: number;
    /** For evaluation, or of the training data where this is the evaluation's. */
    readonly elsewhere: number;
  };
  /** Samples by how it was found what the loss counts of them; before anything is left out. */
  readonly masks: Readonly<Record<string, number>>;
  /** Samples with a special token's text in their contents. */
  readonly marked_samples: number;
}

/** Masks of samples that no template makes. */
const WITHOUT_TEMPLATE = ["text", "tokens"];

/** Whether a template has made any of the samples of these masks. */
export const hasConversations = (masks: Readonly<Record<string, number>>): boolean =>
  Object.keys(masks).some((mask) => !WITHOUT_TEMPLATE.includes(mask));

/** Share of all tokens that over-long samples cost. */
export function lostShare({ tokens, overlong }: DataSummary): number {
  return overlong.tokens_lost === 0 ? 0 : overlong.tokens_lost / (tokens + overlong.tokens_lost);
}

/** What a message says of the samples that are over the limit and not an error. */
export const lostSamples = (summary: DataSummary) => ({
  count: summary.overlong.rows,
  rows: summary.rows,
  fate: summary.overlong.policy === "drop" ? "dropped" : "truncated",
  share: formatShare(lostShare(summary)),
});

export interface PreparedData {
  readonly index: SampleIndex;
  /** In the order of the samples; empty without weights. */
  readonly mixture: readonly Share[];
  readonly summary: DataSummary;
  /** The longest row before the over-long policy, to name in messages. */
  readonly longestRow:
    | { readonly path: string; readonly line: number; readonly tokens: number }
    | undefined;
}

/** Which rows of measured files are samples, and of what. */
export interface Selection {
  readonly maxLength: number;
  readonly overlong: OverlongPolicy;
  /** Of the patterns, whose files must then lie side by side; empty for every sample once an epoch. */
  readonly weights: readonly number[];
  /** Answers of a sample, at least. */
  readonly minTurns: number;
  /** Only the first of samples with the same tokens. */
  readonly unique: boolean;
  /** Part of all samples that is held out for evaluation. */
  readonly share: number;
  /** Whether these are the samples held out. */
  readonly heldOut: boolean;
}

/** Applies a selection to measured files. Rows over the limit stay out under `drop` and `error`. */
export function prepareData(files: readonly MeasuredFile[], selection: Selection): PreparedData {
  const rows = files.reduce((sum, { measurement }) => sum + measurement.length.length, 0);
  const collected = new Collected(rows);
  for (const file of files) collected.addFile(file, selection);
  return collected.result(files, selection);
}

class Collected {
  readonly #columns: Readonly<Record<keyof SampleColumns, Uint32Array>>;
  readonly #blocks: { key: string; file: number }[] = [];
  readonly #seen = new Set<string>();
  readonly #masks: Record<string, number> = {};
  /** Samples by pattern. */
  readonly #counts: number[] = [];
  readonly #left = { few_turns: 0, duplicates: 0, elsewhere: 0 };
  #files = 0;
  #samples = 0;
  #rows = 0;
  #tokens = 0;
  #supervised = 0;
  #longest = 0;
  #malformed = 0;
  #over = 0;
  #lost = 0;
  #untaught = 0;
  #marked = 0;
  #longestRow: PreparedData["longestRow"];

  /** @param most samples */
  constructor(most: number) {
    const column = () => new Uint32Array(most);
    this.#columns = {
      block: column(),
      row: column(),
      line: column(),
      length: column(),
      supervised: column(),
      check: column(),
    };
  }

  addFile({ path, measurement, pattern }: MeasuredFile, selection: Selection): void {
    this.#malformed += measurement.malformedLines;
    this.#marked += measurement.marked;
    for (const [name, count] of Object.entries(measurement.methods))
      this.#masks[name] = (this.#masks[name] ?? 0) + count;
    const before = this.#samples;
    const first = this.#blocks.length;
    for (const key of measurement.blocks) this.#blocks.push({ key, file: this.#files });
    for (let row = 0; row < measurement.length.length; row += 1) {
      if (this.#isLeftOut(measurement, row, selection)) continue;
      this.#add(path, measurement, row, first, selection);
    }
    this.#counts[pattern] = (this.#counts[pattern] ?? 0) + this.#samples - before;
    this.#files += 1;
  }

  #isLeftOut(measurement: FileMeasurement, row: number, selection: Selection): boolean {
    const { minTurns, unique, share, heldOut } = selection;
    const low = measurement.content[2 * row] as number;
    if (share > 0 && this.#isHeldOut(measurement, row, share) !== heldOut)
      return this.#leave("elsewhere");
    if ((measurement.turns[row] as number) < minTurns) return this.#leave("few_turns");
    if (!unique) return false;
    const content = `${low} ${measurement.content[2 * row + 1]} ${measurement.check[row]}`;
    if (this.#seen.has(content)) return this.#leave("duplicates");
    this.#seen.add(content);
    return false;
  }

  /** The samples of one row stay together: by the first of them. */
  #isHeldOut({ line, content }: FileMeasurement, row: number, share: number): boolean {
    let first = row;
    while (first > 0 && line[first - 1] === line[row]) first -= 1;
    return (content[2 * first] as number) < share * 2 ** 32;
  }

  #leave(why: keyof DataSummary["left_out"]): true {
    this.#left[why] += 1;
    return true;
  }

  #add(
    path: string,
    measurement: FileMeasurement,
    row: number,
    firstBlock: number,
    { maxLength, overlong }: Selection,
  ): void {
    const full = measurement.fullLength[row] as number;
    const length = measurement.length[row] as number;
    const supervised = measurement.supervised[row] as number;
    const line = measurement.line[row] as number;
    this.#rows += 1;
    if (full > (this.#longestRow?.tokens ?? 0)) this.#longestRow = { path, line, tokens: full };
    if (full > maxLength) {
      this.#over += 1;
      this.#lost += overlong === "truncate" ? full - length : full;
      if (overlong !== "truncate") return;
    }
    const n = this.#samples;
    const columns = this.#columns;
    columns.block[n] = firstBlock + (measurement.block[row] as number);
    columns.row[n] = measurement.row[row] as number;
    columns.line[n] = line;
    columns.length[n] = length;
    columns.supervised[n] = supervised;
    columns.check[n] = measurement.check[row] as number;
    this.#samples += 1;
    this.#tokens += length;
    this.#supervised += supervised;
    this.#longest = Math.max(this.#longest, length);
    if (supervised === 0) this.#untaught += 1;
  }

  result(files: readonly MeasuredFile[], { overlong, weights }: Selection): PreparedData {
    const kept = (column: Uint32Array) => column.subarray(0, this.#samples);
    const { block, row, line, length, supervised, check } = this.#columns;
    return {
      longestRow: this.#longestRow,
      mixture: weights.map((weight, n) => shareOf(this.#counts[n] ?? 0, weight)),
      index: {
        files: files.map(({ path, measurement: { sha256, bytes } }) => ({ path, sha256, bytes })),
        blocks: this.#blocks,
        samples: {
          block: kept(block),
          row: kept(row),
          line: kept(line),
          length: plainNumbers(kept(length)),
          supervised: kept(supervised),
          check: kept(check),
        },
      },
      summary: {
        rows: this.#rows,
        samples: this.#samples,
        tokens: this.#tokens,
        supervised_tokens: this.#supervised,
        longest: this.#longest,
        malformed_lines: this.#malformed,
        overlong: { policy: overlong, rows: this.#over, tokens_lost: this.#lost },
        unsupervised_samples: this.#untaught,
        left_out: this.#left,
        masks: this.#masks,
        marked_samples: this.#marked,
      },
    };
  }
}

/** Quicker than `Array.from`, which asks an iterator for each of millions. */
function plainNumbers(column: Uint32Array): readonly number[] {
  const numbers = new Array<number>(column.length);
  for (let n = 0; n < column.length; n += 1) numbers[n] = column[n] as number;
  return numbers;
}

/** To the nearest whole number of draws, halves up: counted once here, never again by the runtime. */
function shareOf(samples: number, weight: number): Share {
  return { samples, draws: Math.floor(samples * weight + 0.5) };
}
