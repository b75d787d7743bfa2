import { countOf, formatCount, formatShare } from "../foundation/format.js";
import { printable } from "../foundation/printable.js";
import { described } from "../inputs/data-findings.js";
import type { DataFile, Measured } from "../lengths/measure.js";
import type { MalformedLine, UnreadKey } from "../lengths/measurement.js";
import {
  type HistogramRow,
  histogram,
  LENGTH_THRESHOLDS,
  type LengthStatistics,
  lengthStatistics,
} from "../lengths/statistics.js";
import { tableLines } from "./table.js";

export interface LengthsReport {
  readonly format_version: 1;
  readonly tokenizer_sha256: string;
  readonly template: {
    readonly source: string;
    readonly sha256: string;
    readonly ends: readonly string[];
  };
  readonly files: readonly {
    readonly file: string;
    readonly sha256: string;
    readonly lengths: readonly number[];
    readonly supervised: readonly number[];
    readonly malformed: {
      readonly count: number;
      readonly first: readonly MalformedLine[];
    };
    /** Samples by how it was found what the loss counts of them. */
    readonly masks: Readonly<Record<string, number>>;
    /** Columns and keys that nothing reads. */
    readonly unread: readonly UnreadKey[];
    /** Samples with a special token's text in their contents. */
    readonly marked: number;
  }[];
  readonly total: LengthStatistics & {
    readonly malformed_lines: number;
    readonly histogram: readonly HistogramRow[];
  };
}

export function lengthsReport(
  files: readonly DataFile[],
  { files: measured, facts }: Measured,
  tokenizerSha256: string,
): LengthsReport {
  const malformed = measured.reduce((sum, m) => sum + m.malformedLines, 0);
  const lengths = measured.flatMap((m) => Array.from(m.length));
  const supervised = measured.flatMap((m) => Array.from(m.supervised));
  const { template: source, template_sha256: sha256, ends } = facts;
  return {
    format_version: 1,
    tokenizer_sha256: tokenizerSha256,
    template: { source, sha256, ends: ends.map(([text]) => text) },
    files: measured.map((m, n) => ({
      file: files[n]?.name ?? "",
      sha256: m.sha256,
      lengths: Array.from(m.length),
      supervised: Array.from(m.supervised),
      malformed: { count: m.malformedLines, first: m.malformed },
      masks: m.methods,
      unread: m.unread,
      marked: m.marked,
    })),
    total: {
      ...lengthStatistics(lengths, supervised),
      malformed_lines: malformed,
      histogram: histogram(lengths),
    },
  };
}

export function prettyLengths({ files, total }: LengthsReport): string {
  const remarks = files.flatMap((file) => [...malformedLines(file), ...otherRemarks(file)]);
  if (total.samples === 0) return `${[...remarks, "no samples"].join("\n")}\n`;
  const rows = [
    ["samples", formatCount(total.samples)],
    ["malformed lines", formatCount(total.malformed_lines)],
    ["tokens", formatCount(total.tokens)],
    ["supervised tokens", formatCount(total.supervised_tokens)],
    ["median length", formatCount(total.median)],
    ["90th percentile", formatCount(total.p90)],
    ["99th percentile", formatCount(total.p99)],
    ["longest", formatCount(total.longest)],
    ...LENGTH_THRESHOLDS.map((limit) => [
      `shorter than ${limit / 1024}K`,
      formatShare(total.share_below[String(limit)] ?? 0),
    ]),
  ];
  return `${[...remarks, ...tableLines(rows, ""), "", ...histogramLines(total)].join("\n")}\n`;
}

type FileReport = LengthsReport["files"][number];

function malformedLines({ file, malformed: { first, count } }: FileReport): readonly string[] {
  const name = printable(file);
  const rest = count - first.length;
  return [
    ...first.map(({ line, reason }) => `${name}:${line}: ${printable(reason)}`),
    ...(rest > 0 ? [`${name}: and ${countOf(rest, "more malformed line")}`] : []),
  ];
}

function otherRemarks({ file, unread, marked }: FileReport): readonly string[] {
  const name = printable(file);
  return [
    ...unread
      .filter((key) => !key.harmless)
      .map(
        (key) =>
          `${name}: nothing reads ${described(key)} (${countOf(key.count, "row")}, first ${key.first})${key.meaning ? ", which changes what should be trained" : ""}`,
      ),
    ...(marked > 0
      ? [`${name}: ${countOf(marked, "sample")} with the text of a special token`]
      : []),
  ];
}

/** Characters of the longest bar. */
const WIDTH = 30;

function histogramLines({ histogram: rows, samples, tokens }: LengthsReport["total"]): string[] {
  const bar = (share: number) => "█".repeat(Math.round(WIDTH * share));
  const shown = rows.map((row) => {
    const [ofSamples, ofTokens] = [row.samples / samples, row.tokens / Math.max(1, tokens)];
    return [
      `up to ${formatCount(row.up_to)}`,
      formatShare(ofSamples),
      bar(ofSamples).padEnd(WIDTH),
      formatShare(ofTokens),
      bar(ofTokens),
    ];
  });
  const titles = ["length", "samples", "".padEnd(WIDTH), "tokens", ""];
  return tableLines([titles, ...shown], "").map((line) => line.trimEnd());
}
