import { withoutIdleRanks } from "../degrees.js";
import type { PolicyFunction } from "../policies/index.js";
import type { Problem } from "../problem.js";
import { type Solution, solveBy } from "../solve.js";
import { batchRebalance } from "./batch-rebalance.js";
import { karmarkarKarp } from "./karmarkar-karp.js";
import { megatronHybrid } from "./megatron-hybrid.js";
import { wlb } from "./wlb.js";

/** How other programs schedule a batch, of our own reading: to compare with, and no words that a spec may name. */
export const PEER_NAMES = ["batch-rebalance", "karmarkar-karp", "wlb", "megatron-hybrid"] as const;
export type Peer = (typeof PEER_NAMES)[number];

const PEERS: Readonly<Record<Peer, PolicyFunction>> = {
  "batch-rebalance": (problem) => batchRebalance(withoutIdleRanks(problem)),
  "karmarkar-karp": (problem) => karmarkarKarp(withoutIdleRanks(problem)),
  wlb: (problem) => wlb(withoutIdleRanks(problem)),
  "megatron-hybrid": megatronHybrid,
};

/** As `solve`, by a peer. The schedule's `policy` is the problem's: the contract has no word for a peer. */
export const solveByPeer = (peer: Peer, problem: Problem): Solution =>
  solveBy(problem, () => PEERS[peer](problem));
