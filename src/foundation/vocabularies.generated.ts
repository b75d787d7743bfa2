// Generated from contract/vocabularies.schema.json by scripts/generate-contract.mjs. Do not edit.

/** Kernels of attention; `auto` takes the best that is there. */
export const ATTENTION_WORDS = ["auto","flash3","flash2","varlen","sdpa"] as const;
export type Attention = (typeof ATTENTION_WORDS)[number];

/** What is recomputed in the backward, from nothing to everything; with `offload` everything too, from layer inputs that are kept in the host's memory. */
export const CHECKPOINTING_WORDS = ["none","selective","attention","full","offload"] as const;
export type Checkpointing = (typeof CHECKPOINTING_WORDS)[number];

/** What weight decay applies to. */
export const DECAYED_WORDS = ["matrices","all"] as const;
export type Decayed = (typeof DECAYED_WORDS)[number];

/** Sizes of the groups that may share a sequence: 1 and the context-parallel degree; powers of two up to it; powers of two over all ranks. Narrow to wide: each contains those before it. */
export const DEGREE_CLASS_WORDS = ["local-or-all","powers-of-two","pool"] as const;
export type DegreeClass = (typeof DEGREE_CLASS_WORDS)[number];

/** Kernels of norms, rotary embeddings and gated MLPs. */
export const FUSED_KERNELS_WORDS = ["torch","liger"] as const;
export type FusedKernels = (typeof FUSED_KERNELS_WORDS)[number];

/** What gradients are added in: the model's precision, or wider. */
export const GRADIENT_PRECISION_WORDS = ["model","fp32"] as const;
export type GradientPrecision = (typeof GRADIENT_PRECISION_WORDS)[number];

/** Whether markers in a message's text stay text or become tokens. */
export const MARKERS_WORDS = ["text","tokens"] as const;
export type Markers = (typeof MARKERS_WORDS)[number];

/** What a gradient that is not finite ends: the run, or its step. */
export const NON_FINITE_GRADIENTS_WORDS = ["stop","skip"] as const;
export type NonFiniteGradients = (typeof NON_FINITE_GRADIENTS_WORDS)[number];

/** The time to minimise: the slowest data-parallel rank's sum, or the sum over micro-batches of the slowest rank in each. */
export const OBJECTIVE_WORDS = ["free","lockstep"] as const;
export type Objective = (typeof OBJECTIVE_WORDS)[number];

/** Policies that a run can schedule with while it trains; the others are for comparison and are scheduled when compiling. */
export const ONLINE_POLICY_WORDS = ["auto","sorted","packed","deepspeed"] as const;
export type OnlinePolicy = (typeof ONLINE_POLICY_WORDS)[number];

/** Optimizers. */
export const OPTIMIZER_KIND_WORDS = ["adamw","adamw8bit","muon","sgd"] as const;
export type OptimizerKind = (typeof OPTIMIZER_KIND_WORDS)[number];

/** What becomes of a sample that is longer than `max_length`. */
export const OVERLONG_WORDS = ["drop","truncate","error"] as const;
export type Overlong = (typeof OVERLONG_WORDS)[number];

/** How a shared sequence's length is rounded: not at all, or to a multiple of twice its degree. */
export const PADDING_WORDS = ["exact","zigzag"] as const;
export type Padding = (typeof PADDING_WORDS)[number];

/** Scheduling policies. */
export const POLICY_WORDS = ["auto","skrull-paper","round-robin","dacp","sorted","packed","deepspeed"] as const;
export type Policy = (typeof POLICY_WORDS)[number];

/** Of weights and activations. */
export const PRECISION_WORDS = ["bf16","fp32"] as const;
export type Precision = (typeof PRECISION_WORDS)[number];

/** When ZeRO 2 reduces gradients. */
export const REDUCTION_WORDS = ["every-micro-batch","once"] as const;
export type Reduction = (typeof REDUCTION_WORDS)[number];

/** Whether a run goes on from the newest sound checkpoint. */
export const RESUME_WORDS = ["auto","never"] as const;
export type Resume = (typeof RESUME_WORDS)[number];

/** What becomes of a conversation whose template rewrites earlier answers. */
export const REWRITTEN_WORDS = ["split","refuse"] as const;
export type Rewritten = (typeof REWRITTEN_WORDS)[number];

/** Whether schedules are made while training or when compiling. */
export const SCHEDULE_MODE_WORDS = ["online","planned"] as const;
export type ScheduleMode = (typeof SCHEDULE_MODE_WORDS)[number];

/** Where a pretrained model lies: on the hub, or in a folder under the data root. */
export const SOURCE_KIND_WORDS = ["hub","folder"] as const;
export type SourceKind = (typeof SOURCE_KIND_WORDS)[number];

/** Which tokens the loss counts: all answers', the last answer's, all. */
export const SUPERVISE_WORDS = ["assistant","last","all"] as const;
export type Supervise = (typeof SUPERVISE_WORDS)[number];

/** Where a model's weights come from. */
export const WEIGHTS_WORDS = ["pretrained","random"] as const;
export type Weights = (typeof WEIGHTS_WORDS)[number];

/** Layouts of a row of data. */
export const FORMAT_WORDS = ["auto","messages","sharegpt","alpaca","prompt-completion","text","tokens"] as const;
export type Format = (typeof FORMAT_WORDS)[number];

/** What the learning rate does after its warm-up. */
export const LEARNING_RATE_KIND_WORDS = ["constant","linear","cosine","warmup-stable-decay"] as const;
export type LearningRateKind = (typeof LEARNING_RATE_KIND_WORDS)[number];
