import { quantile, sum } from "../foundation/statistics.js";

/** Shares below these lengths are what the paper's Table 1 gives of its data sets. */
export const LENGTH_THRESHOLDS = [1024, 4096, 8192, 32768, 131072] as const;

export interface LengthStatistics {
  readonly samples: number;
  readonly tokens: number;
  readonly supervised_tokens: number;
  readonly median: number;
  readonly p90: number;
  readonly p99: number;
  readonly longest: number;
  /** Share of samples shorter than each of {@link LENGTH_THRESHOLDS}, 0 to 1. */
  readonly share_below: Readonly<Record<string, number>>;
}

/** Statistics of sequence lengths, in tokens. */
export function lengthStatistics(
  lengths: readonly number[],
  supervised: readonly number[],
): LengthStatistics {
  const sorted = [...lengths].sort((a, b) => a - b);
  return {
    samples: sorted.length,
    tokens: sum(lengths),
    supervised_tokens: sum(supervised),
    median: quantile(sorted, 0.5),
    p90: quantile(sorted, 0.9),
    p99: quantile(sorted, 0.99),
    longest: sorted.at(-1) ?? 0,
    share_below: Object.fromEntries(
      LENGTH_THRESHOLDS.map((limit) => [String(limit), shareBelow(sorted, limit)]),
    ),
  };
}

/** Samples of lengths up to a power of two, and beyond half of it. */
export interface HistogramRow {
  readonly up_to: number;
  readonly samples: number;
  readonly tokens: number;
}

/** How lengths are spread, from the first power of two that a sample reaches to the last. */
export function histogram(lengths: readonly number[]): readonly HistogramRow[] {
  const rows = new Map<number, { samples: number; tokens: number }>();
  for (const length of lengths) {
    const power = Math.ceil(Math.log2(Math.max(1, length)));
    const row = rows.get(power) ?? { samples: 0, tokens: 0 };
    rows.set(power, { samples: row.samples + 1, tokens: row.tokens + length });
  }
  const powers = [...rows.keys()];
  const [least, most] = [Math.min(...powers), Math.max(...powers)];
  const count = powers.length === 0 ? 0 : most - least + 1;
  return Array.from({ length: count }, (_, n) => ({
    up_to: 2 ** (least + n),
    ...(rows.get(least + n) ?? { samples: 0, tokens: 0 }),
  }));
}

function shareBelow(lengths: readonly number[], limit: number): number {
  if (lengths.length === 0) return 0;
  return lengths.filter((length) => length < limit).length / lengths.length;
}
