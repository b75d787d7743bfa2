import { gatheredBytes, MOST_WORKSPACE } from "../cost/attention-memory.js";
import { type MemorySetting, memoryModel } from "../cost/memory.js";
import {
  bytesOf,
  fullestPhase,
  type MemoryModel,
  type MemoryRow,
  peakBytes,
} from "../cost/memory-model.js";
import { gatherSettings } from "../cost/zero-gather.js";
import type { SpecReport } from "../semantics/report.js";
import { checkFit } from "./check-fit.js";
import { fitProblem, largestBucket } from "./fit.js";
import { checkHostMemory, mergesAdapters } from "./host-memory.js";
import type { MemoryPlan } from "./plan.js";
import type { Setup } from "./setup.js";

/**
 * What the rows of a full bucket set aside for one layer's gathered keys and values and their gradients. A CPU has no
 * kernel with a workspace, and attends to all heads at once.
 */
function attentionWorkspace({ topology }: Setup, setting: MemorySetting, bucket: number) {
  if (topology.device !== "cuda" || setting.largestGroup === 1) return null;
  return Math.min(MOST_WORKSPACE, 2 * gatheredBytes(setting) * bucket);
}

/** The bucket and what fills a rank's memory; reports what does not fit. */
export function memoryPlan(
  setup: Setup,
  report: SpecReport,
  { advise } = { advise: true },
): MemoryPlan {
  const { memory } = setup.spec;
  const fit = fitProblem(setup);
  const model = memoryModel(fit.setting);
  const bucket = memory.bucket ?? largestBucket(fit, model);
  checkFit(setup, report, fit, model, bucket, { advise });
  const plan: MemoryPlan = {
    budget_bytes: fit.budgetBytes + memory.reserve,
    reserve_bytes: memory.reserve,
    fixed: model.fixed,
    per_token: model.perToken,
    bucket,
    bucket_from: bucketFrom(setup),
    peak_bytes: peakBytes(model, bucket + 1),
    zero_bucket: fit.setting.zeroBucket,
    zero_gather: fit.setting.zeroStage === 3 ? gatherSettings(fit.setting.shape) : null,
    attention_workspace: attentionWorkspace(setup, fit.setting, bucket),
    offload: memory.offload,
    host: hostRows(model, bucket),
  };
  const { shape, precision } = fit.setting;
  const { weights } = setup.spec.model;
  const { topology } = setup;
  const merges = mergesAdapters(setup);
  checkHostMemory(report, { topology, memory: plan, shape, precision, weights, merges });
  return plan;
}

function bucketFrom({ spec: { memory, model }, origins }: Setup): MemoryPlan["bucket_from"] {
  if (memory.bucket === undefined) return "budget";
  return model.checkpointing === "auto" && !origins.has("memory.bucket") ? "recomputation" : "spec";
}

/** In the host's memory: what every token keeps there, of a full bucket. */
function hostRows({ host, hostPerToken }: MemoryModel, bucket: number): readonly MemoryRow[] {
  const full = hostPerToken.map((row) => ({ ...row, bytes: (bucket + 1) * row.bytes }));
  return [...host, ...full];
}

/**
 * What PyTorch allocates of a rank's peak: it sees neither the CUDA context, nor NCCL's buffers, nor gaps, of which the
 * optimizer's step has none.
 */
export function allocatedBytes(plan: MemoryPlan): number {
  const { peak_bytes, fixed, per_token: perToken, bucket } = plan;
  const outside = bytesOf(fixed, "communicators") + bytesOf(fixed, "context");
  const model = { fixed, perToken, host: [], hostPerToken: [] };
  const gaps = fullestPhase(model, bucket + 1) === "step" ? 0 : bytesOf(perToken, "fragmentation");
  return peak_bytes - outside - (bucket + 1) * gaps;
}
