import { GPU_NAMES } from "../catalogue/names.js";
import { ADAPTABLE } from "../cost/adapters.js";
import type { InferSpec, Language, NumberRange, Properties } from "./types.js";

const upTo = (max: number, min = 0): NumberRange => ({ min, max });
const aboveZero: NumberRange = { min: 0, above: true };

const integer = <R extends NumberRange>(range: R) => ({ kind: "integer", range }) as const;
const number = <R extends NumberRange>(range: R) => ({ kind: "number", range }) as const;
const oneOf = <const V extends readonly string[]>(...values: V) =>
  ({ kind: "enumeration", values }) as const;
const tokens = { kind: "quantity", dimension: "tokens", range: { min: 1, max: 2 ** 40 } } as const;
const bytes = { kind: "quantity", dimension: "bytes", range: { min: 0, max: 2 ** 50 } } as const;
const path = { kind: "path", inside: true } as const;
/** Read when compiling and copied into the run, so it may lie anywhere. */
const copiedPath = { kind: "path", inside: false } as const;

const adamw = {
  lr: {
    type: number({ ...aboveZero, max: 10 }),
    doc: "Learning rate at its peak.",
    since: 1,
    required: "There is no learning rate that suits every model.",
  },
  betas: {
    type: { kind: "list", item: number({ min: 0, max: 1 }), length: 2 },
    doc: "Decay of the running averages of gradient and squared gradient.",
    since: 1,
    default: [0.9, 0.999],
  },
  eps: {
    type: number({ ...aboveZero, max: 1 }),
    doc: "Added to the denominator.",
    since: 1,
    default: 1e-8,
  },
  weight_decay: { type: number(upTo(1)), doc: "Decoupled weight decay.", since: 1, default: 0 },
} as const satisfies Properties;

const sgd = {
  lr: adamw.lr,
  momentum: { type: number(upTo(1)), doc: "Momentum.", since: 1, default: 0 },
  weight_decay: adamw.weight_decay,
} as const satisfies Properties;

const warmup = {
  warmup_steps: {
    type: integer(upTo(1e9)),
    doc: "Steps over which the rate rises from zero.",
    since: 1,
    default: 0,
  },
  warmup_ratio: {
    type: number(upTo(1)),
    doc: "The same as a share of all steps, to the nearest whole step.",
    since: 1,
    optional: "from `warmup_steps`",
  },
} as const satisfies Properties;

const falling = {
  ...warmup,
  min_ratio: {
    type: number(upTo(1)),
    doc: "Rate at the end, as a share of the peak.",
    since: 1,
    default: 0,
  },
} as const satisfies Properties;

const stable = {
  ...falling,
  decay_ratio: {
    type: number({ ...aboveZero, max: 1 }),
    doc: "Share of all steps, the last ones, over which the rate falls in a straight line.",
    since: 1,
    default: 0.1,
  },
} as const satisfies Properties;

const column = <const Name extends string>(name: Name, doc: string) =>
  ({ type: { kind: "string" }, doc, since: 1, default: name }) as const;

/** Layouts of a line of data; the keys of each are its columns, the values the names these have in the file. */
const formats = {
  messages: {
    messages: column("messages", "Column with the list of messages."),
    role: column("role", "Key of a message's role."),
    content: column("content", "Key of a message's text."),
  },
  sharegpt: {
    conversations: column("conversations", "Column with the list of messages."),
    from: column("from", "Key of who speaks: `human` is the user, `gpt` the assistant."),
    value: column("value", "Key of a message's text."),
  },
  alpaca: {
    instruction: column("instruction", "Column with what is asked."),
    input: column(
      "input",
      "Column with what it is asked about, on a line of its own; may be empty.",
    ),
    output: column("output", "Column with the answer."),
    system: column("system", "Column with a system message; may be empty or missing."),
  },
  "prompt-completion": {
    prompt: column("prompt", "Column with the given text."),
    completion: column("completion", "Column with the text to learn."),
  },
  text: { text: column("text", "Column with the text; all of it is supervised.") },
} as const satisfies Readonly<Record<string, Properties>>;

/** The catalogue's chat templates, and a file. */
const templates = {
  chatml: {},
  llama3: {},
  mistral: {},
  zephyr: {},
  alpaca: {},
  file: {
    path: {
      type: copiedPath,
      doc: "A template, JSON or YAML, as `schemas/template.schema.json` describes it and those in `catalogue/templates` are written.",
      since: 1,
      required: "It says how messages become text.",
    },
  },
} as const satisfies Readonly<Record<string, Properties>>;

const factor = {
  type: number({ min: 1, max: 1e4 }),
  doc: "How many times as many positions.",
  since: 1,
  required: "It says how far positions are stretched.",
} as const;
const original = {
  type: tokens,
  doc: "Positions that the model was made for.",
  since: 1,
  optional: "the configuration's",
} as const;

const ropeScaling = {
  none: {},
  linear: { factor },
  yarn: {
    factor,
    original,
    beta_fast: {
      type: number({ ...aboveZero, max: 1e6 }),
      doc: "Rotations from which a frequency stays as it is.",
      since: 1,
      default: 32,
    },
    beta_slow: {
      type: number({ ...aboveZero, max: 1e6 }),
      doc: "Rotations up to which it is divided by the factor.",
      since: 1,
      default: 1,
    },
  },
  llama3: {
    factor,
    original,
    low_freq_factor: {
      type: number({ ...aboveZero, max: 1e6 }),
      doc: "Wavelengths over the original positions divided by it are stretched whole.",
      since: 1,
      default: 1,
    },
    high_freq_factor: {
      type: number({ ...aboveZero, max: 1e6 }),
      doc: "Wavelengths under the original positions divided by it stay as they are.",
      since: 1,
      default: 4,
    },
  },
} as const satisfies Readonly<Record<string, Properties>>;

/** Which line `skrull N` a spec begins with. */
export const LANGUAGE_VERSION = 1;

/**
 * The language, declared once: the checker, the reference, and everything else that needs to know a key reads
 * this table. To add a field, add it here.
 */
export const LANGUAGE = {
  model: {
    doc: "The model to train.",
    since: 1,
    required: "Its dimensions decide memory and cost.",
    label:
      'A name of the catalogue, such as "Qwen/Qwen2.5-0.5B"; or leave it out and set `config`.',
    properties: {
      config: {
        type: copiedPath,
        doc: "A Hugging Face `config.json`, instead of a catalogue name.",
        since: 1,
        optional: "from the catalogue",
      },
      weights: {
        type: oneOf("pretrained", "random"),
        doc: "Where the weights come from. `random` needs no download.",
        since: 1,
        default: "pretrained",
      },
      path: {
        type: path,
        doc: "Folder with the pretrained weights; without it they come from the hub.",
        since: 1,
        optional: "the hub",
      },
      revision: {
        type: { kind: "string" },
        doc: "Revision of the weights on the hub.",
        since: 1,
        optional: "the newest",
      },
      precision: {
        type: oneOf("bf16", "fp32"),
        doc: "Number format of weights and activations.",
        since: 1,
        default: "bf16",
      },
      checkpointing: {
        type: oneOf("none", "selective", "full"),
        doc: "What is recomputed in the backward: nothing, every layer's MLP, or every layer.",
        since: 1,
        default: "selective",
      },
      rope_scaling: {
        type: { kind: "tagged", variants: ropeScaling },
        doc: "Rotary embeddings for more positions than the model was made for, in place of what its configuration says. The kinds `dynamic` and `longrope` cannot be trained with: they depend on the longest position of a rank.",
        since: 1,
        optional: "as the configuration says",
      },
      attention: {
        type: oneOf("auto", "sdpa", "flash", "varlen"),
        doc: "Attention kernels: PyTorch's SDPA, FlashAttention, or PyTorch's varlen kernel. `auto` takes the best that is there.",
        since: 1,
        default: "auto",
      },
    },
  },
  cluster: {
    doc: "The machines of the run.",
    since: 1,
    required: "The number of ranks decides every degree of parallelism.",
    properties: {
      nodes: { type: integer(upTo(65536, 1)), doc: "Machines.", since: 1, default: 1 },
      gpus: {
        type: integer(upTo(1024, 1)),
        doc: "GPUs of a node, one rank each.",
        since: 1,
        required: "The number of ranks follows from it.",
      },
      gpu: {
        type: { kind: "enumeration", values: GPU_NAMES },
        doc: "Kind of GPU; `cpu` for runs without one.",
        since: 1,
        required: "Its memory and speed decide the plan.",
      },
      host_memory: {
        type: { ...bytes, range: { ...bytes.range, ...aboveZero } },
        doc: "Memory (RAM) of a node. What the ranks of a node keep there must fit: offloaded states, the weights that each loads, or the ranks themselves on CPU.",
        since: 1,
        optional: "not checked",
      },
      network: {
        type: { kind: "quantity", dimension: "bandwidth", range: aboveZero },
        doc: "Bandwidth between nodes, per GPU.",
        since: 1,
        default: 50e9,
      },
      profile: {
        type: copiedPath,
        doc: "A profile (JSON) measured on these machines; what it holds comes before the catalogue's figures.",
        since: 1,
        optional: "the catalogue's figures",
      },
      deepspeed: {
        type: { kind: "string" },
        doc: 'Version of DeepSpeed on the machines, such as "0.19.8"; the run\'s requirements then ask for it and no other.',
        since: 1,
        optional: "any that runs were tried with",
      },
      launcher: {
        type: oneOf("deepspeed", "torchrun"),
        doc: "What `launch.sh` starts the ranks with.",
        since: 1,
        default: "deepspeed",
      },
      timeout: {
        type: { kind: "quantity", dimension: "time", range: { min: 1, max: 7 * 24 * 3600 } },
        doc: "How long ranks wait for each other before the run ends with an error, in every collective operation.",
        since: 1,
        default: 30 * 60,
      },
      hosts: {
        type: { kind: "list", item: { kind: "string" } },
        doc: "Host names of the nodes, for the `deepspeed` launcher's `hostfile`; without them every node starts itself by `NODE_RANK`.",
        since: 1,
        default: [] as readonly string[],
      },
    },
  },
  data: {
    doc: "What to train on.",
    since: 1,
    required: "Lengths are measured before anything is scheduled.",
    properties: {
      train: {
        type: { kind: "list", item: path, nonEmpty: true },
        doc: "JSONL files or glob patterns, relative to the spec.",
        since: 1,
        required: "There would be nothing to train on.",
      },
      weights: {
        type: { kind: "list", item: number({ ...aboveZero, max: 1000 }) },
        doc: "How often an epoch has each sample, one number for each entry of `train`: 2 is twice, 0.5 every other one, in turns from epoch to epoch. The number of samples drawn is rounded once for an entry and the same in every epoch. Of entries that find the same file the first counts.",
        since: 1,
        default: [] as readonly number[],
      },
      format: {
        type: { kind: "tagged", variants: formats },
        doc: 'How a line, one JSON object, is laid out: a conversation (`messages`, `sharegpt`, `alpaca`) or plain text. Columns of other names: `format = messages { messages = "dialog" }`.',
        since: 1,
        default: { type: "messages", messages: "messages", role: "role", content: "content" },
      },
      template: {
        type: { kind: "tagged", variants: templates },
        doc: "How a conversation becomes text: one of the catalogue's templates, or your own.",
        since: 1,
        default: { type: "chatml" },
      },
      begin_token: {
        type: { kind: "string" },
        doc: "Text of the token before every sample of `prompt-completion` and `text`, such as `<s>`.",
        since: 1,
        optional: "none",
      },
      end_token: {
        type: { kind: "string" },
        doc: 'Text of the token that ends every sample of `prompt-completion` and `text`, and an answer in the templates `zephyr` and `alpaca`; `""` is none.',
        since: 1,
        optional: "the tokenizer's `eos_token`",
      },
      tokenizer: {
        type: { ...copiedPath, word: "bytes" },
        doc: 'A `tokenizer.json`, a folder with one, or `"bytes"`, which needs no file.',
        since: 1,
        required: "Lengths are counted in its tokens.",
      },
      max_length: {
        type: tokens,
        doc: "Longest sample to train on.",
        since: 1,
        required: "The longest sample decides what must fit in memory.",
      },
      overlong: {
        type: oneOf("drop", "truncate", "error"),
        doc: "What happens to longer samples.",
        since: 1,
        default: "error",
      },
      supervise: {
        type: oneOf("assistant", "last", "all"),
        doc: "Tokens that the loss counts: contents and end tokens of the assistant, of its last answer only, or all.",
        since: 1,
        default: "assistant",
      },
      malformed: {
        type: integer(upTo(2 ** 40)),
        doc: "Malformed lines to tolerate.",
        since: 1,
        default: 0,
      },
    },
  },
  parallel: {
    doc: "How the ranks share the work. The data-parallel degree follows: ranks / `context`.",
    since: 1,
    properties: {
      context: {
        type: { ...integer(upTo(65536, 1)), word: "auto" },
        doc: "Context-parallel (CP) degree: ranks that share a long sequence. `auto` takes the degree of the highest predicted tokens per second at which everything fits.",
        since: 1,
        default: 1,
      },
      zero: { type: integer(upTo(3)), doc: "ZeRO stage.", since: 1, default: 2 },
      reduction: {
        type: oneOf("auto", "every-micro-batch", "once"),
        doc: "When ZeRO 2 reduces gradients: in every backward, or `once` a step, which needs whole gradients on every rank and spares the ranks from waiting for each other at every micro-batch. `auto` takes the faster of those that fit.",
        since: 1,
        default: "auto",
      },
    },
  },
  memory: {
    doc: "Memory of one GPU (of one rank on CPU).",
    since: 1,
    properties: {
      budget: {
        type: bytes,
        doc: "What the run may use.",
        since: 1,
        optional: "the GPU's memory; on CPU a rank's share of `host_memory`, or else 8 GB",
      },
      reserve: {
        type: bytes,
        doc: "Taken off the budget for fragmentation, communication buffers and the CUDA context.",
        since: 1,
        default: 2 * 1024 ** 3,
      },
      bucket: {
        type: tokens,
        doc: "Bucket size C, the tokens of one micro-batch on a rank, instead of the largest that fits.",
        since: 1,
        optional: "the largest that fits",
      },
      offload: {
        type: oneOf("none", "optimizer", "all"),
        doc: "What is kept in the host's memory: nothing, the optimizer's states and its step (ZeRO 1 to 3), or the weights too (ZeRO 3).",
        since: 1,
        default: "none",
      },
    },
  },
  lora: {
    doc: "Low-rank adapters of peft, trained in place of the model's own weights.",
    since: 1,
    properties: {
      rank: {
        type: integer(upTo(8192)),
        doc: "Rank of the adapters; 0 trains the whole model.",
        since: 1,
        default: 0,
      },
      alpha: {
        type: number({ ...aboveZero, max: 1e6 }),
        doc: "Scale: adapters count alpha / rank.",
        since: 1,
        optional: "twice the rank",
      },
      dropout: {
        type: number(upTo(0.9)),
        doc: "Dropout before the adapters, drawn by every rank for its own tokens.",
        since: 1,
        default: 0,
      },
      targets: {
        type: { kind: "list", item: oneOf(...ADAPTABLE), nonEmpty: true },
        doc: "Matrices of every layer that get an adapter. A mixture of experts can have them in its attention only.",
        since: 1,
        default: ["q_proj", "k_proj", "v_proj", "o_proj"],
      },
    },
  },
  schedule: {
    doc: "How global batches are scheduled.",
    since: 1,
    required: "The global batch is the scope of scheduling.",
    properties: {
      global_batch: {
        type: integer(upTo(2 ** 20, 1)),
        doc: "Sequences per optimizer step, over all ranks.",
        since: 1,
        required: "It decides what the optimizer sees.",
      },
      policy: {
        type: oneOf("auto", "skrull-paper", "dacp", "round-robin", "sorted", "packed", "deepspeed"),
        doc: "Scheduling policy. `auto` builds its own schedule, never slower than `deepspeed`, `packed` and `sorted`; the others are there to compare with.",
        since: 1,
        default: "auto",
      },
      degrees: {
        type: oneOf("local-or-all", "powers-of-two", "pool"),
        doc: "Sizes of the groups that share a sequence: one rank or the whole context-parallel group; powers of two inside it; powers of two over all ranks.",
        since: 1,
        default: "local-or-all",
      },
      mode: {
        type: oneOf("online", "planned"),
        doc: "`online` schedules each step ahead while training. `planned` schedules every step of the run when compiling, with refinement, and replays that.",
        since: 1,
        default: "online",
      },
      iterations: {
        type: integer(upTo(1e9)),
        doc: "Refinement moves per global batch in planned mode.",
        since: 1,
        default: 2000,
      },
      strict: {
        type: { kind: "boolean" },
        doc: "In planned mode: refuse to train where the planned schedules do not match the data or the ranks, instead of scheduling online.",
        since: 1,
        default: false,
      },
      cost: {
        type: oneOf("exact", "skrull-paper"),
        doc: "Work of a sequence: from the model's exact dimensions, or by the generic layer of arXiv:2505.19609 (Eq. 13), to repeat its results.",
        since: 1,
        default: "exact",
      },
      objective: {
        type: oneOf("auto", "free", "lockstep"),
        doc: "Time to minimise: the slowest rank's sum (`free`), or with every micro-batch in step (`lockstep`, what ZeRO 2 and 3 do). `auto` follows the ZeRO stage.",
        since: 1,
        default: "auto",
      },
    },
  },
  train: {
    doc: "The optimisation.",
    since: 1,
    required: "The optimizer has no default.",
    properties: {
      optimizer: {
        type: { kind: "tagged", variants: { adamw, sgd } },
        doc: "The optimizer and its settings.",
        since: 1,
        required: "There is no learning rate that suits every model.",
      },
      learning_rate: {
        type: {
          kind: "tagged",
          variants: {
            constant: warmup,
            linear: falling,
            cosine: falling,
            "warmup-stable-decay": stable,
          },
        },
        doc: "How the learning rate runs after its warm-up: it stays, falls over the run, or stays and then falls.",
        since: 1,
        default: { type: "constant", warmup_steps: 0, warmup_ratio: undefined },
      },
      epochs: {
        type: integer(upTo(1e6, 1)),
        doc: "Passes over the data.",
        since: 1,
        optional: "1, unless `steps` is set",
      },
      steps: {
        type: integer(upTo(1e9, 1)),
        doc: "Optimizer steps, instead of epochs.",
        since: 1,
        optional: "from `epochs`",
      },
      seed: {
        type: integer(upTo(Number.MAX_SAFE_INTEGER)),
        doc: "Seed of the shuffle and of random weights.",
        since: 1,
        default: 17,
      },
      clip_norm: {
        type: number(upTo(1e9)),
        doc: "Gradients are clipped to this global norm; 0 switches clipping off.",
        since: 1,
        formerly: "clip",
        default: 1,
      },
      loss_chunk: {
        type: { ...tokens, range: { min: 1, max: 2 ** 20 } },
        doc: "Targets whose logits exist at a time: the output head and its cross-entropy go through a micro-batch in chunks of this size.",
        since: 1,
        optional: "what 512 MiB of logits hold; 16 MiB on CPU",
      },
      resume: {
        type: oneOf("auto", "never"),
        doc: "What a run that is started again does: `auto` goes on from its newest sound checkpoint, `never` starts anew and sets the earlier output aside.",
        since: 1,
        default: "auto",
      },
      checkpoint_every: {
        type: integer(upTo(1e9)),
        doc: "Steps between checkpoints; 0 saves only at the end.",
        since: 1,
        default: 0,
      },
      keep_checkpoints: {
        type: integer(upTo(1e6, 1)),
        doc: "Checkpoints to keep.",
        since: 1,
        default: 2,
      },
      export: {
        type: { kind: "boolean" },
        doc: "Write the trained model as a Hugging Face folder at the end, `model` in the output folder; of adapters these alone, with the configuration of the model that they are for.",
        since: 1,
        default: true,
      },
      log_every: {
        type: integer(upTo(1e9, 1)),
        doc: "Steps between printed lines; the metrics file has every step.",
        since: 1,
        default: 1,
      },
      output: {
        type: path,
        doc: "Folder for metrics and checkpoints, inside the run's folder.",
        since: 1,
        default: "output",
      },
    },
  },
  evaluate: {
    doc: "Held-out data, through the same scheduler.",
    since: 1,
    properties: {
      data: {
        type: { kind: "list", item: path },
        doc: "JSONL files or glob patterns, relative to the spec; read as the training data is. Without any, nothing is evaluated.",
        since: 1,
        default: [] as readonly string[],
      },
      every: {
        type: integer(upTo(1e9)),
        doc: "Steps between evaluations; 0 evaluates only at the end.",
        since: 1,
        default: 0,
      },
    },
  },
  log: {
    doc: "Where figures go besides `metrics.jsonl`.",
    since: 1,
    properties: {
      tensorboard: {
        type: { kind: "boolean" },
        doc: "TensorBoard's event files, in the output folder.",
        since: 1,
        default: false,
      },
      wandb: {
        type: { kind: "string" },
        doc: "A project of Weights & Biases; the package must be installed where the run is.",
        since: 1,
        optional: "none",
      },
    },
  },
} as const satisfies Language;

/** A checked spec, with defaults filled in. */
export type Spec = InferSpec<typeof LANGUAGE>;
