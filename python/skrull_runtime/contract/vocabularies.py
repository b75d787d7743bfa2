# Generated from contract/vocabularies.schema.json by scripts/generate-contract.mjs. Do not edit.
"""Words that a run's configuration may hold, and what they are about."""

from __future__ import annotations

from typing import Literal

# Kernels of attention; `auto` takes the best that is there.
Attention = Literal["auto", "flash3", "flash2", "varlen", "sdpa"]

# What is recomputed in the backward, from nothing to everything; with `offload` everything too, from layer inputs that are kept in the host's memory.
Checkpointing = Literal["none", "selective", "attention", "full", "offload"]

# What weight decay applies to.
Decayed = Literal["matrices", "all"]

# Sizes of the groups that may share a sequence: 1 and the context-parallel degree; powers of two up to it; powers of two over all ranks. Narrow to wide: each contains those before it.
DegreeClass = Literal["local-or-all", "powers-of-two", "pool"]

# Kernels of norms, rotary embeddings and gated MLPs.
FusedKernels = Literal["torch", "liger"]

# What gradients are added in: the model's precision, or wider.
GradientPrecision = Literal["model", "fp32"]

# Whether markers in a message's text stay text or become tokens.
Markers = Literal["text", "tokens"]

# What a gradient that is not finite ends: the run, or its step.
NonFiniteGradients = Literal["stop", "skip"]

# The time to minimise: the slowest data-parallel rank's sum, or the sum over micro-batches of the slowest rank in each.
Objective = Literal["free", "lockstep"]

# Policies that a run can schedule with while it trains; the others are for comparison and are scheduled when compiling.
OnlinePolicy = Literal["auto", "sorted", "packed", "deepspeed"]

# Optimizers.
OptimizerKind = Literal["adamw", "adamw8bit", "muon", "sgd"]

# What becomes of a sample that is longer than `max_length`.
Overlong = Literal["drop", "truncate", "error"]

# How a shared sequence's length is rounded: not at all, or to a multiple of twice its degree.
Padding = Literal["exact", "zigzag"]

# Scheduling policies.
Policy = Literal["auto", "skrull-paper", "round-robin", "dacp", "sorted", "packed", "deepspeed"]

# Of weights and activations.
Precision = Literal["bf16", "fp32"]

# When ZeRO 2 reduces gradients.
Reduction = Literal["every-micro-batch", "once"]

# Whether a run goes on from the newest sound checkpoint.
Resume = Literal["auto", "never"]

# What becomes of a conversation whose template rewrites earlier answers.
Rewritten = Literal["split", "refuse"]

# Whether schedules are made while training or when compiling.
ScheduleMode = Literal["online", "planned"]

# Where a pretrained model lies: on the hub, or in a folder under the data root.
SourceKind = Literal["hub", "folder"]

# Which tokens the loss counts: all answers', the last answer's, all.
Supervise = Literal["assistant", "last", "all"]

# Where a model's weights come from.
Weights = Literal["pretrained", "random"]

# Layouts of a row of data.
Format = Literal["auto", "messages", "sharegpt", "alpaca", "prompt-completion", "text", "tokens"]

# What the learning rate does after its warm-up.
LearningRateKind = Literal["constant", "linear", "cosine", "warmup-stable-decay"]
