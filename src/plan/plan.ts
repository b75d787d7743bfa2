import type { MemoryRow, Offload, Reduction, ZeroStage } from "../cost/memory.js";
import type { Checkpointing, Precision, TransformerShape } from "../cost/shape.js";
import type { Share } from "../foundation/global-batches.js";
import type { Supervise } from "../foundation/vocabularies.generated.js";
import type { RenderingFacts } from "../lengths/measurement.js";
import type { Rendering } from "../lengths/rendering.js";
import type { Problem } from "../schedule/problem.js";
import type { DataSummary } from "./data.js";
import type { Forecast } from "./forecast.js";
import type { HardwarePlan } from "./hardware.js";
import type { Demand } from "./hardware-cost.js";
import type { StepCount } from "./steps.js";

/** Everything that is decided before a run starts: plain immutable JSON, and all that the emitters see. */
export interface Plan {
  readonly format_version: 1;
  readonly skrull_version: string;
  readonly model: ModelPlan;
  readonly topology: Topology;
  readonly hardware: HardwarePlan;
  readonly memory: MemoryPlan;
  readonly data: DataPlan;
  readonly scheduling: SchedulingPlan;
  /** What the model asks of a machine; a profile is measured against it. */
  readonly demand: Demand;
  readonly step: StepPlan;
  readonly search: SearchPlan;
  readonly training: TrainingPlan;
  readonly evaluation: EvaluationPlan | null;
  readonly steps: StepCount;
  readonly forecast: Forecast;
}

export interface ModelPlan {
  readonly name: string;
  readonly weights: "pretrained" | "random";
  /** Hub name, or a folder relative to the spec; `null` for random weights. */
  readonly source: { readonly kind: "hub" | "folder"; readonly name: string } | null;
  readonly revision: string | null;
  readonly precision: Precision;
  readonly checkpointing: Checkpointing;
  readonly attention: string;
  /** `null` where every weight is trained. */
  readonly lora: LoraPlan | null;
  /** Tokens whose logits exist at a time. */
  readonly kernels: "torch" | "liger";
  readonly compile_norms: boolean;
  readonly loss_chunk: number;
  /** Kind of rotary embeddings, and the positions that they reach. */
  readonly rope_type: string;
  readonly max_positions: number | null;
  readonly shape: TransformerShape;
}

export interface LoraPlan {
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  readonly targets: readonly string[];
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
  readonly bucket_from: "budget" | "spec";
  /** Predicted bytes of a rank whose micro-batch is full. */
  readonly peak_bytes: number;
  readonly zero_bucket: number;
  /** Bytes for which heads of sharded sequences are attended to at a time; `null` for all heads at once. */
  readonly attention_workspace: number | null;
  readonly offload: Offload;
  /** In the host's memory, for one rank. */
  readonly host: readonly MemoryRow[];
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

/** The contract's scheduling problem without its lengths and its search budget. */
export type SchedulingPlan = Omit<
  Problem,
  "format_version" | "lengths" | "iterations" | "time_budget_ms" | "seed"
>;

/** What a step's forecast knows besides its schedule, us. */
export interface StepPlan {
  /** Once a step: the optimizer, and ZeRO's communication. */
  readonly fixed_us: number;
  /** Of a target, in the output head and its loss; the scheduler counts the mean share of targets only. */
  readonly target_us: number;
}

/** When schedules are made, and how long each is searched for. */
export interface SearchPlan {
  readonly mode: "online" | "planned";
  /** Refinement moves per global batch; 0 when online, where schedules are only constructed. */
  readonly iterations: number;
  /** Whether a run refuses to train where its planned schedules do not match. */
  readonly strict: boolean;
}

/** What weight decay applies to. */
export type Decayed = "matrices" | "all";

export interface TrainingPlan {
  readonly optimizer:
    | {
        readonly type: "adamw";
        readonly lr: number;
        readonly betas: readonly [number, number];
        readonly eps: number;
        readonly weight_decay: number;
        readonly decayed: Decayed;
      }
    | {
        readonly type: "sgd";
        readonly lr: number;
        readonly momentum: number;
        readonly weight_decay: number;
        readonly decayed: Decayed;
      };
  readonly learning_rate: {
    readonly type: "constant" | "linear" | "cosine" | "warmup-stable-decay";
    readonly warmup_steps: number;
    /** Rate at the end over the peak. */
    readonly min_ratio: number;
    /** Last steps over which it falls; 0 where it falls over all, or never. */
    readonly decay_steps: number;
  };
  readonly seed: number;
  readonly clip: number;
  readonly non_finite_gradients: "stop" | "skip";
  readonly deterministic: boolean;
  readonly resume: "auto" | "never";
  /** Of collective operations. */
  readonly timeout_seconds: number;
  readonly checkpoint_every: number;
  readonly keep_checkpoints: number;
  readonly log_every: number;
  /** Folder for metrics and checkpoints, relative to the run's folder. */
  readonly output: string;
  /** When gradients are reduced. */
  readonly reduction: Reduction;
  /** What gradients are added in, over micro-batches and ranks. */
  readonly gradients: Precision;
  readonly export: boolean;
  readonly tensorboard: boolean;
  readonly wandb: string | null;
  /** FLOPs of a sequence of S tokens, forward and backward without recomputation, and a rank's peak: for MFU. */
  readonly model_flops: {
    readonly per_token: number;
    readonly per_token_squared: number;
    readonly peak: number;
  };
}
