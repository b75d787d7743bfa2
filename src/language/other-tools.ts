import { LANGUAGE } from "./language.js";
import type { Block, Properties } from "./types.js";

/** Where this language has what another tool calls otherwise, or why it has it not. */
export interface Counterpart {
  /** A block, a key of it, or a key of a value: `train.optimizer.adamw.lr`. */
  readonly at?: string;
  readonly note?: string;
}

const BATCHES = "The scheduler makes the micro-batches, of as many tokens as fit.";
const WRITTEN = "DeepSpeed's configuration is written by compile.";
const COUNTED = "Intervals are counted in steps.";
const PRECISION = "fp16 is not supported: it would need loss scaling.";

/** Names of Hugging Face's TrainingArguments and peft, DeepSpeed, Megatron and axolotl, several to a row. */
const ROWS: readonly (readonly [names: string, counterpart: Counterpart])[] = [
  // Data
  [
    "max_len max_seq_len max_seq_length seq_len seq_length sequence_length",
    { at: "data.max_length" },
  ],
  ["sequence_len cutoff_len model_max_length block_size", { at: "data.max_length" }],
  [
    "dataset datasets dataset_path data_path data_files train_file train_files",
    { at: "data.train" },
  ],
  ["train_data train_dataset", { at: "data.train" }],
  ["eval_data eval_dataset eval_files valid_data validation_file", { at: "evaluate.data" }],
  ["chat_template", { at: "data.template" }],
  [
    "train_on_inputs train_on_responses_only completion_only_loss",
    { at: "data.supervise", note: "assistant is the default." },
  ],
  ["tokenizer_path tokenizer_name tokenizer_name_or_path", { at: "data.tokenizer" }],
  ["packing sample_packing pack", { note: "Packing is left to the scheduler." }],
  ["shuffle shuffle_seed data_seed", { at: "train.seed", note: "Samples are always shuffled." }],
  [
    "streaming dataset_num_proc dataloader_num_workers num_workers",
    { note: "Samples are prefetched; there is nothing to set." },
  ],
  // Batches
  ["batch_size train_batch_size global_batch_size", { at: "schedule.global_batch" }],
  [
    "gradient_accumulation_steps gradient_accumulation accumulate_grad_batches",
    { at: "schedule.global_batch", note: BATCHES },
  ],
  [
    "per_device_train_batch_size per_device_batch_size micro_batch_size",
    { at: "schedule.global_batch", note: BATCHES },
  ],
  [
    "micro_batch_size_per_gpu train_micro_batch_size_per_gpu micro_batch",
    { at: "schedule.global_batch", note: BATCHES },
  ],
  [
    "per_device_eval_batch_size eval_batch_size",
    { note: "Evaluation is scheduled like training." },
  ],
  ["group_by_length", { note: "The scheduler already works by length." }],
  // Parallelism and memory
  [
    "cp cp_size cp_degree context_parallel context_parallel_size context_parallel_degree",
    { at: "parallel.context" },
  ],
  [
    "sp sp_size sequence sequence_parallel sequence_parallel_size sequence_parallel_degree",
    { at: "parallel.context" },
  ],
  ["ulysses ulysses_size ring_size", { at: "parallel.context" }],
  [
    "dp dp_size data_parallel data_parallel_size",
    { at: "parallel.context", note: "The data-parallel degree is ranks / context." },
  ],
  [
    "tp tp_size tensor_parallel tensor_parallel_size tensor_model_parallel_size",
    { at: "parallel.zero", note: "There is no tensor parallelism: ZeRO shards the weights." },
  ],
  [
    "pp pp_size pipeline_parallel pipeline_parallel_size pipeline_model_parallel_size",
    { at: "parallel.zero", note: "There is no pipeline: ZeRO shards the weights." },
  ],
  ["zero_stage stage", { at: "parallel.zero" }],
  ["zero_optimization fsdp", { at: "parallel.zero", note: "Its number is the stage." }],
  ["deepspeed_config", { note: WRITTEN }],
  ["deepspeed", { at: "cluster.deepspeed", note: `That is its version. ${WRITTEN}` }],
  [
    "offload_optimizer offload_param cpu_offload optimizer_offload",
    { at: "memory.offload", note: "It takes optimizer or all." },
  ],
  [
    "gradient_checkpointing activation_checkpointing recompute",
    { at: "model.checkpointing", note: "selective is the default." },
  ],
  [
    "recompute_granularity use_gradient_checkpointing",
    { at: "model.checkpointing", note: "selective is the default." },
  ],
  [
    "activation_offloading enable_activation_offloading activation_checkpoint_cpu_offload",
    { at: "model.checkpointing", note: "Write checkpointing = offload." },
  ],
  [
    "tiled_mlp_compute tiled_mlp_num_shards tiled_mlp_use_original_mlp",
    { at: "model.tiled_mlp", note: "It takes the tokens of a tile, or auto." },
  ],
  ["nnodes num_nodes", { at: "cluster.nodes" }],
  ["num_gpus n_gpu nproc_per_node gpus_per_node", { at: "cluster.gpus" }],
  ["world_size", { at: "cluster.gpus", note: "The ranks are nodes x gpus." }],
  // Model
  ["model_name model_name_or_path base_model pretrained_model_name_or_path", { at: "model" }],
  ["model_path checkpoint_path", { at: "model.path" }],
  ["torch_dtype dtype mixed_precision", { at: "model.precision" }],
  ["bf16", { at: "model.precision", note: "bf16 is the default." }],
  ["fp16 half", { at: "model.precision", note: PRECISION }],
  ["attn_implementation", { at: "model.attention" }],
  [
    "flash_attn flash_attention use_flash_attn use_flash_attention_2",
    { at: "model.attention", note: "auto takes the best one available." },
  ],
  [
    "rope_theta rope_factor",
    { at: "model.rope_scaling", note: "The rest is in the model's configuration." },
  ],
  // Optimisation
  ["adam adamw optim optimizer_type optimizer_name", { at: "train.optimizer" }],
  [
    "learning_rate",
    { at: "train.optimizer.adamw.lr", note: "Its schedule is train's key learning_rate." },
  ],
  ["peak_lr max_lr base_lr", { at: "train.optimizer.adamw.lr" }],
  [
    "adam_beta1 adam_beta2 beta1 beta2",
    { at: "train.optimizer.adamw.betas", note: "Both are in one list." },
  ],
  ["adam_epsilon epsilon adam_eps", { at: "train.optimizer.adamw.eps" }],
  ["wd adam_weight_decay", { at: "train.optimizer.adamw.weight_decay" }],
  [
    "lr_scheduler lr_scheduler_type lr_schedule lr_decay_style scheduler",
    { at: "train.learning_rate" },
  ],
  [
    "num_warmup_steps warmup lr_warmup_steps lr_warmup_iters",
    { at: "train.learning_rate.cosine.warmup_steps" },
  ],
  [
    "lr_warmup_fraction warmup_fraction warmup_proportion",
    { at: "train.learning_rate.cosine.warmup_ratio" },
  ],
  ["min_lr", { at: "train.learning_rate.cosine.min_ratio", note: "It is a share of the peak." }],
  ["min_lr_ratio", { at: "train.learning_rate.cosine.min_ratio" }],
  [
    "max_grad_norm gradient_clipping grad_clip clip_grad gradient_clip_val",
    { at: "train.clip_norm" },
  ],
  ["num_epochs num_train_epochs n_epochs max_epochs", { at: "train.epochs" }],
  ["max_steps num_steps train_iters total_steps num_training_steps iters", { at: "train.steps" }],
  // Adapters
  ["r lora_r lora_rank", { at: "lora.rank" }],
  ["lora_alpha", { at: "lora.alpha" }],
  ["lora_dropout", { at: "lora.dropout" }],
  ["target_modules lora_target_modules lora_target modules", { at: "lora.targets" }],
  ["lora_modules_to_save additional_target", { at: "lora.modules_to_save" }],
  [
    "resize_vocab resize_token_embeddings_to_32x resize_token_embeddings",
    { at: "model.vocabulary" },
  ],
  ["adapter_name_or_path lora_model_dir", { at: "lora.adapter" }],
  ["merge_lora merge_and_unload", { at: "lora.merge" }],
  ["load_in_4bit bnb_4bit_quant_type quantization_bit", { at: "lora.base" }],
  ["bnb_4bit_use_double_quant double_quantization", { at: "lora.double_quantisation" }],
  ["use_rslora lora_use_rslora", { at: "lora.rslora" }],
  ["use_dora lora_use_dora peft_use_dora", { at: "lora.dora" }],
  ["peft adapter adapters peft_config", { at: "lora" }],
  // Output
  ["save_steps save_interval save_every", { at: "train.checkpoint_every" }],
  ["save_strategy", { at: "train.checkpoint_every", note: COUNTED }],
  ["save_total_limit", { at: "train.keep_checkpoints" }],
  ["logging_steps log_interval steps_per_print", { at: "train.log_every" }],
  ["output_dir save_dir", { at: "train.output" }],
  ["resume_from_checkpoint auto_resume", { at: "train.resume", note: "auto is the default." }],
  ["eval_steps eval_interval eval_every", { at: "evaluate.every" }],
  ["evaluation_strategy eval_strategy", { at: "evaluate.every", note: COUNTED }],
  ["report_to logging", { at: "log" }],
  ["wandb_project", { at: "log.wandb" }],
  ["tensorboard_dir logging_dir", { at: "log.tensorboard", note: "It is true or false." }],
  // Blocks
  ["eval evaluation validation valid", { at: "evaluate" }],
  ["trainer training training_arguments", { at: "train" }],
  ["parallelism", { at: "parallel" }],
  ["machine machines hardware", { at: "cluster" }],
];

const COUNTERPARTS: ReadonlyMap<string, Counterpart> = new Map(
  ROWS.flatMap(([names, counterpart]) => names.split(" ").map((name) => [name, counterpart])),
);

/** Every name of the table. */
export const OTHER_NAMES: readonly string[] = [...COUNTERPARTS.keys()];

const BLOCKS: Readonly<Record<string, Block>> = LANGUAGE;

/** What another tool's name stands for here, or where a key of that name is. */
export function counterpartOf(written: string): Counterpart | undefined {
  const name = written.replaceAll("-", "_").toLowerCase();
  const known = COUNTERPARTS.get(name);
  if (known) return known;
  const [at] = placesOf(name);
  return at === undefined ? undefined : { at };
}

/** Paths of the keys with a name: those of blocks before those of their values. */
function placesOf(name: string): readonly string[] {
  const blocks = Object.entries(BLOCKS).map(
    ([block, { properties }]) => [block, properties] as const,
  );
  const values = blocks.flatMap(([block, properties]) => bodiesOf(block, properties));
  return [...blocks, ...values].flatMap(([path, properties]) =>
    Object.hasOwn(properties, name) ? [`${path}.${name}`] : [],
  );
}

function bodiesOf(
  block: string,
  properties: Properties,
): readonly (readonly [string, Properties])[] {
  return Object.entries(properties).flatMap(([key, { type }]) =>
    type.kind === "tagged"
      ? Object.entries(type.variants).map(
          ([tag, inside]) => [`${block}.${key}.${tag}`, inside] as const,
        )
      : [],
  );
}
