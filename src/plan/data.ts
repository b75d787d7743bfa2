import { formatShare } from "../foundation/format.js";
import type { Share } from "../foundation/global-batches.js";
import type { FileMeasurement } from "../lengths/measurement.js";

export type OverlongPolicy = "drop" | "truncate" | "error";

export interface MeasuredFile {
  /** Relative to the spec's folder. */
  readonly path: string;
  readonly measurement: FileMeasurement;
  /** Number of the pattern that it was found by. */
  readonly pattern: number;
}

/** Where every sample of the run lies and how long it is: `data_index.json`, parallel columns. */
export interface SampleIndex {
  readonly files: readonly {
    readonly path: string;
    readonly sha256: string;
    readonly bytes: number;
  }[];
  readonly samples: {
    /** Index into `files`. */
    readonly file: readonly number[];
    /** Byte offset of the sample's line. */
    readonly offset: readonly number[];
    /** Line number, from 1. */
    readonly line: readonly number[];
    /** Tokens, after truncation. */
    readonly length: readonly number[];
    /** Targets that the loss counts. */
    readonly supervised: readonly number[];
  };
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
}

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

/**
 * Applies the over-long policy to measured files. Rows over the limit stay out under `drop` and `error`.
 *
 * @param weights of the patterns, whose files must then lie side by side; empty for every sample once an epoch
 */
export function prepareData(
  files: readonly MeasuredFile[],
  maxLength: number,
  policy: OverlongPolicy,
  weights: readonly number[],
): PreparedData {
  const columns = { file: [], offset: [], line: [], length: [], supervised: [] } as Columns;
  const totals = {
    rows: 0,
    tokens: 0,
    supervised: 0,
    longest: 0,
    malformed: 0,
    over: 0,
    lost: 0,
    untaught: 0,
  };
  let longestRow: PreparedData["longestRow"];
  for (const [file, { path, measurement }] of files.entries()) {
    totals.malformed += measurement.malformedLines;
    for (const [row, full] of measurement.fullLength.entries()) {
      const length = measurement.length[row] ?? 0;
      const supervised = measurement.supervised[row] ?? 0;
      const line = measurement.line[row] ?? 0;
      totals.rows += 1;
      if (full > (longestRow?.tokens ?? 0)) longestRow = { path, line, tokens: full };
      if (full > maxLength) {
        totals.over += 1;
        totals.lost += policy === "truncate" ? full - length : full;
        if (policy !== "truncate") continue;
      }
      columns.file.push(file);
      columns.offset.push(measurement.offset[row] ?? 0);
      columns.line.push(line);
      columns.length.push(length);
      columns.supervised.push(supervised);
      totals.tokens += length;
      totals.supervised += supervised;
      totals.longest = Math.max(totals.longest, length);
      if (supervised === 0) totals.untaught += 1;
    }
  }
  const counts = weights.map(
    (_, pattern) => columns.file.filter((file) => files[file]?.pattern === pattern).length,
  );
  return {
    longestRow,
    mixture: weights.map((weight, n) => shareOf(counts[n] ?? 0, weight)),
    index: {
      files: files.map(({ path, measurement: { sha256, bytes } }) => ({ path, sha256, bytes })),
      samples: columns,
    },
    summary: {
      rows: totals.rows,
      samples: columns.length.length,
      tokens: totals.tokens,
      supervised_tokens: totals.supervised,
      longest: totals.longest,
      malformed_lines: totals.malformed,
      overlong: { policy, rows: totals.over, tokens_lost: totals.lost },
      unsupervised_samples: totals.untaught,
    },
  };
}

/** To the nearest whole number of draws, halves up: counted once here, never again by the runtime. */
function shareOf(samples: number, weight: number): Share {
  return { samples, draws: Math.floor(samples * weight + 0.5) };
}

type Columns = { -readonly [K in keyof SampleIndex["samples"]]: number[] };
