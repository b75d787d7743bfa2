import { totalBytes } from "../cost/memory.js";
import { BYTES_PER_ELEMENT, type Precision, type TransformerShape } from "../cost/shape.js";
import { formatBytes } from "../foundation/format.js";
import type { SpecReport } from "../semantics/report.js";
import type { MemoryPlan, Topology } from "./plan.js";

interface HostProblem {
  readonly topology: Topology;
  readonly memory: MemoryPlan;
  readonly shape: TransformerShape;
  readonly precision: Precision;
  readonly weights: "pretrained" | "random";
}

/** Reports what the ranks of a node keep in its memory, where that is known and too small. */
export function checkHostMemory(report: SpecReport, problem: HostProblem): void {
  const { topology, memory } = problem;
  const { host_memory_bytes: available, gpus_per_node: ranks } = topology;
  if (available === null) return;
  const kept = keptBytes(problem) * ranks;
  const limit = formatBytes(available);
  if (kept > available) {
    const offloaded = memory.offload !== "none";
    const place = offloaded ? "memory.offload" : "cluster.host_memory";
    const what = `${offloaded ? "offloaded states" : "the ranks"} of ${ranks} ranks`;
    const values = { what, needed: formatBytes(kept), memory: limit };
    const help = `Use more nodes, nodes with at least ${formatBytes(kept)}, or keep less there.`;
    report.at("host-memory-exceeded", place, values, { help });
  } else if (startBytes(problem) > available) {
    const values = { needed: formatBytes(startBytes(problem)), memory: limit };
    report.at("host-memory-at-start", "cluster.host_memory", values);
  }
}

/** Bytes that the first rank holds before every rank has its weights: of pretrained ones, a parameter at a time. */
function startBytes({ shape, precision, weights }: HostProblem): number {
  return weights === "random" ? shape.parameters * BYTES_PER_ELEMENT[precision] : 0;
}

/** Bytes that one rank keeps in its node's memory while it trains; on CPU all of them. */
function keptBytes({ topology, memory }: HostProblem): number {
  const own = topology.device === "cpu" ? memory.peak_bytes : 0;
  return own + totalBytes(memory.host);
}
