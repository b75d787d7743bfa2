import type { Offload, ZeroStage } from "../cost/memory.js";
import type { MemoryRow } from "../cost/memory-model.js";
import type { Checkpointing, Precision, TransformerShape } from "../cost/shape.js";
import type { GatherSettings } from "../cost/zero-gather.js";
import type { Share } from "../foundation/global-batches.js";
import type { Adapters, ModelFlops, TrainConfig } from "../foundation/records.generated.js";
import type {
  Attention,
  FusedKernels,
  ScheduleMode,
  SourceKind,
  Supervise,
  Weights,
} from "../foundation/vocabularies.generated.js";
import type { RenderingFacts } from "../lengths/measurement.js";
import type { DataSummary } from "../lengths/prepare-data.js";
import type { Rendering } from "../lengths/rendering.js";
import type { Forecast } from "./forecast.js";
import type { HardwarePlan } from "./hardware.js";
import type { LighterMode } from "./lighter.js";
import type { Demand } from "./machine-times.js";
import type { SchedulingPlan } from "./scheduling-problem.js";
import type { StepCount } from "./steps.js";

/** Everything that is decided before a run starts: plain immutable JSON, and all that the emitters see. */
export interface Plan {
  readonly format_version: 1;
  readonly skrull_version: string;
  readonly model: ModelPlan;
  readonly topology: Topology;
  readonly hardware: HardwarePlan;
  readonly memory: MemoryPlan;
  readonly fit: FitPlan;
  readonly data: DataPlan;
  readonly scheduling: SchedulingPlan;
  /** Of `checkpointing = auto`: what micro-batches do that need not recompute whole layers, least recomputation first. */
  readonly lighter: readonly LighterMode[];
  /** What the model asks of a machine; a profile is measured against it. */
  readonly demand: Demand;
  readonly step: StepPlan;
  readonly search: SearchPlan;
  readonly training: TrainingPlan;
  readonly evaluation: EvaluationPlan | null;
  readonly steps: StepCount;
  readonly forecast: BandedForecast;
  readonly disk: DiskPlan;
  readonly finish: FinishPlan;
}

/** How far off predictions may be, as a share of what is predicted, to either side. */
export interface Band {
  /** Of step times, and of tokens per second. */
  readonly time: number;
  /** Of a rank's memory. */
  readonly memory: number;
  /** Whose measurements say so, and how many those are. */
  readonly kind: RunKind | "profiled";
  readonly time_points: number;
  readonly memory_points: number;
}

/** Runs that are limited alike. */
export type RunKind =
  | "CPU"
  | "offload"
  | "several nodes"
  | "shared sequences"
  | "one node"
  | "one GPU";

export interface BandedForecast extends Forecast {
  /** How far off it may be. */
  readonly band: Band;
}

export interface ModelPlan {
  readonly name: string;
  readonly weights: Weights;
  /** Hub name, or a folder relative to the spec; `null` for random weights. */
  readonly source: { readonly kind: SourceKind; readonly name: string } | null;
  readonly revision: string | null;
  readonly precision: Precision;
  readonly checkpointing: Checkpointing;
  readonly attention: Attention;
  /** `null` where every weight is trained. */
  readonly lora: LoraPlan | null;
  /** Rows of the stored embedding, where the vocabulary has been made larger. */
  readonly stored_vocabulary: number | null;
  readonly kernels: FusedKernels;
  readonly compile_norms: boolean;
  /** Tokens whose logits exist at a time. */
  readonly loss_chunk: number;
  /** Tokens whose intermediate results of an MLP exist at a time; `null` for all at once. */
  readonly mlp_tile: number | null;
  /** Kind of rotary embeddings, and the positions that they reach. */
  readonly rope_type: string;
  readonly max_positions: number | null;
  readonly shape: TransformerShape;
}

export interface LoraPlan extends Adapters {
  /** That are trained, over all layers. */
  readonly parameters: number;
}

export interface Topology {
  readonly nodes: number;
  readonly gpus_per_node: number;
  readonly gpu: string;
  readonly device: "cuda" | "cpu";
  readonly ranks: number;
  readonly data_parallel: number;
  readonly context_parallel: number;
  readonly zero_stage: ZeroStage;
  readonly launcher: "deepspeed" | "torchrun";
  /** Version that the machines have, where the spec says. */
  readonly deepspeed?: string;
  readonly hosts: readonly string[];
  /** Of a node; `null` where the spec does not say. */
  readonly host_memory_bytes: number | null;
}

export interface MemoryPlan {
  readonly budget_bytes: number;
  readonly reserve_bytes: number;
  readonly fixed: readonly MemoryRow[];
  readonly per_token: readonly MemoryRow[];
  /** BucketSize C, in tokens. */
  readonly bucket: number;
  /** Largest that the budget holds, the spec's own, or one that lets more micro-batches recompute less. */
  readonly bucket_from: "budget" | "spec" | "recomputation";
  /** Predicted bytes of a rank whose micro-batch is full. */
  readonly peak_bytes: number;
  readonly zero_bucket: number;
  /** What ZeRO 3 gathers of the weights at a time; `null` below it. */
  readonly zero_gather: GatherSettings | null;
  /** Bytes for which heads of sharded sequences are attended to at a time; `null` for all heads at once. */
  readonly attention_workspace: number | null;
  readonly offload: Offload;
  /** In the host's memory, for one rank. */
  readonly host: readonly MemoryRow[];
}

/** What is needed of a memory, and what there is of it. */
export interface Room {
  readonly needed_bytes: number;
  readonly available_bytes: number;
  /** Negative where it is too little. */
  readonly spare_bytes: number;
}

/** Whether a run fits, and by how much. */
export interface FitPlan {
  readonly fits: boolean;
  /**
   * A rank's memory, reserve taken off. It needs the model's states, and its shard of the longest sequence or the
   * spec's own bucket, whichever is larger; a bucket that the spec leaves open takes what is spare.
   */
  readonly rank: Room;
  /** A node's memory, for all its ranks; `null` where the spec does not say how much it has. */
  readonly node: Room | null;
}

/** What a run writes to disk, of all ranks together. */
export interface DiskPlan {
  /** Of one checkpoint. */
  readonly checkpoint_bytes: number;
  /** Over the whole run. */
  readonly checkpoints_written: number;
  /** On disk at a time, at most: those that are kept, and one that is being written. */
  readonly checkpoints_held: number;
  /** Of the exported model, or its adapters; 0 where nothing is exported. */
  readonly export_bytes: number;
  /** On disk at a time, at most. */
  readonly peak_bytes: number;
}

/** One part of the time from the launch to the exported model. */
export interface FinishPart {
  readonly id:
    | "steps"
    | "evaluations"
    | "launch"
    | "communicators"
    | "weights"
    | "first-batches"
    | "checkpoints"
    | "export";
  /** How often it happens. */
  readonly count: number;
  readonly each_seconds: number;
  /** All of them. */
  readonly seconds: number;
}

/** When a run is done, and what that costs. */
export interface FinishPlan {
  /** The sum of the parts. */
  readonly seconds: number;
  /** Over all ranks. */
  readonly gpu_hours: number;
  /** Price of a GPU-hour, in a currency of the user's own; `null` where nobody has said it. */
  readonly gpu_hour: number | null;
  /** In the same currency. */
  readonly cost: number | null;
  readonly parts: readonly FinishPart[];
}

/** Held-out data; `null` without any. */
export interface EvaluationPlan {
  readonly every: number;
  readonly summary: DataSummary;
}

export interface DataPlan {
  /** How often an epoch draws the samples of each pattern; empty where it has every sample once. */
  readonly mixture: readonly Share[];
  /** How samples become text. */
  readonly rendering: Rendering;
  /** What makes text of conversations. */
  readonly template: {
    /** As the spec has it. */
    readonly name: string;
    /** The tokenizer's own, one in Jinja, or a declared one. */
    readonly source: RenderingFacts["template"];
    readonly sha256: string;
    readonly reads_date: boolean;
    /** Texts that end an answer. */
    readonly ends: readonly string[];
  };
  readonly tokenizer: { readonly kind: "bytes" | "files"; readonly sha256: string };
  readonly supervise: Supervise;
  readonly max_length: number;
  readonly summary: DataSummary;
}

/** What a step's forecast knows besides its schedule, us. */
export interface StepPlan {
  /** Once a step: the optimizer, and ZeRO's communication. */
  readonly fixed_us: number;
  /** Of ZeRO's communication, a micro-batch's and a step's; part of what they take, or beside it. */
  readonly zero_us: { readonly micro_batch: number; readonly step: number };
  /** Of a target, in the output head and its loss; the scheduler counts the mean share of targets only. */
  readonly target_us: number;
}

/** When schedules are made, and how long each is searched for. */
export interface SearchPlan {
  readonly mode: ScheduleMode;
  /** Refinement moves per global batch; 0 when online, where schedules are only constructed. */
  readonly iterations: number;
  /** Whether a run refuses to train where its planned schedules do not match. */
  readonly strict: boolean;
}

/** What the run is told of the optimisation, besides what follows from other parts of the plan. */
export interface TrainingPlan
  extends Omit<
    TrainConfig,
    "total_steps" | "gradients" | "evaluate_every" | "predicted_peak_bytes"
  > {
  readonly clip: number;
  /** Of the optimizer's moments and its own copy of the weights, which ZeRO keeps. */
  readonly optimizer_states: Precision;
  /** What gradients are added in, over micro-batches and ranks. */
  readonly gradients: Precision;
  readonly model_flops: ModelFlops;
}
