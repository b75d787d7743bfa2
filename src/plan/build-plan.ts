import { type Diagnostic, hasErrors } from "../diagnostics/diagnostic.js";
import { formatCount } from "../foundation/format.js";
import { epochSize } from "../foundation/global-batches.js";
import { ONLINE_POLICY_WORDS, type ScheduleMode } from "../foundation/vocabularies.generated.js";
import { SpecReport } from "../semantics/report.js";
import { checkAdapters, checkPositions } from "./check-model.js";
import { makeForecast } from "./forecast.js";
import { demandOf } from "./machine-times.js";
import { memoryPlan } from "./memory-plan.js";
import { modelPlan } from "./model-plan.js";
import type { Plan } from "./plan.js";
import { costSetting, schedulingPlan, stepPlan, together } from "./scheduling-plan.js";
import type { Setup } from "./setup.js";
import { countSteps } from "./steps.js";
import { trainingPlan } from "./training-plan.js";

export interface PlanResult {
  /** Present only where no error was found. */
  readonly plan?: Plan;
  readonly diagnostics: readonly Diagnostic[];
}

const MOST_PLANNED_SEQUENCES = 2 ** 24;

/** Decides bucket size, degrees and steps, and forecasts the schedule. Pure; mistakes become diagnostics. */
export function buildPlan(setup: Setup): PlanResult {
  const report = new SpecReport(setup.origins);
  const memory = memoryPlan(setup, report);
  checkPositions(setup, report);
  checkAdapters(setup, report);
  const { diagnostics } = report;
  if (hasErrors(diagnostics)) return { diagnostics };
  const scheduling = schedulingPlan(setup, memory.bucket);
  const steps = stepCount(setup, report);
  const { train, schedule } = setup.spec;
  const lengths = setup.inputs.data.index.samples.length;
  const search = searchPlan(setup);
  const step = stepPlan(setup);
  const result = makeForecast(scheduling, lengths, {
    globalBatch: schedule.global_batch,
    seed: train.seed,
    mixture: setup.inputs.data.mixture,
    iterations: search.iterations,
    stepOverhead: step.fixed_us / 1e6,
  });
  if (!result.ok) {
    report.at("schedule-impossible", "schedule.policy", { problem: result.error.message });
    return { diagnostics };
  }
  // Whoever asks for the paper's cost has it as the paper says.
  if (together(setup) && scheduling.objective === "free" && schedule.cost !== "skrull-paper")
    report.at("free-ranks-wait", "schedule.objective", {});
  reportRouterLoss(setup, report, result.forecast.micro_batches.worst);
  const plan: Plan = {
    format_version: 1,
    skrull_version: setup.inputs.skrullVersion,
    model: modelPlan(setup),
    topology: setup.topology,
    hardware: setup.hardware,
    memory,
    data: dataPlan(setup),
    scheduling,
    demand: demandOf(costSetting(setup)),
    step,
    search,
    training: trainingPlan(setup, report, steps.total_steps),
    evaluation: evaluationPlan(setup),
    steps,
    forecast: result.forecast,
  };
  return hasErrors(diagnostics) ? { diagnostics } : { plan, diagnostics };
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
  return report.diagnostics;
}

function stepCount(setup: Setup, report: SpecReport): Plan["steps"] {
  const { train, schedule } = setup.spec;
  const limit = train.steps === undefined ? { epochs: train.epochs ?? 1 } : { steps: train.steps };
  const { summary, mixture } = setup.inputs.data;
  const samples = epochSize(summary.samples, mixture);
  const steps = countSteps(samples, schedule.global_batch, limit);
  const sequences = steps.total_steps * Math.min(schedule.global_batch, samples);
  if (modeOf(schedule) === "planned" && sequences > MOST_PLANNED_SEQUENCES) {
    report.at("planned-run-too-long", "schedule.mode", {
      sequences: formatCount(sequences),
      most: formatCount(MOST_PLANNED_SEQUENCES),
    });
  }
  return steps;
}

function searchPlan(setup: Setup): Plan["search"] {
  const { schedule } = setup.spec;
  const mode = modeOf(schedule);
  return {
    mode,
    iterations: mode === "planned" && schedule.policy === "auto" ? schedule.iterations : 0,
    strict: schedule.strict,
  };
}

/** The runtime schedules by its own policies only: others are planned. */
const modeOf = ({ mode, policy }: Setup["spec"]["schedule"]): ScheduleMode =>
  ONLINE_POLICY_WORDS.some((word) => word === policy) ? mode : "planned";

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
