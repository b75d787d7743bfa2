// Generated from the schemas in contract/ by scripts/generate-contract.mjs. Do not edit.

import type {
  Attention,
  Checkpointing,
  Decayed,
  DegreeClass,
  FusedKernels,
  GradientPrecision,
  Markers,
  NonFiniteGradients,
  Objective,
  Overlong,
  Padding,
  Policy,
  Precision,
  Reduction,
  Resume,
  Rewritten,
  ScheduleMode,
  SourceKind,
  Supervise,
  Weights,
  LearningRateKind,
} from "./vocabularies.generated.js";

// checkpoint-state.schema.json

/** Where the sampler is, and what it draws from. */
export interface SamplerState {
  readonly step: number;
  readonly samples: number;
  readonly global_batch: number;
  readonly seed: number;
  readonly mixture?: readonly (readonly [number, number])[];
}

/** skrull_state.json: what a checkpoint is of, and the files that it consists of with their sizes in bytes */
export interface CheckpointState {
  readonly sampler: SamplerState;
  readonly data: string;
  readonly ranks: number;
  readonly defaults?: Readonly<Record<string, string>>;
  readonly attention?: string;
  readonly files: Readonly<Record<string, number>>;
}

// data-index.schema.json

export type Counts = readonly number[];

export type Positive = readonly number[];

/** A data file: its path under the data root, or the name of a data set on the hub. */
export interface IndexedFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** Rows of a file, by the key of their table in the token store. */
export interface Block {
  readonly key: string;
  readonly file: number;
}

/** Of every sample: its block, its row there, its line in the file, tokens, targets, and the checksum of its tokens. */
export interface SampleColumns {
  readonly block: Counts;
  readonly row: Counts;
  readonly line: Positive;
  readonly length: Positive;
  readonly supervised: Counts;
  readonly check: Counts;
}

/** Instead of samples, where these are many: a file of safetensors beside this one, with the same columns. */
export interface SampleTable {
  readonly count: number;
  readonly file: string;
  readonly sha256: string;
}

/** data_index.json, evaluation_index.json: where the tokens of every sample of a run are and how many, in columns of equal length */
export interface DataIndex {
  readonly format_version: 2;
  readonly files: readonly IndexedFile[];
  readonly samples?: SampleColumns;
  readonly blocks: readonly Block[];
  readonly table?: SampleTable;
}

// evaluation.schema.json

/** A line of evaluation.jsonl: the loss on held-out samples after a number of steps */
export interface Evaluation {
  readonly steps: number;
  readonly evaluation_loss: number | null;
  readonly seconds: number;
}

// metrics.schema.json

/** A line of metrics.jsonl: the figures of an optimizer step */
export interface Metrics {
  readonly step: number;
  readonly epoch?: number;
  readonly sequences?: number;
  readonly tokens: number;
  readonly supervised_tokens: number;
  readonly micro_batches: number;
  readonly loss?: number | null;
  readonly seconds: number;
  readonly predicted_seconds: number;
  readonly waited_seconds?: number;
  readonly optimizer_seconds?: number;
  readonly disturbed?: boolean;
  readonly learning_rate?: number | null;
  readonly router_loss?: number | null;
  readonly gradient_norm?: number | null;
}

// model-description.schema.json

/** Dimensions of a model, found in the model itself. */
export interface ModelDescription {
  readonly format_version: number;
  /** Version that made the model. */
  readonly transformers: string;
  /** Of the text decoder. */
  readonly model_type: string;
  /** Positions that the configuration says the model was made for. */
  readonly max_positions: number | null;
  /** Kinds of rotary embeddings. */
  readonly rope: readonly string[];
  /** Whether the load-balancing loss of experts is trained. */
  readonly router_loss: boolean;
  readonly shape: DescribedShape;
  /** Matrices of layers that can have adapters. */
  readonly matrices: readonly DescribedMatrix[];
}

/** Matrices of one name, one size and one use, over all layers. */
export interface DescribedMatrix {
  /** Of the module or parameter itself. */
  readonly name: string;
  readonly kind: "attention" | "mlp" | "experts" | "router";
  readonly inputs: Count;
  readonly outputs: Count;
  readonly count: Count;
  /** Experts whose matrices are one parameter. */
  readonly stacked?: Count;
}

/** What cost and memory depend on. */
export interface DescribedShape {
  readonly hidden_size: Count;
  readonly layers: Count;
  readonly heads: Count;
  readonly kv_heads: Count;
  readonly head_dim: Count;
  /** Width of a value head, where it is not that of a key. */
  readonly value_dim?: Count;
  readonly intermediate_size: Count;
  readonly gated_mlp: boolean;
  readonly layer_norm: boolean;
  readonly query_key_norm: boolean;
  readonly tied_embeddings: boolean;
  readonly experts: DescribedExperts | null;
  readonly sliding_window: DescribedWindow | null;
  readonly vocab_size: Count;
  readonly parameters: Count;
  /** Layers that mix the tokens of a sequence in order, without attention: its sequences stay whole. */
  readonly mixer_layers?: Count;
  /** Of a layer's attention, the mean over layers, where heads and widths do not say. */
  readonly attention_parameters?: number;
}

/** Mixture-of-experts layers. */
export interface DescribedExperts {
  readonly layers: Count;
  readonly count: Count;
  readonly active: Count;
  readonly width: Count;
  /** Width of the experts that every token passes through, together. */
  readonly shared?: Count;
}

/** Layers whose tokens attend to the nearest tokens only. */
export interface DescribedWindow {
  readonly tokens: Count;
  readonly layers: Count;
}

export type Count = number;

// run.schema.json

/** The model. */
export interface ModelConfig {
  readonly weights: Weights;
  readonly precision: Precision;
  readonly checkpointing: Checkpointing;
  /** What micro-batches do that have memory for recomputing less, least recomputation first. */
  readonly lighter_checkpointing: readonly LighterCheckpointing[];
  readonly attention: Attention;
  /** Workspace in bytes for the heads of sharded sequences that are attended to at a time; null for all heads at once. */
  readonly attention_workspace: number | null;
  readonly kernels: FusedKernels;
  readonly compile_norms: boolean;
  /** Tokens whose logits exist at a time. */
  readonly loss_chunk: number;
  /** Tokens whose intermediate results of an MLP exist at a time; null for those of a whole micro-batch. */
  readonly mlp_tile: number | null;
  /** Name on the hub, or a folder relative to the data root, by `source_kind`; null for random weights. */
  readonly source: string | null;
  readonly source_kind: SourceKind | null;
  /** Of a source on the hub. */
  readonly revision: string | null;
  /** Rows of the stored embedding and head, to which others are added; null where the model has as many. */
  readonly stored_vocabulary: number | null;
  /** Null trains the whole model. */
  readonly lora: Adapters | null;
}

/** A way to recompute less, for micro-batches of which no rank holds more than so many tokens. */
export interface LighterCheckpointing {
  readonly checkpointing: Checkpointing;
  readonly tokens: number;
}

/** LoRA. */
export interface Adapters {
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  /** Kinds and names of the matrices of layers that have adapters. */
  readonly targets: readonly string[];
  /** Scaled by alpha over the root of the rank. */
  readonly rslora?: boolean;
  /** Whether a magnitude for every output is trained besides. */
  readonly dora?: boolean;
  /** That are trained, as the plan counts them. */
  readonly parameters?: number;
  /** Number format of the frozen matrices of layers. */
  readonly base?: "model" | "nf4";
  /** Whether the scales of blocks are quantised too. */
  readonly double_quantisation?: boolean;
  /** Whether the export is the whole model, with the adapters in its weights. */
  readonly merge?: boolean;
  readonly start?: AdapterSource;
  /** Ends of the model that are trained whole. */
  readonly modules_to_save?: readonly ("embedding" | "head")[];
  /** The first of the tokens whose rows of embedding and head are trained, and the one after the last. */
  readonly token_rows?: readonly [number, number];
}

/** Trained adapters to start from. */
export interface AdapterSource {
  readonly kind: SourceKind;
  /** On the hub, or a folder relative to the data root. */
  readonly name: string;
  /** Of a source on the hub. */
  readonly revision?: string;
}

/** How samples become tokens; where they lie says `data_index.json`. */
export interface DataConfig {
  /** The spec's folder seen from the run's folder; SKRULL_DATA_ROOT overrides it. */
  readonly root: string | null;
  /** "bytes", or a folder in the run's folder. */
  readonly tokenizer: string;
  readonly supervise: Supervise;
  /** Tokens of the longest sample. */
  readonly max_length: number;
  readonly overlong: Overlong;
  readonly rendering: Rendering;
  /** Whether any sample is one; otherwise its template was not trained. */
  readonly conversations: boolean;
}

/** All that decides a sample's tokens besides its row and the tokenizer. */
export interface Rendering {
  readonly format: SampleFormat;
  /** Columns that have unusual names, and these. */
  readonly columns: Readonly<Record<string, string>>;
  /** What unusual names of speakers stand for. */
  readonly roles: Readonly<Record<string, string>>;
  /** Columns that are not read. */
  readonly ignore: readonly string[];
  /** What turns a conversation into text. */
  readonly template: object;
  /** Given to the template. */
  readonly arguments: Readonly<Record<string, string | number | boolean>>;
  /** Today, as templates are told. */
  readonly date: string;
  /** Text of the token before samples that are no conversations; null is what the tokenizer has. */
  readonly begin: string | null;
  /** Text of the token that ends samples that are no conversations; null is what the tokenizer has. */
  readonly end: string | null;
  readonly markers: Markers;
  readonly train_newline: boolean;
  readonly rewritten: Rewritten;
}

/** What a Rendering has where it states less. */
export const RENDERING_DEFAULTS = {
  "format": {
    "type": "auto"
  },
  "columns": {},
  "roles": {},
  "ignore": [],
  "template": {
    "type": "auto"
  },
  "arguments": {},
  "date": "2024-07-26",
  "begin": null,
  "end": null,
  "markers": "text",
  "train_newline": false,
  "rewritten": "split"
} as const;

/** How a row is laid out: `type` is a format, other keys are its columns by their names in the file. */
export type SampleFormat = Readonly<Record<string, string>>;

/** The optimisation and the bookkeeping of a run. */
export interface TrainConfig {
  readonly total_steps: number;
  readonly optimizer: Optimizer;
  readonly learning_rate: LearningRate;
  readonly seed: number;
  /** Steps; 0 saves only at the end. */
  readonly checkpoint_every: number;
  readonly keep_checkpoints: number;
  /** Steps. */
  readonly log_every: number;
  /** Folder of metrics and checkpoints, in the run's folder. */
  readonly output: string;
  readonly reduction: Reduction;
  readonly gradients: GradientPrecision;
  readonly non_finite_gradients: NonFiniteGradients;
  /** Adds up in the same order every time. */
  readonly deterministic: boolean;
  /** Steps between evaluations; 0 evaluates only at the end. */
  readonly evaluate_every: number;
  /** Writes the trained model as a Hugging Face folder at the end. */
  readonly export: boolean;
  readonly tensorboard: boolean;
  /** Project of Weights & Biases. */
  readonly wandb: string | null;
  /** Of a rank whose micro-batch is full, as planned. */
  readonly predicted_peak_bytes: number | null;
  readonly model_flops: ModelFlops | null;
  /** Of collective operations. */
  readonly timeout_seconds: number;
  readonly resume: Resume;
}

/** The optimizer and its settings. */
export type Optimizer = AdamW | Muon | Sgd;

/** torch.optim.AdamW, or bitsandbytes.optim.AdamW8bit with the states of the embedding in fp32. */
export interface AdamW {
  readonly type: "adamw" | "adamw8bit";
  /** At its peak. */
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weight_decay: number;
  readonly decayed: Decayed;
}

/** DeepSpeed's Muon for matrices of layers, and torch.optim.AdamW for the rest. */
export interface Muon {
  readonly type: "muon";
  /** Of Muon, at its peak. */
  readonly lr: number;
  /** Of AdamW, at its peak. */
  readonly adam_lr: number;
  readonly momentum: number;
  /** Of AdamW. */
  readonly betas: readonly [number, number];
  /** Of AdamW. */
  readonly eps: number;
  readonly weight_decay: number;
  readonly decayed: Decayed;
}

/** torch.optim.SGD. */
export interface Sgd {
  readonly type: "sgd";
  /** At its peak. */
  readonly lr: number;
  readonly momentum: number;
  readonly weight_decay: number;
  readonly decayed: Decayed;
}

/** FLOPs of a sequence, forward and backward without recomputation: for MFU. */
export interface ModelFlops {
  readonly per_token: number;
  readonly per_token_squared: number;
  /** FLOP/s of a rank. */
  readonly peak: number;
}

/** A scheduling problem without its lengths, and the global batches. */
export interface SchedulingConfig {
  readonly data_parallel: Degree;
  readonly context_parallel: Degree;
  readonly bucket: Tokens;
  readonly padding: Padding;
  readonly cost: Cost;
  readonly policy: Policy;
  readonly degrees: DegreeClass;
  readonly objective: Objective;
  /** Samples. */
  readonly global_batch: number;
  readonly seed: number;
  /** Samples of each pattern, and how often an epoch draws of them; empty where it has every sample once. */
  readonly mixture: readonly (readonly [number, number])[];
  readonly mode: ScheduleMode;
  /** Refuses to train where planned schedules do not match. */
  readonly strict: boolean;
  readonly forecast: StepForecast | null;
}

/** What a step's time depends on besides its schedule. It decides nothing. */
export interface StepForecast {
  /** Once a step: the optimizer, and ZeRO's communication. */
  readonly fixed_us: number;
  /** Of a target, in the output head and its loss. */
  readonly target_us: number;
  /** Mean share of tokens that are targets, which the scheduler counts for every token. */
  readonly target_share: number;
  /** What micro-batches cost that recompute less than the scheduler takes them to, least recomputation first. */
  readonly lighter: readonly LighterCost[];
  /** How far off it may be; null where nobody has said it. */
  readonly band: TimeBand | null;
}

/** Costs in place of the scheduling problem's, for micro-batches of which no rank holds more than so many tokens. */
export interface LighterCost {
  readonly tokens: number;
  readonly a1: Time;
  readonly a2: Time;
  readonly comm: Readonly<Record<string, CommunicationCost>>;
}

/** How far off predicted times of steps may be, to either side. */
export interface TimeBand {
  /** As a share of what is predicted. */
  readonly time: number;
  /** Runs that it was measured on, by what limits them; "profiled" for those that have a profile. */
  readonly kind: string;
  /** Measurements that it rests on. */
  readonly points: number;
}

/** The learning rate over the run, as shares of its peak. */
export interface LearningRate {
  readonly type: LearningRateKind;
  /** Steps over which the rate rises from zero. */
  readonly warmup_steps: number;
  /** Rate at the end, as a share of the peak. */
  readonly min_ratio: number;
  /** decay_ratio in steps. */
  readonly decay_steps: number;
}

// schedule-problem.schema.json

export type Tokens = number;

export type Degree = number;

/** us. Beyond any real time, and small enough that no sum or square overflows. */
export type Time = number;

/** Times in us. */
export interface Cost {
  /** Per token. */
  readonly a1: Time;
  /** Per token squared. */
  readonly a2: Time;
  /** Per micro-batch. */
  readonly fixed: Time;
  /** What a micro-batch takes at least besides `fixed`: starting its kernels, or communication that its work hides. */
  readonly least: Time;
  /** A shard of x tokens runs its attention at rate x / (x + this). */
  readonly small_shard_tokens: Time;
  /** By degree. */
  readonly comm: Readonly<Record<string, CommunicationCost>>;
}

/** Of a group of d ranks in one micro-batch: `max(c0, ca + cb * V)` us for V tokens sharded over it. */
export type CommunicationCost = readonly [Time, Time, Time];

/** A scheduling problem, as `skrull schedule` takes it */
export interface ScheduleProblem {
  readonly format_version: 1;
  readonly lengths: readonly Tokens[];
  readonly data_parallel: Degree;
  readonly context_parallel: Degree;
  /** BucketSize C: tokens that a rank holds in one micro-batch. */
  readonly bucket: Tokens;
  readonly padding: Padding;
  readonly cost: Cost;
  readonly policy: Policy;
  readonly degrees: DegreeClass;
  readonly objective: Objective;
  /** Moves of the search. */
  readonly iterations: number;
  readonly time_budget_ms: number;
  readonly seed: number;
}

// schedules-header.schema.json

/** The second line of schedules.bin: what its schedules were made for */
export interface SchedulesHeader {
  readonly scheduling: object;
  readonly steps: number;
  readonly lengths_sha256: string;
  readonly body_sha256: string;
}
