import type { MachineConstants } from "./machine-constants.js";
import type { ZeroStage } from "./memory-setting.js";
import { type Checkpointing, recomputesLayers, type TransformerShape } from "./shape.js";

export interface StartSetting {
  readonly shape: TransformerShape;
  readonly checkpointing: Checkpointing;
  readonly zeroStage: ZeroStage;
  readonly adapters: boolean;
  readonly constants: MachineConstants;
}

/**
 * The host's time to start a micro-batch's kernels, us: a micro-batch takes at least this. Every layer's forward,
 * backward and recomputation is Python and autograd, and ZeRO 3 has hooks besides.
 */
export function startTime({
  shape,
  checkpointing,
  zeroStage,
  adapters,
  constants,
}: StartSetting): number {
  const { layer_forward_us: forward, layer_backward_us: backward } = constants;
  const again = recomputesLayers(checkpointing) ? 1 : 0;
  const plain = forward * (1 + again) + backward;
  const hooks = zeroStage === 3 ? constants.zero3_layer_us * (2 + again) : 0;
  return shape.layers * (plain * (adapters ? constants.adapter_factor : 1) + hooks);
}
