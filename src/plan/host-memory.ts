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
  const { host_memory_bytes: available } = problem.topology;
  if (available === null) return;
  const tooMuch = [kept(problem), atStart(problem)].find(({ bytes }) => bytes > available);
  if (!tooMuch) return;
  const { place, what, bytes, help } = tooMuch;
  const values = { what, needed: formatBytes(bytes), memory: formatBytes(available) };
  report.at("host-memory-exceeded", place, values, { help });
}

/** What the ranks of a node keep in its memory while they train. */
function kept(problem: HostProblem) {
  const { gpus_per_node: ranks } = problem.topology;
  const bytes = keptBytes(problem) * ranks;
  const offloaded = problem.memory.offload !== "none";
  return {
    bytes,
    place: offloaded ? "memory.offload" : "cluster.host_memory",
    what: `${offloaded ? "offloaded states" : "the ranks"} of ${ranks} ranks`,
    help: `Use more nodes, nodes with at least ${formatBytes(bytes)}, or keep less there.`,
  };
}

/** What the first rank holds before every rank has its weights: of pretrained ones, a parameter at a time. */
function atStart({ shape, precision, weights }: HostProblem) {
  return {
    bytes: weights === "random" ? shape.parameters * BYTES_PER_ELEMENT[precision] : 0,
    place: "cluster.host_memory",
    what: "random weights, which the first rank draws as a whole,",
    help: "Use nodes with more memory, or pretrained weights, which are read one parameter at a time.",
  };
}

/** Bytes that one rank keeps in its node's memory while it trains; on CPU all of them. */
function keptBytes({ topology, memory }: HostProblem): number {
  const own = topology.device === "cpu" ? memory.peak_bytes : 0;
  return own + totalBytes(memory.host);
}
