import { hostFigure } from "../catalogue/host-figures.js";
import { BYTES_PER_ELEMENT } from "../cost/shape.js";
import { sum } from "../foundation/statistics.js";
import { timesEvery } from "./disk.js";
import { type EvaluationInputs, evaluationSeconds } from "./evaluation-time.js";
import { fitProblem } from "./fit.js";
import type { Performance } from "./performance.js";
import type { DiskPlan, FinishPart, FinishPlan } from "./plan.js";
import type { Setup } from "./setup.js";
import type { StepCount } from "./steps.js";

/** What the time to finish is worked out from, besides the setup. */
export interface FinishInputs {
  readonly performance: EvaluationInputs & Pick<Performance, "micro_batches">;
  readonly steps: StepCount;
  readonly disk: DiskPlan;
}

/** When a run is done, from its launch to its exported model, and what that costs. */
export function finishPlan(setup: Setup, inputs: FinishInputs): FinishPlan {
  const { performance, steps } = inputs;
  const { evaluate, cluster } = setup.spec;
  const evaluations = setup.inputs.evaluation ? timesEvery(evaluate.every, steps.total_steps) : 0;
  const parts = [
    partOf("steps", steps.total_steps, performance.step_seconds.mean),
    partOf("evaluations", evaluations, evaluationSeconds(setup, performance)),
    ...startParts(setup, performance),
    ...diskParts(inputs.disk),
  ];
  return totalOf(parts, setup.topology.ranks, cluster.gpu_hour ?? null);
}

/** The same run where its steps take `factor` times as long. */
export function finishAt(
  { parts, gpu_hour }: FinishPlan,
  ranks: number,
  factor: number,
): FinishPlan {
  const changed = parts.map((part) =>
    part.id === "steps" ? partOf("steps", part.count, part.each_seconds * factor) : part,
  );
  return totalOf(changed, ranks, gpu_hour);
}

function totalOf(all: readonly FinishPart[], ranks: number, price: number | null): FinishPlan {
  const parts = all.filter(({ count }) => count > 0);
  const seconds = sum(parts.map((part) => part.seconds));
  const hours = (seconds * ranks) / 3600;
  const cost = price === null ? null : hours * price;
  return { seconds, gpu_hours: hours, gpu_hour: price, cost, parts };
}

/** From the launch to the first step. */
function startParts(
  setup: Setup,
  { step_seconds, micro_batches }: FinishInputs["performance"],
): readonly FinishPart[] {
  const { groups } = fitProblem(setup).setting;
  const communicators = groups === null ? 0 : groups.degrees.length + (groups.ranks > 1 ? 1 : 0);
  // The pre-flight tries two micro-batches.
  const tried = (2 * step_seconds.mean) / micro_batches.mean;
  return [
    partOf("launch", 1, hostFigure("launch_seconds")),
    partOf("communicators", communicators, hostFigure("communicator_seconds")),
    partOf("weights", 1, weightsSeconds(setup)),
    partOf("first-batches", 1, hostFigure("first_batches_seconds") + tried),
  ];
}

/** Pretrained weights are read, and cross the network where there are several nodes; random ones are drawn. */
function weightsSeconds({ spec, shape, topology }: Setup): number {
  const { weights, precision } = spec.model;
  const bytes = shape.parameters * BYTES_PER_ELEMENT[precision];
  const made =
    weights === "random"
      ? shape.parameters / hostFigure("drawn_parameters_per_second")
      : bytes / hostFigure("read_bytes_per_second");
  return made + (topology.nodes > 1 ? bytes / spec.cluster.network : 0);
}

function diskParts(disk: DiskPlan): readonly FinishPart[] {
  const rate = hostFigure("write_bytes_per_second");
  const checkpoint = hostFigure("checkpoint_seconds") + disk.checkpoint_bytes / rate;
  return [
    partOf("checkpoints", disk.checkpoints_written, checkpoint),
    partOf("export", disk.export_bytes > 0 ? 1 : 0, disk.export_bytes / rate),
  ];
}

const partOf = (id: FinishPart["id"], count: number, each: number): FinishPart => ({
  id,
  count,
  each_seconds: each,
  seconds: count * each,
});
