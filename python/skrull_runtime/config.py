"""What an emitted run states: plain dataclasses, whose words are those of the contract."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

from .contract import vocabularies as words
from .errors import UserError


@dataclass(frozen=True)
class SchedulingConfig:
    """A scheduling problem without its lengths (see ``skrull_runtime.scheduling``), and the global batches."""

    data_parallel: int
    context_parallel: int
    bucket: int
    padding: words.Padding
    cost: dict[str, Any]
    policy: words.Policy
    degrees: words.DegreeClass
    objective: words.Objective
    global_batch: int
    seed: int
    mixture: list[list[int]] = field(default_factory=list)  # see shuffle.py; samples and draws
    mode: words.ScheduleMode = "online"  # "planned": replay what was scheduled when compiling
    strict: bool = False  # refuse to train where planned schedules do not match
    forecast: dict[str, float] = field(default_factory=dict)  # see forecast.py; decides nothing

    def identity(self) -> dict[str, Any]:
        """What planned schedules were made for, and must still hold."""
        without = ("mode", "strict", "forecast")
        return {name: value for name, value in asdict(self).items() if name not in without}

    def problem(self, lengths: list[int]) -> dict[str, Any]:
        """The contract's problem for a global batch of these lengths, in tokens."""
        names = (
            "data_parallel",
            "context_parallel",
            "bucket",
            "padding",
            "cost",
            "policy",
            "degrees",
            "objective",
        )
        return {
            "format_version": 1,
            "lengths": lengths,
            **{name: getattr(self, name) for name in names},
        }


@dataclass(frozen=True)
class ModelConfig:
    """The model. ``source`` is a hub name or a folder relative to the data root, by ``source_kind``."""

    weights: words.Weights
    precision: words.Precision = "bf16"
    checkpointing: words.Checkpointing = "selective"  # every layer's MLP; "attention": all but it
    attention: words.Attention = "auto"
    attention_workspace: int | None = (
        None  # bytes for heads of sharded sequences at a time; None for all
    )
    kernels: words.FusedKernels = "torch"
    compile_norms: bool = False
    loss_chunk: int = 1024  # tokens whose logits exist at a time
    source: str | None = None
    source_kind: str | None = None  # "hub" or "folder"
    revision: str | None = None
    lora: dict[str, Any] | None = None  # rank, alpha, dropout, targets; None trains the whole model


@dataclass(frozen=True)
class DataConfig:
    """How samples become tokens; where they lie says ``data_index.json``."""

    root: str | None  # the spec's folder seen from the run's folder; SKRULL_DATA_ROOT overrides it
    tokenizer: str  # "bytes", or a folder in the run's folder
    supervise: words.Supervise
    max_length: int
    overlong: words.Overlong
    rendering: dict[str, Any] = field(default_factory=dict)
    conversations: bool = True  # whether any sample is one: else its template was not trained


@dataclass(frozen=True)
class TrainConfig:
    """The optimisation and the bookkeeping of a run."""

    total_steps: int
    optimizer: dict[str, Any]
    learning_rate: dict[str, Any]
    seed: int
    checkpoint_every: int = 0
    keep_checkpoints: int = 2
    log_every: int = 1
    output: str = "output"
    reduction: words.Reduction = "every-micro-batch"  # "once" a step: whole gradients on every rank
    gradients: words.GradientPrecision = "model"  # what they are added in
    non_finite_gradients: words.NonFiniteGradients = "stop"  # the run, or "skip" the step
    deterministic: bool = False  # adds up in the same order every time
    evaluate_every: int = 0  # steps between evaluations; 0 evaluates only at the end
    export: bool = True  # the trained model as a Hugging Face folder at the end
    tensorboard: bool = False
    wandb: str | None = None  # project of Weights & Biases
    predicted_peak_bytes: int | None = None  # of a rank whose micro-batch is full, as planned
    # Of the model, without recomputation: per_token, per_token_squared, and the peak per second of a rank.
    model_flops: dict[str, float] | None = None
    timeout_seconds: float = 1800.0  # of collective operations
    resume: words.Resume = (
        "auto"  # from the newest sound checkpoint; "never" sets an earlier output aside
    )


@dataclass(frozen=True)
class RunConfig:
    """Everything of a run besides its scheduling and DeepSpeed's own configuration."""

    model: ModelConfig
    data: DataConfig
    train: TrainConfig


def require_known_words(*parts: Any) -> None:
    """Raises UserError where a part of the configuration holds a word that this runtime does not know."""
    for part in parts:
        for name, kind in get_type_hints(type(part)).items():
            if get_origin(kind) is Literal:
                require_word(f"value of {name}", getattr(part, name), kind)


def require_word(what: str, word: object, kind: Any) -> None:
    """Raises UserError where a word is not of that vocabulary."""
    if word not in (known := get_args(kind)):
        raise UserError(
            f"unknown {what} {word!r}: this runtime has {', '.join(known)}. Compile the run again with the skrull"
            " that its runtime comes from"
        )
