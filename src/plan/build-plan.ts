import { type Diagnostic, hasErrors } from "../diagnostics/diagnostic.js";
import { formatCount } from "../foundation/format.js";
import { epochSize } from "../foundation/global-batches.js";
import { SpecReport } from "../semantics/report.js";
import { bandOf } from "./band.js";
import { checkAdapters, checkPositions, checkTiles, checkWholeSequences } from "./check-model.js";
import { diskPlan } from "./disk.js";
import { finishPlan } from "./finish.js";
import { fitPlan } from "./fit-plan.js";
import { makeForecast } from "./forecast.js";
import { demandOf } from "./machine-times.js";
import { memoryPlan } from "./memory-plan.js";
import { modelPlan } from "./model-plan.js";
import type { FitPlan, Plan } from "./plan.js";
import { lighterModes } from "./recomputation.js";
import { costSetting, schedulingPlan, stepPlan, together } from "./scheduling-plan.js";
import { searchPlan } from "./search.js";
import type { Setup } from "./setup.js";
import { stepsOf } from "./step-count.js";
import { trainingPlan } from "./training-plan.js";

export interface PlanResult {
  /** Present only where no error was found. */
  readonly plan?: Plan;
  /** Known without a plan too. */
  readonly fit: FitPlan;
  readonly diagnostics: readonly Diagnostic[];
}

const MOST_PLANNED_SEQUENCES = 2 ** 24;

/** Decides bucket size, degrees and steps, and forecasts the schedule. Pure; mistakes become diagnostics. */
export function buildPlan(setup: Setup): PlanResult {
  const report = new SpecReport(setup.origins);
  const memory = memoryPlan(setup, report);
  checkPositions(setup, report);
  checkAdapters(setup, report);
  checkTiles(setup, report);
  checkWholeSequences(setup, report);
  const { diagnostics } = report;
  const fit = fitPlan(setup, memory);
  if (hasErrors(diagnostics)) return { fit, diagnostics };
  const scheduling = schedulingPlan(setup, memory.bucket);
  const steps = stepCount(setup, report);
  const { train, schedule } = setup.spec;
  const lengths = setup.inputs.data.index.samples.length;
  const search = searchPlan(setup.spec);
  const step = stepPlan(setup);
  const lighter = lighterModes(setup, memory.bucket);
  const result = makeForecast(scheduling, lengths, {
    globalBatch: schedule.global_batch,
    seed: train.seed,
    mixture: setup.inputs.data.mixture,
    iterations: search.iterations,
    stepOverhead: step.fixed_us / 1e6,
    lighter,
  });
  if (!result.ok) {
    report.at("schedule-impossible", "schedule.policy", { problem: result.error.message });
    return { fit, diagnostics };
  }
  // Whoever asks for the paper's cost has it as the paper says.
  if (together(setup) && scheduling.objective === "free" && schedule.cost !== "skrull-paper")
    report.at("free-ranks-wait", "schedule.objective", {});
  reportRouterLoss(setup, report, result.forecast.micro_batches.worst);
  const disk = diskPlan(setup, steps);
  const finish = finishPlan(setup, { performance: result.forecast, steps, disk });
  const plan: Plan = {
    format_version: 1,
    skrull_version: setup.inputs.skrullVersion,
    model: modelPlan(setup),
    topology: setup.topology,
    hardware: setup.hardware,
    memory,
    fit,
    data: dataPlan(setup),
    scheduling,
    lighter,
    demand: demandOf(costSetting(setup)),
    step,
    search,
    training: trainingPlan(setup, report, steps.total_steps),
    evaluation: evaluationPlan(setup),
    steps,
    forecast: { ...result.forecast, band: bandOf(setup) },
    disk,
    finish,
  };
  return hasErrors(diagnostics) ? { fit, diagnostics } : { plan, fit, diagnostics };
}

/** Over several micro-batches the loss of the router is not what it is over the whole global batch. */
function reportRouterLoss(setup: Setup, report: SpecReport, microBatches: number): void {
  if (!setup.inputs.dimensions.router_loss || microBatches === 1) return;
  const micro_batches = formatCount(microBatches);
  report.at("router-loss-by-micro-batch", "schedule.global_batch", { micro_batches });
}

/** What is wrong with memory, positions and adapters: all that needs no schedule. */
export function problemsOf(setup: Setup): readonly Diagnostic[] {
  const report = new SpecReport(setup.origins);
  memoryPlan(setup, report);
  checkPositions(setup, report);
  checkAdapters(setup, report);
  checkTiles(setup, report);
  checkWholeSequences(setup, report);
  return report.diagnostics;
}

function stepCount(setup: Setup, report: SpecReport): Plan["steps"] {
  const steps = stepsOf(setup);
  const { summary, mixture } = setup.inputs.data;
  const samples = epochSize(summary.samples, mixture);
  const sequences = steps.total_steps * Math.min(steps.global_batch, samples);
  if (searchPlan(setup.spec).mode === "planned" && sequences > MOST_PLANNED_SEQUENCES) {
    report.at("planned-run-too-long", "schedule.mode", {
      sequences: formatCount(sequences),
      most: formatCount(MOST_PLANNED_SEQUENCES),
    });
  }
  return steps;
}

function dataPlan(setup: Setup): Plan["data"] {
  const { data } = setup.spec;
  return {
    rendering: setup.inputs.rendering,
    mixture: setup.inputs.data.mixture,
    template: templatePlan(setup),
    tokenizer: {
      kind: data.tokenizer === "bytes" ? "bytes" : "files",
      sha256: setup.inputs.tokenizerSha256,
    },
    supervise: data.supervise,
    max_length: data.max_length,
    summary: setup.inputs.data.summary,
  };
}

function templatePlan({ spec, inputs }: Setup): Plan["data"]["template"] {
  const { template, template_sha256, reads_date, ends } = inputs.renderingFacts;
  return {
    name: spec.data.template.type,
    source: template,
    sha256: template_sha256,
    reads_date,
    ends: ends.map(([text]) => text),
  };
}

function evaluationPlan(setup: Setup): Plan["evaluation"] {
  const { evaluation } = setup.inputs;
  return evaluation ? { every: setup.spec.evaluate.every, summary: evaluation.summary } : null;
}
