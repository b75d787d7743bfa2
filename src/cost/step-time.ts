import type { MachineConstants } from "./machine-constants.js";
import type { Offload, ZeroStage } from "./memory-setting.js";

/**
 * Bytes of a trained parameter that an optimizer step moves besides the optimizer's own: its gradient is cast, scaled and
 * clipped in fp32, and the weight is written.
 */
const STEP_BYTES = 20;
/** Of a gradient or a weight that crosses to or from the host, in bf16. */
const COPIED_BYTES = 2;

export interface StepSetting {
  /** Parameters that are trained. */
  readonly trained: number;
  /** All parameters. */
  readonly parameters: number;
  readonly zeroStage: ZeroStage;
  readonly ranks: number;
  readonly ranksOfNode: number;
  readonly offload: Offload;
  /** Bytes that the optimizer keeps for a trained parameter: read and written in a step. */
  readonly stateBytes: number;
  /** Matrix products of the optimizer, in FLOPs of all parameters. */
  readonly optimizerFlops: number;
  /** FLOP/s of matrix products. */
  readonly matmulFlops: number;
  /** Bytes per second of the GPU's memory; `null` where a step's time is not told apart. */
  readonly memoryBandwidth: number | null;
  /** Bytes per second to and from the host, of a rank. */
  readonly hostLink: number | null;
  /** Parameters per second that the node's processors step. */
  readonly hostAdam: number | null;
  readonly constants: MachineConstants;
}

/** Time besides ZeRO's communication, us. */
export interface StepTime {
  readonly perMicroBatch: number;
  readonly perStep: number;
}

/**
 * What the optimizer takes: at the bandwidth of the GPU's memory, or on the node's processors with what then crosses to
 * and from the host. Weights that are kept there cross in every forward and backward.
 */
export function stepTime(setting: StepSetting): StepTime {
  const { trained, zeroStage, ranks, offload, memoryBandwidth, hostLink, hostAdam, constants } =
    setting;
  if (memoryBandwidth === null) return { perMicroBatch: 0, perStep: 0 };
  const share = zeroStage >= 1 ? ranks : 1;
  const own = trained / share;
  // Muon's matrix products are the GPU's wherever its states are.
  const products = (setting.optimizerFlops * 1e6) / share / setting.matmulFlops;
  const start = constants.step_us + products;
  if (offload === "none" || hostLink === null || hostAdam === null) {
    const moved = own * (STEP_BYTES + 2 * setting.stateBytes);
    return { perMicroBatch: 0, perStep: start + (moved * 1e6) / memoryBandwidth };
  }
  const host = (own * setting.ranksOfNode * 1e6) / hostAdam;
  const crossing = (own * COPIED_BYTES * 1e6) / hostLink;
  const weights = offload === "all" ? setting.parameters / (zeroStage === 3 ? ranks : 1) : 0;
  return {
    // Gradients leave bucket by bucket; weights arrive for the forward and again for the backward.
    perMicroBatch: crossing + (2 * weights * COPIED_BYTES * 1e6) / hostLink,
    perStep: start + host + crossing,
  };
}
