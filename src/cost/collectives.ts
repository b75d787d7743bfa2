import type { CollectiveTable } from "./hardware.js";

/** Latency of a collective: `floor` us under a size, `intercept + slope * MB` us above it (arXiv:2505.19609 Eq. 16). */
export interface CollectiveLatency {
  /** us */
  readonly floor: number;
  /** us */
  readonly intercept: number;
  /** us per MB (10^6 bytes) of the gathered whole */
  readonly slope: number;
}

/** One row of the contract's `cost.comm`: `max(c0, ca + cb * V)` us for V tokens sharded over the group. */
export type CommunicationRow = readonly [number, number, number];

export interface CollectiveSetting {
  readonly tables: readonly CollectiveTable[];
  /** Between nodes: bytes per second that a rank's network card reaches, and how much longer a message takes to start. */
  readonly networkBytesPerSecond: number;
  /** Whether both were measured on this machine. */
  readonly networkMeasured: boolean;
  readonly crossingFactor: number;
  readonly ranksPerNode: number;
  /** Bytes of keys and values of a token in one layer. */
  readonly bytesPerToken: number;
  readonly counts: CollectiveCounts;
}

/** Collectives of each kind. */
export interface CollectiveCounts {
  readonly gathers?: number;
  /** Reduce-scatters. */
  readonly scatters?: number;
  readonly all_to_alls?: number;
}

/**
 * Communication cost of a group of `degree` ranks, from the table of the nearest size. A ring moves (d - 1) / d of the
 * whole through every rank, so a slope measured on one degree carries over to others. A group that crosses nodes takes
 * a table that does, of as many nodes and ranks where the network by itself was measured too, and else the longer of the
 * way inside of a node and that between nodes ({@link networkSlopes}).
 */
export function communicationRow(degree: number, setting: CollectiveSetting): CommunicationRow {
  const { gathers = 0, scatters = 0, all_to_alls: exchanges = 0 } = setting.counts;
  const crosses = degree > setting.ranksPerNode;
  const table = nearestTable(degree, crosses, tablesFor(degree, crosses, setting));
  const gather = fitLatency(table.megabytes, table.all_gather_us);
  const scatter = fitLatency(table.megabytes, table.reduce_scatter_us);
  const exchange = fitLatency(table.megabytes, table.all_to_all_us ?? table.reduce_scatter_us);
  const all = (of: (latency: CollectiveLatency) => number) =>
    gathers * of(gather) + scatters * of(scatter) + exchanges * of(exchange);
  const assumed = crosses && table.nodes === 1;
  const scale = (degree - 1) / degree / ((table.ranks - 1) / table.ranks) / 1e6;
  const [ring, own] = assumed ? networkSlopes(degree, setting) : [0, 0];
  const slope =
    gathers * Math.max(gather.slope * scale, ring) +
    scatters * Math.max(scatter.slope * scale, ring) +
    exchanges * Math.max(exchange.slope * scale, own);
  const start = assumed ? setting.crossingFactor : 1;
  return [
    all(({ floor }) => floor) * start,
    all(({ intercept }) => intercept) * start,
    setting.bytesPerToken * slope,
  ];
}

/**
 * us a byte between nodes: of a ring, which brings every byte into a node once, over the cards of all of the group's ranks
 * there; and of an all-to-all, in which every rank sends what is for other nodes over its own card.
 */
function networkSlopes(
  degree: number,
  { ranksPerNode, networkBytesPerSecond: rate }: CollectiveSetting,
): readonly [ring: number, exchange: number] {
  const nodes = Math.ceil(degree / ranksPerNode);
  const here = degree / nodes;
  return [((nodes - 1) / nodes / (here * rate)) * 1e6, ((degree - here) / degree / rate) * 1e6];
}

/** All, but for those of other groups between nodes where what such a group takes follows from the measured network. */
function tablesFor(
  degree: number,
  crosses: boolean,
  { tables, networkMeasured, ranksPerNode }: CollectiveSetting,
): readonly CollectiveTable[] {
  if (!crosses || !networkMeasured) return tables;
  const nodes = Math.ceil(degree / ranksPerNode);
  const same = tables.filter((table) => table.ranks === degree && table.nodes === nodes);
  if (same.length > 0) return same;
  const inside = tables.filter((table) => table.nodes === 1);
  return inside.length > 0 ? inside : tables;
}

/** Of the tables that cross nodes like the group does, if any, the one of the nearest size; the smaller at a draw. */
function nearestTable(
  degree: number,
  crosses: boolean,
  tables: readonly CollectiveTable[],
): CollectiveTable {
  const alike = tables.filter(({ nodes }) => nodes > 1 === crosses);
  const sorted = [...(alike.length > 0 ? alike : tables)].sort((a, b) => a.ranks - b.ranks);
  const distance = ({ ranks }: CollectiveTable) => Math.abs(Math.log2(ranks / degree));
  return sorted.reduce((best, table) => (distance(table) < distance(best) ? table : best));
}

/**
 * Eq. 16 of arXiv:2505.19609 fitted to measured latencies: the smallest message's is the floor, and a least-squares
 * line through all, weighted so that relative errors count, gives intercept and slope.
 */
export function fitLatency(
  megabytes: readonly number[],
  microseconds: readonly number[],
): CollectiveLatency {
  let [w, x, y, xx, xy] = [0, 0, 0, 0, 0];
  for (const [n, size] of megabytes.entries()) {
    const time = microseconds[n] ?? 0;
    const weight = 1 / (time * time);
    w += weight;
    x += weight * size;
    y += weight * time;
    xx += weight * size * size;
    xy += weight * size * time;
  }
  const slope = (w * xy - x * y) / (w * xx - x * x);
  return { floor: microseconds[0] ?? 0, intercept: Math.max(0, (y - slope * x) / w), slope };
}
