import type { Offload, ZeroStage } from "../cost/memory.js";

/** The first ZeRO stage that can offload so much: DeepSpeed offloads what ZeRO shards. */
export const OFFLOAD_FROM: Readonly<Record<Offload, ZeroStage>> = {
  none: 0,
  optimizer: 1,
  all: 3,
};
