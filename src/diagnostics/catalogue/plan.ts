import type { Entries } from "./entry.js";

/** What does not fit, once the data has been measured. */
export const PLAN_CODES = {
  "states-exceed-budget": {
    severity: "error",
    message: "model states need {needed} of the {available} a rank may use, before the first token",
    why: "{table}",
    about:
      "A rank's weights, gradients, optimizer states and fixed buffers alone exceed the memory it may use. The table shows what takes the memory.",
  },
  "sequence-too-long": {
    severity: "error",
    message:
      "the longest sequence ({longest} tokens) needs {shard} tokens on each of {context} ranks; {bucket} fit",
    why: "{table}",
    about:
      "Even shared by all ranks of a context-parallel group, the longest sequence does not fit beside the model states. The table shows what takes the memory.",
  },
  "bucket-exceeds-budget": {
    severity: "error",
    message: "a bucket of {bucket} tokens needs {needed} of the {available} a rank may use",
    why: "A full micro-batch would run out of memory; at most {most} tokens fit.",
    help: "Lower the bucket, or leave it out to use the largest that fits.",
  },
  "schedule-impossible": {
    severity: "error",
    message: "no schedule was found: {problem}",
    why: "The chosen policy cannot place these sequences.",
    help: "Use policy = auto, or a larger bucket.",
  },
  "free-ranks-wait": {
    severity: "warning",
    planOnly: true,
    message:
      "objective = free treats ranks as independent, but this run's ranks wait for each other",
    why: "ZeRO 2 and 3 communicate in every micro-batch, and so does the load-balancing loss of experts, so a micro-batch takes as long as its slowest rank. The predicted step is shorter than the real one will be.",
    help: "Leave the objective out, or write objective = lockstep.",
  },
  "router-loss-by-micro-batch": {
    severity: "info",
    planOnly: true,
    message:
      "the experts' load-balancing loss is computed per micro-batch, and a step has up to {micro_batches}",
    why: "It is not a sum over tokens, so its mean over micro-batches differs from its value over the global batch and depends on the schedule.",
    help: "Nothing is wrong. With a smaller global batch, or more memory, a step has only one micro-batch; without output_router_logits in the configuration there is no such loss.",
  },
  "planned-run-too-long": {
    severity: "error",
    message: "planned mode would store {sequences} sequences; the limit is {most}",
    why: "Every step's schedule is stored before training starts.",
    help: "Use mode = online, or plan fewer steps.",
  },
  "host-memory-exceeded": {
    severity: "error",
    message: "{what} need {needed} on a node with {memory} of memory",
    why: "The operating system would kill the run when memory runs out.",
    about:
      "The ranks of a node keep offloaded states in its memory, on CPU everything; and before every rank has its part, the first one draws random weights as a whole, so that the same seed gives the same weights on any number of ranks. The operating system would kill the run when memory runs out.",
  },
  "warmup-too-long": {
    severity: "warning",
    planOnly: true,
    message:
      "the warm-up of {warmup} {warmup:step|steps} leaves none of the run's {steps} at the peak rate",
    why: "The learning rate would never reach its peak.",
    help: "Shorten the warm-up, or train for longer.",
  },
  "position-limit": {
    severity: "warning",
    message: "the longest sequence has {longest} tokens; the model was made for {positions}",
    why: "Without scaled rotary embeddings, positions beyond the limit were never trained.",
  },
} as const satisfies Entries;
