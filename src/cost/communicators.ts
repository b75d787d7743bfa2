const MEGABYTE = 1e6;

/** The groups of a rank, each of which has a communicator of its own. */
export interface Groups {
  /** All ranks: ZeRO's group. */
  readonly ranks: number;
  /** Sizes of the groups that share sequences, 1 not counted; empty where none is shared. */
  readonly degrees: readonly number[];
  readonly ranksPerNode: number;
}

/** Rings of a communicator, by the first collective: measured on 4 A100 (NVIDIA/nccl#964). */
const RINGS = { pair: 544 * MEGABYTE, more: 688 * MEGABYTE };

/**
 * What an all-to-all adds for each other rank of the node: 32 channels with 10.5 MB to receive in and 2.1 MB to send
 * from. Measured on 8 H100, 3.28 GB for 7 (NVIDIA/nccl#1685).
 */
const PEER_OF_NODE = 469 * MEGABYTE;

/** The same for a rank of another node, assumed: two channels. */
const PEER_BEYOND = 25 * MEGABYTE;

/** Bytes of a rank in NCCL's buffers. Communicators share none: those that do must not be used at the same time. */
export function communicatorBytes({ ranks, degrees, ranksPerNode }: Groups): number {
  let bytes = rings(ranks);
  for (const degree of degrees) {
    const near = Math.min(degree, ranksPerNode) - 1;
    bytes += rings(degree) + near * PEER_OF_NODE + (degree - 1 - near) * PEER_BEYOND;
  }
  return bytes;
}

const rings = (ranks: number): number => (ranks === 1 ? 0 : ranks === 2 ? RINGS.pair : RINGS.more);
