import { memoryOfRank } from "../catalogue/gpu.js";
import { bucketFor } from "../cost/bucket.js";
import { type MemoryModel, type MemorySetting, memoryModel } from "../cost/memory.js";
import { type FitProblem, fits } from "./levers.js";
import type { SettledSpec, Setup } from "./setup.js";

const LARGEST_ZERO_BUCKET = 50_000_000;

/** Memory of a rank and what it leaves for sequences. */
export interface RankMemory {
  readonly model: MemoryModel;
  /** Bytes that a rank may use, reserve taken off. */
  readonly available: number;
  /** Largest bucket that fits, tokens; 0 where the model's states alone do not. */
  readonly bucket: number;
  /** Whether the longest sequence fits over its whole context-parallel group. */
  readonly fits: boolean;
}

/** Memory of a rank, without a schedule and without diagnostics. */
export function rankMemory(setup: Setup): RankMemory {
  const fit = fitProblem(setup);
  const model = memoryModel(fit.setting);
  const bucket = bucketFor(model, fit.budgetBytes).tokens;
  return { model, available: fit.budgetBytes, bucket, fits: fits(fit) };
}

/** What decides whether the longest sequence fits. */
export function fitProblem(setup: Setup): FitProblem {
  const { memory, model, parallel, cluster } = setup.spec;
  const { topology } = setup;
  const budget = memory.budget ?? memoryOfRank(setup.inputs.gpu, cluster);
  const setting: MemorySetting = {
    shape: setup.shape,
    precision: model.precision,
    gradients: setup.spec.train.gradients,
    checkpointing: model.checkpointing,
    zeroStage: topology.zero_stage,
    ranks: topology.ranks,
    contextParallel: topology.context_parallel,
    optimizerMoments: moments(setup.spec),
    lossChunk: setup.lossChunk,
    zeroBucket: Math.min(LARGEST_ZERO_BUCKET, setup.shape.parameters),
    reduction: parallel.reduction,
    offload: memory.offload,
    routerLoss: setup.inputs.dimensions.router_loss,
    lora: setup.lora,
    activationFactor: setup.hardware.figures.activation_factor,
  };
  return {
    setting,
    budgetBytes: budget - memory.reserve,
    longest: longestOf(setup),
    bucket: memory.bucket,
  };
}

/** Of all sequences, held-out ones too: they take the same way. */
export function longestOf(setup: Setup): number {
  const { data, evaluation } = setup.inputs;
  return Math.max(data.summary.longest, evaluation?.summary.longest ?? 0);
}

function moments(spec: SettledSpec): number {
  const { optimizer } = spec.train;
  if (optimizer.type === "adamw") return 2;
  return optimizer.momentum > 0 ? 1 : 0;
}
