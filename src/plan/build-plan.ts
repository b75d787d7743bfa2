import type { ModelDimensions } from "../catalogue/dimensions.js";
import { type Gpu, memoryOfRank } from "../catalogue/gpu.js";
import type { Profile } from "../catalogue/profile.js";
import { adaptableOf, adapterParameters, type LoraShape, loraShape } from "../cost/adapters.js";
import { bucketFor, peakBytes } from "../cost/bucket.js";
import {
  type MemoryModel,
  type MemorySetting,
  memoryModel,
  type Reduction,
  totalBytes,
  type ZeroStage,
} from "../cost/memory.js";
import type { TransformerShape } from "../cost/shape.js";
import { modelFlops } from "../cost/work.js";
import { trafficStage } from "../cost/zero.js";
import { type Diagnostic, hasErrors } from "../diagnostics/diagnostic.js";
import { formatBytes, formatCount } from "../foundation/format.js";
import { epochSamples, epochSize } from "../foundation/global-batches.js";
import { sum } from "../foundation/statistics.js";
import type { Spec } from "../language/language.js";
import type { Rendering } from "../lengths/render.js";
import { degreesOfClass } from "../schedule/degrees.js";
import { type Origins, SpecReport } from "../semantics/report.js";
import type { PreparedData } from "./data.js";
import { makeForecast, solveBatches } from "./forecast.js";
import { type HardwarePlan, hardwareOf } from "./hardware.js";
import {
  type CostSetting,
  demandOf,
  fixedCost,
  schedulingCost,
  targetTime,
} from "./hardware-cost.js";
import { checkHostMemory } from "./host-memory.js";
import { type FitProblem, fits, leversThatFit, longestShard } from "./levers.js";
import { performanceOf } from "./performance.js";
import type { MemoryPlan, Plan, SchedulingPlan, Topology } from "./plan.js";
import { sampleBatches } from "./sample.js";
import { countSteps } from "./steps.js";

/** What a plan is made from, besides the spec. */
export interface PlanInputs {
  readonly modelName: string;
  readonly dimensions: ModelDimensions;
  readonly gpu: Gpu;
  /** Measured on the user's machine; its figures come before the catalogue's. */
  readonly profile: Profile | undefined;
  readonly tokenizerSha256: string;
  readonly rendering: Rendering;
  readonly data: PreparedData;
  /** Held-out samples, if the spec names any. */
  readonly evaluation: PreparedData | undefined;
  readonly skrullVersion: string;
}

export interface PlanResult {
  /** Present only where no error was found. */
  readonly plan?: Plan;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Bytes of one chunk's logits in fp32. On CPU more than 32 MiB, which glibc maps and gives back: smaller aligned
 * blocks are freed but not used again, and chunks of 16 MiB made the heap of a rank grow by 5 GiB in a micro-batch.
 */
const LOGITS_BYTES = { cuda: 512 * 1024 ** 2, cpu: 48 * 1024 ** 2 } as const;
const MOST_PLANNED_SEQUENCES = 2 ** 24;
const LARGEST_ZERO_BUCKET = 50_000_000;

/** A spec whose context-parallel degree, and when gradients are reduced, are decided. */
export type SettledSpec = Omit<Spec, "parallel"> & {
  readonly parallel: Omit<Spec["parallel"], "context" | "reduction"> & {
    readonly context: number;
    readonly reduction: Reduction;
  };
};

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

/** What a setting comes to, on some global batches. */
export type Trial =
  | {
      readonly fits: true;
      readonly bucket: number;
      readonly peak_bytes: number;
      readonly step_seconds: number;
      readonly tokens_per_second: number;
    }
  | { readonly fits: false; readonly problem: string };

/** Decides bucket size, degrees and steps, and forecasts the schedule. Pure; mistakes become diagnostics. */
export class Planner {
  private readonly report: SpecReport;
  readonly #shape: TransformerShape;
  readonly #hardware: HardwarePlan;

  constructor(
    private readonly spec: SettledSpec,
    private readonly origins: Origins,
    private readonly inputs: PlanInputs,
  ) {
    this.report = new SpecReport(origins);
    this.#shape = inputs.dimensions.shape;
    this.#hardware = hardwareOf(inputs.gpu, spec.model.precision, inputs.profile);
  }

  build(): PlanResult {
    const topology = this.#topology();
    const memory = this.#memory(topology);
    this.#checkPositions();
    this.#checkAdapters();
    const { diagnostics } = this.report;
    if (hasErrors(diagnostics)) return { diagnostics };
    const scheduling = this.#scheduling(topology, memory);
    const steps = this.#steps();
    const { train, schedule } = this.spec;
    const lengths = this.inputs.data.index.samples.length;
    const search = this.#search();
    const result = makeForecast(scheduling, lengths, {
      globalBatch: schedule.global_batch,
      seed: train.seed,
      mixture: this.inputs.data.mixture,
      iterations: search.iterations,
      stepOverhead: this.#step(topology).fixed_us / 1e6,
    });
    if (!result.ok) {
      this.report.at("schedule-impossible", "schedule.policy", { problem: result.error.message });
      return { diagnostics };
    }
    const plan: Plan = {
      format_version: 1,
      skrull_version: this.inputs.skrullVersion,
      model: this.#model(),
      topology,
      hardware: this.#hardware,
      memory,
      data: this.#data(),
      scheduling,
      demand: demandOf(this.#costSetting(topology)),
      step: this.#step(topology),
      search,
      training: this.#training(topology, steps.total_steps),
      evaluation: this.#evaluation(),
      steps,
      forecast: result.forecast,
    };
    return hasErrors(diagnostics) ? { diagnostics } : { plan, diagnostics };
  }

  #topology(): Topology {
    const { cluster, parallel } = this.spec;
    const ranks = cluster.nodes * cluster.gpus;
    return {
      nodes: cluster.nodes,
      gpus_per_node: cluster.gpus,
      gpu: cluster.gpu,
      device: this.inputs.gpu.device,
      ranks,
      data_parallel: ranks / parallel.context,
      context_parallel: parallel.context,
      zero_stage: parallel.zero as ZeroStage,
      launcher: cluster.launcher,
      ...(cluster.deepspeed === undefined ? {} : { deepspeed: cluster.deepspeed }),
      hosts: cluster.hosts,
      host_memory_bytes: cluster.host_memory ?? null,
    };
  }

  #memory(topology: Topology): MemoryPlan {
    const { memory } = this.spec;
    const fit = this.#fit(topology);
    const model = memoryModel(fit.setting);
    const bucket = memory.bucket ?? bucketFor(model, fit.budgetBytes).tokens;
    this.#checkFit(fit, model, bucket);
    const plan: MemoryPlan = {
      budget_bytes: fit.budgetBytes + memory.reserve,
      reserve_bytes: memory.reserve,
      fixed: model.fixed,
      per_token: model.perToken,
      bucket,
      bucket_from: memory.bucket === undefined ? "budget" : "spec",
      peak_bytes: peakBytes(model, bucket + 1),
      zero_bucket: fit.setting.zeroBucket,
      offload: memory.offload,
      host: model.host,
    };
    const { shape, precision } = fit.setting;
    checkHostMemory(this.report, { topology, memory: plan, shape, precision });
    return plan;
  }

  /** What decides whether the longest sequence fits. */
  #fit(topology: Topology): FitProblem {
    const { memory, model, parallel, cluster } = this.spec;
    const budget = memory.budget ?? memoryOfRank(this.inputs.gpu, cluster);
    const setting: MemorySetting = {
      shape: this.#shape,
      precision: model.precision,
      checkpointing: model.checkpointing,
      zeroStage: topology.zero_stage,
      ranks: topology.ranks,
      contextParallel: topology.context_parallel,
      optimizerMoments: this.#moments(),
      lossChunk: this.#lossChunk(),
      zeroBucket: Math.min(LARGEST_ZERO_BUCKET, this.#shape.parameters),
      reduction: parallel.reduction,
      offload: memory.offload,
      lora: this.#lora(),
      activationFactor: this.#hardware.figures.activation_factor,
    };
    return {
      setting,
      budgetBytes: budget - memory.reserve,
      longest: this.#longest(),
      bucket: memory.bucket,
    };
  }

  /** Memory of a rank, without a schedule and without diagnostics. */
  rankMemory(): RankMemory {
    const fit = this.#fit(this.#topology());
    const model = memoryModel(fit.setting);
    const bucket = bucketFor(model, fit.budgetBytes).tokens;
    return { model, available: fit.budgetBytes, bucket, fits: fits(fit) };
  }

  /** What is wrong with memory, positions and adapters: all that needs no schedule. */
  check(): readonly Diagnostic[] {
    this.#memory(this.#topology());
    this.#checkPositions();
    this.#checkAdapters();
    return this.report.diagnostics;
  }

  /** Of all sequences, held-out ones too: they take the same way. */
  #longest(): number {
    const { data, evaluation } = this.inputs;
    return Math.max(data.summary.longest, evaluation?.summary.longest ?? 0);
  }

  #lora(): LoraShape | null {
    const { rank, targets } = this.spec.lora;
    return rank > 0 ? loraShape(this.#shape, rank, targets) : null;
  }

  /** Tokens whose logits exist at a time. */
  #lossChunk(): number {
    const { loss_chunk: chosen } = this.spec.train;
    if (chosen !== undefined) return chosen;
    const tokens = Math.floor(LOGITS_BYTES[this.inputs.gpu.device] / (4 * this.#shape.vocab_size));
    return Math.max(16, Math.min(4096, tokens));
  }

  #moments(): number {
    const { optimizer } = this.spec.train;
    if (optimizer.type === "adamw") return 2;
    return optimizer.momentum > 0 ? 1 : 0;
  }

  #checkFit(fit: FitProblem, model: MemoryModel, bucket: number): void {
    const table = memoryTable(model);
    const place = this.origins.has("memory.budget") ? "memory.budget" : "parallel";
    const levers = () => {
      const found = leversThatFit(fit);
      return found.length > 0
        ? `Any one of these would do: ${found.join("; ")}.`
        : "No other degree, stage, recomputation, bucket or length makes it fit alone.";
    };
    const fixed = totalBytes(model.fixed);
    if (fixed > fit.budgetBytes) {
      const values = { needed: formatBytes(fixed), available: formatBytes(fit.budgetBytes), table };
      this.report.at("states-exceed-budget", place, values, { help: levers() });
    } else if (
      this.spec.memory.bucket !== undefined &&
      peakBytes(model, bucket + 1) > fit.budgetBytes
    ) {
      this.report.at("bucket-exceeds-budget", "memory.bucket", {
        bucket: formatCount(bucket),
        needed: formatBytes(peakBytes(model, bucket + 1)),
        available: formatBytes(fit.budgetBytes),
        most: formatCount(bucketFor(model, fit.budgetBytes).tokens),
      });
    } else if (!fits(fit)) {
      const context = fit.setting.contextParallel;
      this.report.at(
        "sequence-too-long",
        this.spec.memory.bucket === undefined ? "data.max_length" : "memory.bucket",
        {
          longest: formatCount(fit.longest),
          shard: formatCount(longestShard(fit.longest, context)),
          context,
          bucket: formatCount(bucket),
          table,
        },
        { help: levers() },
      );
    }
  }

  #checkPositions(): void {
    const { max_positions: positions, rope_type: rope } = this.inputs.dimensions;
    const longest = this.#longest();
    if (positions === undefined || longest <= positions) return;
    this.report.at(
      "position-limit",
      "data.max_length",
      { longest: formatCount(longest), positions: formatCount(positions) },
      {
        help:
          rope === "default"
            ? `Shorten max_length, or write model { rope_scaling = yarn { factor = ${Math.ceil(longest / positions)} } }.`
            : "Shorten max_length, or scale by a larger factor: model { rope_scaling = ... }.",
      },
    );
  }

  #scheduling(topology: Topology, memory: MemoryPlan): SchedulingPlan {
    const { schedule } = this.spec;
    // Every backward of ZeRO 2 and 3 communicates, so ranks move from micro-batch to micro-batch together.
    const stage = trafficStage(topology.zero_stage, this.spec.parallel.reduction);
    const byStage = stage >= 2 ? "lockstep" : "free";
    return {
      data_parallel: topology.data_parallel,
      context_parallel: topology.context_parallel,
      bucket: memory.bucket,
      padding: "zigzag",
      cost: schedulingCost(this.#costSetting(topology)),
      policy: schedule.policy,
      degrees: schedule.degrees,
      objective: schedule.objective === "auto" ? byStage : schedule.objective,
    };
  }

  /** Schedules the run's first global batches, and forecasts nothing else. */
  tryOut(batches: number): Trial {
    const topology = this.#topology();
    const memory = this.#memory(topology);
    const [error] = this.report.diagnostics.filter(({ severity }) => severity === "error");
    if (error) return { fits: false, problem: error.message };
    const scheduling = this.#scheduling(topology, memory);
    const { length: lengths } = this.inputs.data.index.samples;
    const { train, schedule } = this.spec;
    const chosen = sampleBatches(
      lengths.length,
      schedule.global_batch,
      train.seed,
      this.inputs.data.mixture,
    );
    const solved = solveBatches(scheduling, chosen.slice(0, batches), lengths, 0);
    if (!solved.ok) return { fits: false, problem: solved.error.message };
    const { step_seconds: step, tokens_per_second } = performanceOf(
      solved.solved,
      this.#step(topology).fixed_us / 1e6,
    );
    const { bucket, peak_bytes } = memory;
    return { fits: true, bucket, peak_bytes, step_seconds: step.mean, tokens_per_second };
  }

  #steps(): Plan["steps"] {
    const { train, schedule } = this.spec;
    const limit =
      train.steps === undefined ? { epochs: train.epochs ?? 1 } : { steps: train.steps };
    const { summary, mixture } = this.inputs.data;
    const samples = epochSize(summary.samples, mixture);
    const steps = countSteps(samples, schedule.global_batch, limit);
    const sequences = steps.total_steps * Math.min(schedule.global_batch, samples);
    if (schedule.mode === "planned" && sequences > MOST_PLANNED_SEQUENCES) {
      this.report.at("planned-run-too-long", "schedule.mode", {
        sequences: formatCount(sequences),
        most: formatCount(MOST_PLANNED_SEQUENCES),
      });
    }
    return steps;
  }

  #costSetting(topology: Topology): CostSetting {
    const { schedule, cluster, model } = this.spec;
    const { lengths, targetShare } = this.#drawn();
    return {
      formula: schedule.cost,
      shape: this.#shape,
      precision: model.precision,
      checkpointing: model.checkpointing,
      hardware: this.#hardware.figures,
      degrees: degreesOfClass({ ...topology, degrees: schedule.degrees }).filter((d) => d > 1),
      gpusPerNode: topology.gpus_per_node,
      networkBytesPerSecond: cluster.network,
      targetShare,
      lengths,
      zeroStage: topology.zero_stage,
      reduction: this.spec.parallel.reduction,
      ranks: topology.ranks,
      lora: this.#lora(),
    };
  }

  /** Lengths of what the first epoch trains, and the share of its tokens that are targets. */
  #drawn() {
    const { index, mixture, summary } = this.inputs.data;
    const { length, supervised } = index.samples;
    if (mixture.length === 0)
      return { lengths: length, targetShare: summary.supervised_tokens / summary.tokens };
    const drawn = epochSamples(length.length, this.spec.train.seed, 0, mixture);
    const lengths = drawn.map((sample) => length[sample] ?? 0);
    const targets = sum(drawn.map((sample) => supervised[sample] ?? 0));
    return { lengths, targetShare: targets / sum(lengths) };
  }

  #step(topology: Topology): Plan["step"] {
    const setting = this.#costSetting(topology);
    return { fixed_us: fixedCost(setting).perStep, target_us: targetTime(setting) };
  }

  #search(): Plan["search"] {
    const { mode, iterations, strict } = this.spec.schedule;
    return { mode, iterations: mode === "planned" ? iterations : 0, strict };
  }

  #model(): Plan["model"] {
    const { model } = this.spec;
    const folder = model.path !== undefined;
    const source = {
      kind: folder ? "folder" : "hub",
      name: model.path ?? model.label ?? "",
    } as const;
    return {
      name: this.inputs.modelName,
      weights: model.weights,
      source: model.weights === "random" ? null : source,
      revision: model.revision ?? null,
      precision: model.precision,
      checkpointing: model.checkpointing,
      attention: model.attention,
      lora: this.#loraPlan(),
      loss_chunk: this.#lossChunk(),
      rope_type: this.inputs.dimensions.rope_type,
      max_positions: this.inputs.dimensions.max_positions ?? null,
      shape: this.#shape,
    };
  }

  #data(): Plan["data"] {
    const { data } = this.spec;
    return {
      rendering: this.inputs.rendering,
      mixture: this.inputs.data.mixture,
      template: this.inputs.rendering.template && data.template.type,
      tokenizer: {
        kind: data.tokenizer === "bytes" ? "bytes" : "files",
        sha256: this.inputs.tokenizerSha256,
      },
      supervise: data.supervise,
      max_length: data.max_length,
      summary: this.inputs.data.summary,
    };
  }

  #loraPlan(): Plan["model"]["lora"] {
    const { rank, alpha, dropout, targets } = this.spec.lora;
    const shape = this.#lora();
    if (!shape) return null;
    const parameters = adapterParameters(this.#shape, shape);
    return { rank, alpha: alpha ?? 2 * rank, dropout, targets, parameters };
  }

  #evaluation(): Plan["evaluation"] {
    const { evaluation } = this.inputs;
    return evaluation ? { every: this.spec.evaluate.every, summary: evaluation.summary } : null;
  }

  #checkAdapters(): void {
    const { rank, targets } = this.spec.lora;
    const known: readonly string[] = adaptableOf(this.#shape);
    for (const [n, target] of targets.entries()) {
      if (rank === 0 || known.includes(target)) continue;
      const place = this.origins.has("lora.targets") ? `lora.targets.${n}` : "lora";
      const help = `There are ${known.join(", ")}.`;
      this.report.at("unknown-adapter-target", place, { target }, { help });
    }
  }

  /** Shares of the run as whole steps. */
  #learningRate(totalSteps: number): Plan["training"]["learning_rate"] {
    const { learning_rate: rate } = this.spec.train;
    const part = (ratio: number) => Math.round(ratio * totalSteps);
    const warmup = rate.warmup_ratio === undefined ? rate.warmup_steps : part(rate.warmup_ratio);
    if (warmup >= totalSteps && warmup > 0) {
      const values = { warmup: formatCount(warmup), steps: formatCount(totalSteps) };
      this.report.at("warmup-too-long", "train.learning_rate", values);
    }
    // From its peak, so not before the warm-up is over: rounded shares may overlap by a step.
    const decay = (ratio: number) => Math.max(1, Math.min(part(ratio), totalSteps - warmup));
    return {
      type: rate.type,
      warmup_steps: warmup,
      min_ratio: "min_ratio" in rate ? rate.min_ratio : 0,
      decay_steps: "decay_ratio" in rate ? decay(rate.decay_ratio) : 0,
    };
  }

  #training(topology: Topology, totalSteps: number): Plan["training"] {
    const { train, parallel, log, model, cluster } = this.spec;
    const { optimizer } = train;
    return {
      optimizer:
        optimizer.type === "adamw"
          ? { ...optimizer, betas: [optimizer.betas[0] ?? 0.9, optimizer.betas[1] ?? 0.999] }
          : optimizer,
      learning_rate: this.#learningRate(totalSteps),
      seed: train.seed,
      clip: train.clip_norm,
      resume: train.resume,
      timeout_seconds: cluster.timeout,
      checkpoint_every: train.checkpoint_every,
      keep_checkpoints: train.keep_checkpoints,
      log_every: train.log_every,
      output: train.output,
      reduction: parallel.reduction,
      export: train.export,
      tensorboard: log.tensorboard,
      wandb: log.wandb ?? null,
      model_flops: {
        ...modelFlops(this.#costSetting(topology)),
        peak: this.inputs.gpu.peak_flops[model.precision],
      },
    };
  }
}

/** Where memory goes, in one sentence. */
function memoryTable({ fixed, perToken }: MemoryModel): string {
  const states = fixed.map(({ name, bytes }) => `${name} ${formatBytes(bytes)}`).join(", ");
  const tokens = perToken.map(({ name, bytes }) => `${name} ${formatBytes(bytes)}`).join(", ");
  return `Of a rank's memory: ${states}; then for every token: ${tokens}.`;
}
