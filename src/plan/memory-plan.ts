import { bucketFor, peakBytes } from "../cost/bucket.js";
import { bytesOf, gatheredBytes, type MemorySetting, memoryModel } from "../cost/memory.js";
import type { SpecReport } from "../semantics/report.js";
import { checkFit } from "./check-fit.js";
import { fitProblem } from "./fit.js";
import { checkHostMemory } from "./host-memory.js";
import type { MemoryPlan } from "./plan.js";
import type { Setup } from "./setup.js";

const MOST_WORKSPACE = 4 * 2 ** 30;

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
  const bucket = memory.bucket ?? bucketFor(model, fit.budgetBytes).tokens;
  checkFit(setup, report, fit, model, bucket, { advise });
  const plan: MemoryPlan = {
    budget_bytes: fit.budgetBytes + memory.reserve,
    reserve_bytes: memory.reserve,
    fixed: model.fixed,
    per_token: model.perToken,
    bucket,
    bucket_from: memory.bucket === undefined ? "budget" : "spec",
    peak_bytes: peakBytes(model, bucket + 1),
    zero_bucket: fit.setting.zeroBucket,
    attention_workspace: attentionWorkspace(setup, fit.setting, bucket),
    offload: memory.offload,
    host: model.host,
  };
  const { shape, precision } = fit.setting;
  const { weights } = setup.spec.model;
  checkHostMemory(report, { topology: setup.topology, memory: plan, shape, precision, weights });
  return plan;
}

/** What PyTorch allocates of a rank's peak: it does not see NCCL's buffers. */
export function allocatedBytes({ peak_bytes, fixed }: MemoryPlan): number {
  return peak_bytes - bytesOf(fixed, "communicators");
}
