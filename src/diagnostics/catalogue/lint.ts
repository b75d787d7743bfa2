import type { Entries } from "./entry.js";

/** What lint rules report of sound specs, and what concerns their configuration and suppression. */
export const LINT_CODES = {
  // Parallelism and the batch
  "group-crosses-nodes": {
    severity: "warning",
    message: "a context-parallel group of {context} spans nodes of {gpus} {gpus:GPU|GPUs}",
    why: "Keys and values of every sharded sequence then cross the network in every layer.",
    help: "Use context = {gpus} if the longest sequence fits on it, or degrees = powers-of-two, which keeps shorter ones inside a node.",
  },
  "context-too-large": {
    severity: "warning",
    message: "context = {better} is predicted {gain} faster than {context}",
    why: "The longest sequence ({longest} tokens) also fits on {better} ranks, and every sequence that {context} ranks share waits for the exchange between all of them.",
    help: "Use context = {better}; skrull tune also tries ZeRO stages and checkpointing.",
  },
  "idle-ranks": {
    severity: "warning",
    message: "a global batch of {batch} leaves {idle} of {groups} data-parallel groups idle",
    why: "A sequence belongs to one group, so the others wait in every step.",
    help: "Raise global_batch to {groups} or more, or raise the CP degree.",
  },
  "heads-not-divisible": {
    severity: "warning",
    message:
      "{heads} query heads and {kv_heads} key-value heads cannot be divided among {context} ranks",
    why: "policy = deepspeed models DeepSpeed's sequence parallelism, which gives every rank its share of the heads. It could not run with these heads, so skrull's schedule of that name has no real counterpart.",
    help: "Compare at a CP degree that divides the heads.",
  },
  "hosts-name-local": {
    severity: "warning",
    message: "'{host}' is every node's name for itself",
    why: "Each of the {nodes} nodes would look for the others on itself.",
    help: "Use the names by which the nodes reach each other.",
  },
  // Memory
  "bucket-too-small": {
    severity: "warning",
    message: "the bucket of {bucket} tokens is {share} of the {most} that fit",
    why: "Every micro-batch has a fixed cost, and a small bucket makes many of them.",
    help: "Leave the bucket out to use the largest that fits.",
  },
  "reserve-too-small": {
    severity: "warning",
    message: "only {reserve} is reserved on a GPU",
    why: "The CUDA context and fragmentation take {usual} or more, and the run would end with an out-of-memory error that the plan did not foresee.",
    help: "Reserve {usual} or more.",
  },
  "host-memory-short": {
    severity: "warning",
    message:
      "offloading needs {needed} of a node's memory; nodes of {ranks} GPUs usually have up to {have}",
    why: "The ranks of a node keep in it: {table}. If that does not fit, the kernel kills the run without a message.",
    help: "State a node's memory in cluster { host_memory }, use more nodes, or offload less.",
  },
  "offload-needless": {
    severity: "warning",
    message: "everything fits on the GPU without offload = {offload}",
    why: "With the states beside it, the longest sequence needs {needed} of the {available} a rank may use, and host memory is slower by an order of magnitude.",
    help: "Write offload = none.",
  },
  "checkpointing-offload-needless": {
    severity: "warning",
    message: "checkpointing = offload moves {kept} of layer inputs to the host needlessly",
    summary: "layer inputs move to the host needlessly.",
    about:
      "Every micro-batch's layer inputs go to the host's memory and come back; that pays where they would not fit on the GPU, in general from some 64K tokens of a rank on.",
    why: "{reason}.",
    help: "Write checkpointing = full.",
  },
  "logits-dominate": {
    severity: "warning",
    message: "the logits of one chunk take {logits}, {share} what model states leave",
    why: "The loss holds the logits of {tokens} targets at a time, each with {vocabulary} entries, and they leave little room for the sequences.",
    help: "Set a smaller train { loss_chunk }, raise the budget, or shard or offload the states.",
  },
  // Model and precision
  "full-precision-on-gpu": {
    severity: "warning",
    message: "fp32 on {gpu} reaches {fp_thirty_two} TFLOP/s; bf16 reaches {bf_sixteen}",
    why: "Weights and activations also take twice the memory, and FlashAttention is not available.",
    help: "Use precision = bf16; the optimizer keeps fp32 master weights either way.",
  },
  "sequences-stay-whole": {
    severity: "error",
    message:
      "{mixing} of the model's {layers} layers need whole sequences, and groups of {group} ranks share them here",
    about:
      "Layers with a recurrence or a convolution over tokens read a sequence in order, so no other rank can have a part of it.",
    why: "State space models, gated delta rules and short convolutions carry what they have read from token to token.",
    help: "Set parallel { context = 1 }, and no degrees = pool.",
  },
  "model-unchecked": {
    severity: "warning",
    message: "no {model_type} of this kind has been tested",
    about:
      "Models are tested by what they do: kinds of layers and of rotary embeddings, for every type of model that transformers has.",
    why: "`compile` checks it, and every run does before its first step: on a small copy with random weights. A model that would not train exactly is refused.",
    help: "Check it now: python -m skrull_runtime.check_model {folder} looks at the config.json there.",
  },
  "model-undescribed": {
    severity: "info",
    message:
      "only the model itself can tell the dimensions of a {model_type}: lint looks at no memory and no cost",
    about:
      "The compiler reads the configurations of a few families by itself; models of others are asked once, by `plan`.",
    why: "The names of a configuration's keys mean something else in each family, so its model is made by transformers, without weights.",
    help: "Run skrull plan once, with a Python that has torch and transformers; what the model tells is kept.",
  },
  "revision-unpinned": {
    severity: "info",
    message: "the weights of {name} are those of {revision}, which may be others tomorrow",
    summary: "the weights are those of a revision that may change.",
    about:
      "On the hub, branches and tags move; only a commit's whole name always stands for the same weights. It matters where the spec brings a configuration of its own.",
    why: "The configuration is a file of this project, and stays as it is when the weights on the hub change.",
    help: "Write revision = with the commit's 40 digits, which git ls-remote shows of the model's repository.",
  },
  "remote-code-needed": {
    severity: "warning",
    message: "{file} refers to custom code ({names}), which a run never executes",
    why: "A run loads models without trust_remote_code, so it trains the {model_type} of transformers, whatever the custom code does differently.",
    help: "Check that the model gives the same outputs without its custom code, or use a checkpoint in the format of transformers.",
  },
  "incompatible-combination": {
    severity: "warning",
    message: "{what}",
    about:
      "Settings that are each valid do not work together in some versions of the packages that run them.",
    why: "{reason}. Known in {versions}; see {thread}.",
  },
  "outdated-deepspeed": {
    severity: "error",
    message: "version {version} of DeepSpeed is too old for a varying number of micro-batches",
    why: "Before {oldest}, gradients are dropped or leak into the next step ({threads}).",
    help: "Install {oldest} or newer.",
  },
  "attention-needs-gpu": {
    severity: "error",
    message: "attention = {attention} has no CPU kernel",
    why: "The run would end before its first step.",
    help: "Use attention = auto or sdpa.",
  },
  "tokenizer-without-meaning": {
    severity: "warning",
    message: "the pretrained weights were not trained on the byte tokenizer's ids",
    why: "A model's weights were trained on the ids of its own tokenizer; other ids select arbitrary embeddings.",
    help: "Name the model's tokenizer, or write weights = random.",
  },
  "max-length-beyond-positions": {
    severity: "warning",
    message: "max_length allows {limit} tokens; the model reaches {positions}",
    why: "Positions beyond that were neither trained nor made reachable by scaled rotary embeddings.",
  },
  // Adapters
  "adapters-on-random-weights": {
    severity: "warning",
    message: "adapters on random weights have nothing to adapt",
    why: "The weights beneath them stay the noise they began as.",
    help: "Write weights = pretrained, or lora { rank = 0 }.",
  },
  "adapters-with-zero-three": {
    severity: "warning",
    message: "{weights} of frozen weights are gathered in every pass of every micro-batch",
    about:
      "Adapters leave little to shard: if the whole weights fit on every GPU, a lower ZeRO stage avoids gathering them in every pass.",
    why: "Adapters leave little to shard: at stage {stage} a rank needs {needed} of {available} before its first token, and the weights stay where they are.",
    help: "Use ZeRO 2 or less.",
  },
  "adapters-too-large": {
    severity: "warning",
    message: "adapters of rank {rank} have {parameters} parameters, {share} of the model",
    why: "Adapters pay off because they are small; at this size, training the model itself costs little more.",
    help: "Lower the rank or adapt fewer matrices.",
  },
  "adapter-scale-unusual": {
    severity: "warning",
    message: "adapters are scaled by alpha / {divisor} = {scale}",
    why: "Values from 0.5 to 2 are usual; outside that range the learning rate no longer means what it seems to.",
    help: "Set alpha to the rank or to twice the rank.",
  },
  // Optimisation
  "learning-rate-unusual": {
    severity: "warning",
    message: "a learning rate of {rate} is {unusual} for {trained}",
    summary: "the learning rate is unusual for what is trained.",
    about:
      "Whole models are fine-tuned at 1e-6 to 1e-4. Adapters begin at zero and are usually trained at 1e-4 to 5e-4.",
    why: "{reason}",
    help: "Change it, unless this rate has proved itself.",
  },
  "betas-unsound": {
    severity: "error",
    message: "the betas [{first}, {second}] of AdamW {problem}",
    about:
      "A decay of 1 divides by zero, and averaging squares over fewer steps than gradients can make the step diverge.",
    why: "{reason}",
    help: "Values from [0.9, 0.95] to [0.9, 0.999] are usual.",
  },
  "clip-unusual": {
    severity: "warning",
    message: "gradients are clipped at a norm of {clip}",
    about:
      "A very small norm cuts nearly every step to the same length; a very large one clips nothing.",
    why: "{reason}",
    help: "1 is usual; 0 disables clipping.",
  },
  "warmup-dominates": {
    severity: "warning",
    message: "{warmup} of {steps} {steps:step|steps} {warmup:is|are} warm-up",
    about: "A few percent is usual; the learning rate is at its peak only for the rest of the run.",
    why: "{reason}",
    help: "Shorten the warm-up, or train for more steps.",
  },
  "interval-beyond-run": {
    severity: "warning",
    message: "an interval of {interval} steps never elapses: the run has {steps}",
    about: "With an interval longer than the run, what it asks for happens only at the end.",
    why: "{reason}",
    help: "Shorten the interval, or train for more steps.",
  },
  "checkpoint-never": {
    severity: "warning",
    message: "a run of {steps} {steps:step|steps} is saved only at its end",
    why: "If anything stops it earlier, all of it is lost.",
    help: "Set checkpoint_every.",
  },
  "batch-exceeds-data": {
    severity: "warning",
    message: "a global batch of {batch} is more than the data's {samples} {samples:sample|samples}",
    why: "Every step then sees all of the data, and an epoch is one step.",
    help: "Lower global_batch, or train on more data.",
  },
  "last-batch-tiny": {
    severity: "info",
    message: "the last global batch of an epoch has {last} of {batch} {batch:sequence|sequences}",
    why: "It moves the weights as far as a full batch does, on the gradient of very few sequences.",
    help: "Choose a global batch that leaves more for the last one.",
  },
  // Data
  "unsupervised-samples": {
    severity: "warning",
    message: "{count} of {samples} {samples:sample|samples} {count:has|have} no target",
    why: "They take time and memory and teach nothing.",
    help: "Check their roles and what truncation left of them, or write supervise = all.",
  },
  "evaluation-on-training-data": {
    severity: "warning",
    message: "'{file}' is used for both training and evaluation",
    why: "The evaluation would measure what was memorised.",
    help: "Hold out data that no pattern of data.train matches.",
  },
  "evaluation-too-long": {
    severity: "error",
    message:
      "the longest evaluation sequence ({longest} tokens) does not fit; the longest training sequence ({trained}) does",
    why: "The run would end in its first evaluation: a rank's share is {shard} tokens, and {bucket} fit.",
    help: "Leave out the longest evaluation samples, or make room: a higher CP degree, or a larger budget.",
  },
  "stale-lengths": {
    severity: "info",
    message: "'{file}' has changed since its lengths were measured",
    why: "Rules that need its lengths stay silent until it is measured again.",
    help: "Run skrull plan on this spec.",
  },
  "resume-on-other-ranks": {
    severity: "warning",
    message: "'{folder}' has a checkpoint of {had} {had:rank|ranks}; this spec has {ranks}",
    about:
      "A run resumes from the checkpoint in its folder. On another number of ranks the checkpoint is converted first, which DeepSpeed does for AdamW only.",
    why: "{reason}",
  },
  "weights-not-found": {
    severity: "warning",
    message: "there are no weights in '{path}': {what}",
    why: "A run reads them from there when it starts.",
    help: "Correct the path, or put the weights there before the run starts.",
  },
  "weights-unreadable": {
    severity: "error",
    message: "{file}: {problem}",
    why: "A run reads the model's weights from this file when it starts.",
    about: "A file of pretrained weights is damaged, or not what its name says.",
    help: "Copy or download it again.",
  },
  "weights-incomplete": {
    severity: "error",
    message: "the weights in '{path}' are not those of the model: {found}",
    why: "What is missing would be trained from random values, and what is not in the model would be lost; the run refuses both.",
    help: "Use the weights and the config.json that were published together.",
  },
  "weights-of-another-shape": {
    severity: "error",
    message: "the weights in '{path}' have other shapes than the model: {shapes}",
    why: "They cannot be loaded into it.",
    help: "The configuration is of another model, or was changed: use the config.json that came with the weights.",
  },
  "weights-quantised": {
    severity: "error",
    message: "the weights in '{path}' are quantised: {names} are of type {types}",
    why: "Quantised weights have no gradients, and their memory is not what is planned.",
    help: "Use the model's weights from before quantisation, in bf16, fp16 or fp32.",
  },
  "hub-weights-quantised": {
    severity: "error",
    message: "the weights of {name} on the hub are quantised ({how}), and a run refuses them",
    why: "Quantised weights have no gradients, and their memory is not what is planned; a run would first download all of them.",
    help: 'Name a folder of unquantised weights: model "{name}" { path = "FOLDER" }.',
  },
  // The spec as a file
  "secret-in-spec": {
    severity: "error",
    message: "this looks like {kind}",
    summary: "something in the spec looks like a credential.",
    why: "A spec is kept in version control and copied into runs, where everyone can read it.",
    help: "Revoke it, and pass its replacement to the run through the environment.",
  },
  "unused-import": {
    severity: "warning",
    message: "the import of '{path}' has no effect",
    about:
      "An import brings in the named blocks and constants of a file, and none of them is used.",
    why: "{reason}",
    help: "Remove it, or run lint --fix.",
  },
  "unused-constant": {
    severity: "warning",
    message: "the constant '{name}' is not used",
    why: "Someone who changes it expects the run to change. Where a key has a word of that name, the word takes precedence.",
    help: "Use it, or remove it.",
  },
  "key-without-effect": {
    severity: "warning",
    message: "'{name}' has no effect {where}",
    about: "A key is set that has no effect under the other settings.",
    why: "{reason}",
    help: "Remove it.",
  },
  // Configuration and suppression
  "invalid-config": {
    severity: "error",
    message: "{problem}",
    about: "The lint configuration does not match its schema.",
    why: "Lint would not do what this file asks for.",
    help: "See schemas/config.schema.json for what the file contains.",
  },
  "unknown-rule": {
    severity: "error",
    message: "there is no lint rule '{name}'",
    why: "A misspelt rule would otherwise be silently ignored.",
  },
  "suppression-without-reason": {
    severity: "warning",
    message: "this suppression {problem}, so it does not count",
    why: "Whoever reads it later must know why the rule does not apply.",
    help: "Write # skrull-ignore RULE: REASON",
  },
  "unknown-suppressed-rule": {
    severity: "warning",
    message: "there is no lint rule or warning '{name}' to suppress",
    why: "A misspelt name suppresses nothing.",
  },
  "unsuppressible-error": {
    severity: "warning",
    message: "'{name}' is an error of the language and cannot be suppressed",
    why: "Without a sound spec there is nothing to compile.",
    help: "Fix what it reports, and remove this suppression.",
  },
  "retired-code": {
    severity: "info",
    message: "'{name}' {fate}",
    summary: "a suppression or a configuration names a code of an earlier version.",
    about:
      "A suppression or a level under such a name has no effect: the code was dropped, or became part of one that reports more. Options of a code that became part of another one still apply.",
    why: "{reason}",
  },
  "unused-suppression": {
    severity: "warning",
    message: "nothing here reports '{name}'",
    why: "A suppression that is no longer needed would hide the next mistake.",
    help: "Remove it.",
  },
} as const satisfies Entries;
