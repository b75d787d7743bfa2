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
  /** Inside a node, measured on `measuredRanks` ranks. */
  readonly within: CollectiveLatency;
  readonly measuredRanks: number;
  /** Between nodes: bytes per second and rank, and how much longer a message takes to start. */
  readonly networkBytesPerSecond: number;
  readonly crossingFactor: number;
  readonly ranksPerNode: number;
  /** Bytes of keys and values of a token in one layer. */
  readonly bytesPerToken: number;
  /** Collectives in a micro-batch: layers x (gathers + reduce-scatters). */
  readonly count: number;
}

/**
 * Communication cost of a group of `degree` ranks. A ring moves (d - 1) / d of the whole through every rank,
 * so a slope measured on one degree carries over to others; a group that crosses nodes is as slow as its network.
 */
export function communicationRow(degree: number, setting: CollectiveSetting): CommunicationRow {
  const { within, count, bytesPerToken } = setting;
  const crosses = degree > setting.ranksPerNode;
  const moved = (degree - 1) / degree;
  const measured = (setting.measuredRanks - 1) / setting.measuredRanks;
  const inside = (within.slope / 1e6) * (moved / measured);
  const network = (moved / setting.networkBytesPerSecond) * 1e6;
  const perByte = crosses ? Math.max(inside, network) : inside;
  const start = crosses ? setting.crossingFactor : 1;
  return [
    count * within.floor * start,
    count * within.intercept * start,
    count * bytesPerToken * perByte,
  ];
}
