import { largestLayer } from "../cost/layer-parameters.js";
import { bytesOf } from "../cost/memory-model.js";
import { BYTES_PER_ELEMENT, type Precision, type TransformerShape } from "../cost/shape.js";
import { formatBytes } from "../foundation/format.js";
import type { SpecReport } from "../semantics/report.js";
import { hostBytesOfRank } from "./memory-table.js";
import type { MemoryPlan, Topology } from "./plan.js";
import type { Setup } from "./setup.js";

interface HostProblem {
  readonly topology: Topology;
  readonly memory: MemoryPlan;
  readonly shape: TransformerShape;
  readonly precision: Precision;
  readonly weights: "pretrained" | "random";
  /** Whether adapters are merged into the weights at the end. */
  readonly merges: boolean;
}

/** Of tensors that go into a file of the merged model. Also in the runtime (`SHARD_BYTES`). */
const SHARD_BYTES = 2 ** 30;

/** Whether a run's export is the whole model with its adapters in it. */
export const mergesAdapters = ({ spec, lora }: Setup): boolean =>
  lora !== null && spec.lora.merge && spec.train.export;

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

/** The most bytes that the ranks of a node have in its memory at a time, at the start or while they train. */
export function hostBytes(problem: HostProblem): number {
  return Math.max(kept(problem).bytes, atStart(problem).bytes);
}

/** What the ranks of a node keep in its memory while they train. */
function kept(problem: HostProblem) {
  const { gpus_per_node: ranks } = problem.topology;
  const bytes = keptBytes(problem) * ranks + mergedBytes(problem);
  const [place, what] = keptThere(problem.memory);
  return {
    bytes,
    place,
    what: `${what} of ${ranks} ranks`,
    help: `Use more nodes, nodes with at least ${formatBytes(bytes)}, or keep less there.`,
  };
}

/** What the first rank holds of a merged model at a time, on the host: a file's tensors, up to the end of a layer. */
function mergedBytes({ merges, shape, precision }: HostProblem): number {
  if (!merges) return 0;
  const bytes = BYTES_PER_ELEMENT[precision];
  return Math.min(bytes * shape.parameters, SHARD_BYTES + bytes * largestLayer(shape));
}

/** The key that keeps most of it there, and what it is. */
function keptThere({ offload, host }: MemoryPlan): readonly [place: string, what: string] {
  if (offload !== "none") return ["memory.offload", "offloaded states"];
  return bytesOf(host, "checkpoints") > 0
    ? ["model.checkpointing", "layer inputs"]
    : ["cluster.host_memory", "processes"];
}

/**
 * What the ranks of a node hold before every rank has its weights: their processes, and of random weights the first rank's
 * whole model, of pretrained ones a parameter at a time.
 */
function atStart({ topology, memory, shape, precision, weights }: HostProblem) {
  const { gpus_per_node: ranks } = topology;
  const processes = bytesOf(memory.host, "process") * ranks;
  const whole = weights === "random" ? shape.parameters * BYTES_PER_ELEMENT[precision] : 0;
  return {
    bytes: processes + whole,
    place: "cluster.host_memory",
    what: `random weights, which the first rank draws as a whole${processes > 0 ? `, and processes of ${ranks} ranks` : ","}`,
    help: "Use nodes with more memory, or pretrained weights, which are read one parameter at a time.",
  };
}

/** Bytes that one rank keeps in its node's memory while it trains; on CPU all of them. */
function keptBytes({ topology, memory }: HostProblem): number {
  return hostBytesOfRank(memory, topology.device);
}
