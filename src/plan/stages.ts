import type { Offload, ZeroStage } from "../cost/memory.js";
import type { Precision } from "../cost/shape.js";

export interface StageSetting {
  readonly zeroStage: ZeroStage;
  readonly precision: Precision;
  /** What gradients are added in. */
  readonly gradients: Precision;
  readonly offload: Offload;
}

/** Whether gradients are added in more than the model's precision. */
export const addsWider = ({
  precision,
  gradients,
}: Pick<StageSetting, "precision" | "gradients">): boolean =>
  precision === "bf16" && gradients === "fp32";

/**
 * The stage that DeepSpeed runs. ZeRO 1 runs as its stage 2 with one reduction a step where gradients are added in
 * fp32: both keep whole gradients and reduce them once, but DeepSpeed's own stage 1 takes its BF16_Optimizer there,
 * which all-reduces where stage 2 reduces, and has checkpoints of another layout. With an offloaded optimizer it does
 * not.
 */
export const stageOfDeepSpeed = (setting: StageSetting): ZeroStage =>
  setting.zeroStage === 1 && addsWider(setting) && setting.offload === "none"
    ? 2
    : setting.zeroStage;
