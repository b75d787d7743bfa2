# Generated from the schemas in contract/ by scripts/generate-contract.mjs. Do not edit.
"""What crosses from the compiler to a run: its constants, and the documents beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

if TYPE_CHECKING:
    from typing_extensions import NotRequired

from .vocabularies import (
    Attention,
    Checkpointing,
    Decayed,
    DegreeClass,
    FusedKernels,
    GradientPrecision,
    LearningRateKind,
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
)


class SamplerState(TypedDict):
    """Where the sampler is, and what it draws from."""

    step: int
    samples: int
    global_batch: int
    seed: int
    mixture: NotRequired[list[list[int]]]


class CheckpointState(TypedDict):
    """skrull_state.json: what a checkpoint is of, and the files that it consists of with their sizes in bytes"""

    sampler: SamplerState
    data: str
    ranks: int
    defaults: NotRequired[dict[str, str]]
    attention: NotRequired[str]
    files: dict[str, int]


Counts: TypeAlias = list[int]

Positive: TypeAlias = list[int]


class IndexedFile(TypedDict):
    """A data file: its path under the data root, or the name of a data set on the hub."""

    path: str
    sha256: str
    bytes: int


class Block(TypedDict):
    """Rows of a file, by the key of their table in the token store."""

    key: str
    file: int


class SampleColumns(TypedDict):
    """Of every sample: its block, its row there, its line in the file, tokens, targets, and the checksum of its tokens."""

    block: Counts
    row: Counts
    line: Positive
    length: Positive
    supervised: Counts
    check: Counts


class SampleTable(TypedDict):
    """Instead of samples, where these are many: a file of safetensors beside this one, with the same columns."""

    count: int
    file: str
    sha256: str


class DataIndex(TypedDict):
    """data_index.json, evaluation_index.json: where the tokens of every sample of a run are and how many, in columns of equal length"""

    format_version: Literal[2]
    files: list[IndexedFile]
    samples: NotRequired[SampleColumns]
    blocks: list[Block]
    table: NotRequired[SampleTable]


class Evaluation(TypedDict):
    """A line of evaluation.jsonl: the loss on held-out samples after a number of steps"""

    steps: int
    evaluation_loss: float | None
    seconds: float


class Metrics(TypedDict):
    """A line of metrics.jsonl: the figures of an optimizer step"""

    step: int
    epoch: NotRequired[int]
    sequences: NotRequired[int]
    tokens: int
    supervised_tokens: int
    micro_batches: int
    loss: NotRequired[float | None]
    seconds: float
    predicted_seconds: float
    waited_seconds: NotRequired[float]
    optimizer_seconds: NotRequired[float]
    disturbed: NotRequired[bool]
    learning_rate: NotRequired[float | None]
    router_loss: NotRequired[float | None]
    gradient_norm: NotRequired[float | None]


class ModelDescription(TypedDict):
    """Dimensions of a model, found in the model itself."""

    format_version: int
    # Version that made the model.
    transformers: str
    # Of the text decoder.
    model_type: str
    # Positions that the configuration says the model was made for.
    max_positions: int | None
    # Kinds of rotary embeddings.
    rope: list[str]
    # Whether the load-balancing loss of experts is trained.
    router_loss: bool
    shape: DescribedShape
    # Matrices of layers that can have adapters.
    matrices: list[DescribedMatrix]


class DescribedMatrix(TypedDict):
    """Matrices of one name, one size and one use, over all layers."""

    # Of the module or parameter itself.
    name: str
    kind: Literal["attention", "mlp", "experts", "router"]
    inputs: Count
    outputs: Count
    count: Count
    # Experts whose matrices are one parameter.
    stacked: NotRequired[Count]


class DescribedShape(TypedDict):
    """What cost and memory depend on."""

    hidden_size: Count
    layers: Count
    heads: Count
    kv_heads: Count
    head_dim: Count
    # Width of a value head, where it is not that of a key.
    value_dim: NotRequired[Count]
    intermediate_size: Count
    gated_mlp: bool
    layer_norm: bool
    query_key_norm: bool
    tied_embeddings: bool
    experts: DescribedExperts | None
    sliding_window: DescribedWindow | None
    vocab_size: Count
    parameters: Count
    # Layers that mix the tokens of a sequence in order, without attention: its sequences stay whole.
    mixer_layers: NotRequired[Count]
    # Of a layer's attention, the mean over layers, where heads and widths do not say.
    attention_parameters: NotRequired[float]


class DescribedExperts(TypedDict):
    """Mixture-of-experts layers."""

    layers: Count
    count: Count
    active: Count
    width: Count
    # Width of the experts that every token passes through, together.
    shared: NotRequired[Count]


class DescribedWindow(TypedDict):
    """Layers whose tokens attend to the nearest tokens only."""

    tokens: Count
    layers: Count


Count: TypeAlias = int


@dataclass(frozen=True)
class ModelConfig:
    """The model."""

    weights: Weights
    precision: Precision = "bf16"
    checkpointing: Checkpointing = "selective"
    # What micro-batches do that have memory for recomputing less, least recomputation first.
    lighter_checkpointing: list[LighterCheckpointing] = field(default_factory=list)
    attention: Attention = "auto"
    # Workspace in bytes for the heads of sharded sequences that are attended to at a time; null for all heads at once.
    attention_workspace: int | None = None
    kernels: FusedKernels = "torch"
    compile_norms: bool = False
    # Tokens whose logits exist at a time.
    loss_chunk: int = 1024
    # Tokens whose intermediate results of an MLP exist at a time; null for those of a whole micro-batch.
    mlp_tile: int | None = None
    # Name on the hub, or a folder relative to the data root, by `source_kind`; null for random weights.
    source: str | None = None
    source_kind: SourceKind | None = None
    # Of a source on the hub.
    revision: str | None = None
    # Rows of the stored embedding and head, to which others are added; null where the model has as many.
    stored_vocabulary: int | None = None
    # Null trains the whole model.
    lora: Adapters | None = None


class LighterCheckpointing(TypedDict):
    """A way to recompute less, for micro-batches of which no rank holds more than so many tokens."""

    checkpointing: Checkpointing
    tokens: int


class Adapters(TypedDict):
    """LoRA."""

    rank: int
    alpha: float
    dropout: float
    # Kinds and names of the matrices of layers that have adapters.
    targets: list[str]
    # Scaled by alpha over the root of the rank.
    rslora: NotRequired[bool]
    # Whether a magnitude for every output is trained besides.
    dora: NotRequired[bool]
    # That are trained, as the plan counts them.
    parameters: NotRequired[int]
    # Number format of the frozen matrices of layers.
    base: NotRequired[Literal["model", "nf4"]]
    # Whether the scales of blocks are quantised too.
    double_quantisation: NotRequired[bool]
    # Whether the export is the whole model, with the adapters in its weights.
    merge: NotRequired[bool]
    start: NotRequired[AdapterSource]
    # Ends of the model that are trained whole.
    modules_to_save: NotRequired[list[Literal["embedding", "head"]]]
    # The first of the tokens whose rows of embedding and head are trained, and the one after the last.
    token_rows: NotRequired[list[int]]


class AdapterSource(TypedDict):
    """Trained adapters to start from."""

    kind: SourceKind
    # On the hub, or a folder relative to the data root.
    name: str
    # Of a source on the hub.
    revision: NotRequired[str]


@dataclass(frozen=True)
class DataConfig:
    """How samples become tokens; where they lie says `data_index.json`."""

    # The spec's folder seen from the run's folder; SKRULL_DATA_ROOT overrides it.
    root: str | None
    # "bytes", or a folder in the run's folder.
    tokenizer: str
    supervise: Supervise
    # Tokens of the longest sample.
    max_length: int
    overlong: Overlong
    rendering: Rendering = field(default_factory=lambda: Rendering())
    # Whether any sample is one; otherwise its template was not trained.
    conversations: bool = True


class Rendering(TypedDict):
    """All that decides a sample's tokens besides its row and the tokenizer."""

    format: NotRequired[SampleFormat]
    # Columns that have unusual names, and these.
    columns: NotRequired[dict[str, str]]
    # What unusual names of speakers stand for.
    roles: NotRequired[dict[str, str]]
    # Columns that are not read.
    ignore: NotRequired[list[str]]
    # What turns a conversation into text.
    template: NotRequired[dict[str, Any]]
    # Given to the template.
    arguments: NotRequired[dict[str, str | float | bool]]
    # Today, as templates are told.
    date: NotRequired[str]
    # Text of the token before samples that are no conversations; null is what the tokenizer has.
    begin: NotRequired[str | None]
    # Text of the token that ends samples that are no conversations; null is what the tokenizer has.
    end: NotRequired[str | None]
    markers: NotRequired[Markers]
    train_newline: NotRequired[bool]
    rewritten: NotRequired[Rewritten]


# What a Rendering has where it states less.
RENDERING_DEFAULTS: Rendering = {
    "format": {"type": "auto"},
    "columns": {},
    "roles": {},
    "ignore": [],
    "template": {"type": "auto"},
    "arguments": {},
    "date": "2024-07-26",
    "begin": None,
    "end": None,
    "markers": "text",
    "train_newline": False,
    "rewritten": "split",
}


# How a row is laid out: `type` is a format, other keys are its columns by their names in the file.
SampleFormat: TypeAlias = dict[str, str]


@dataclass(frozen=True)
class TrainConfig:
    """The optimisation and the bookkeeping of a run."""

    total_steps: int
    optimizer: Optimizer
    learning_rate: LearningRate
    seed: int
    # Steps; 0 saves only at the end.
    checkpoint_every: int = 0
    keep_checkpoints: int = 2
    # Steps.
    log_every: int = 1
    # Folder of metrics and checkpoints, in the run's folder.
    output: str = "output"
    reduction: Reduction = "every-micro-batch"
    gradients: GradientPrecision = "model"
    non_finite_gradients: NonFiniteGradients = "stop"
    # Adds up in the same order every time.
    deterministic: bool = False
    # Steps between evaluations; 0 evaluates only at the end.
    evaluate_every: int = 0
    # Writes the trained model as a Hugging Face folder at the end.
    export: bool = True
    tensorboard: bool = False
    # Project of Weights & Biases.
    wandb: str | None = None
    # Of a rank whose micro-batch is full, as planned.
    predicted_peak_bytes: int | None = None
    model_flops: ModelFlops | None = None
    # Of collective operations.
    timeout_seconds: float = 1800
    resume: Resume = "auto"


# The optimizer and its settings.
Optimizer: TypeAlias = "AdamW | Muon | Sgd"


class AdamW(TypedDict):
    """torch.optim.AdamW, or bitsandbytes.optim.AdamW8bit with the states of the embedding in fp32."""

    type: Literal["adamw", "adamw8bit"]
    # At its peak.
    lr: float
    betas: NotRequired[list[float]]
    eps: NotRequired[float]
    weight_decay: NotRequired[float]
    decayed: NotRequired[Decayed]


class Muon(TypedDict):
    """DeepSpeed's Muon for matrices of layers, and torch.optim.AdamW for the rest."""

    type: Literal["muon"]
    # Of Muon, at its peak.
    lr: float
    # Of AdamW, at its peak.
    adam_lr: NotRequired[float]
    momentum: NotRequired[float]
    # Of AdamW.
    betas: NotRequired[list[float]]
    # Of AdamW.
    eps: NotRequired[float]
    weight_decay: NotRequired[float]
    decayed: NotRequired[Decayed]


class Sgd(TypedDict):
    """torch.optim.SGD."""

    type: Literal["sgd"]
    # At its peak.
    lr: float
    momentum: NotRequired[float]
    weight_decay: NotRequired[float]
    decayed: NotRequired[Decayed]


class ModelFlops(TypedDict):
    """FLOPs of a sequence, forward and backward without recomputation: for MFU."""

    per_token: float
    per_token_squared: float
    # FLOP/s of a rank.
    peak: float


@dataclass(frozen=True)
class SchedulingConfig:
    """A scheduling problem without its lengths, and the global batches."""

    data_parallel: Degree
    context_parallel: Degree
    bucket: Tokens
    padding: Padding
    cost: Cost
    policy: Policy
    degrees: DegreeClass
    objective: Objective
    # Samples.
    global_batch: int
    seed: int
    # Samples of each pattern, and how often an epoch draws of them; empty where it has every sample once.
    mixture: list[list[int]] = field(default_factory=list)
    mode: ScheduleMode = "online"
    # Refuses to train where planned schedules do not match.
    strict: bool = False
    forecast: StepForecast | None = None


class StepForecast(TypedDict):
    """What a step's time depends on besides its schedule. It decides nothing."""

    # Once a step: the optimizer, and ZeRO's communication.
    fixed_us: float
    # Of a target, in the output head and its loss.
    target_us: float
    # Mean share of tokens that are targets, which the scheduler counts for every token.
    target_share: float
    # What micro-batches cost that recompute less than the scheduler takes them to, least recomputation first.
    lighter: NotRequired[list[LighterCost]]
    # How far off it may be; null where nobody has said it.
    band: NotRequired[TimeBand | None]


class LighterCost(TypedDict):
    """Costs in place of the scheduling problem's, for micro-batches of which no rank holds more than so many tokens."""

    tokens: int
    a1: Time
    a2: Time
    comm: dict[str, CommunicationCost]


class TimeBand(TypedDict):
    """How far off predicted times of steps may be, to either side."""

    # As a share of what is predicted.
    time: float
    # Runs that it was measured on, by what limits them; "profiled" for those that have a profile.
    kind: str
    # Measurements that it rests on.
    points: int


class LearningRate(TypedDict):
    """The learning rate over the run, as shares of its peak."""

    type: LearningRateKind
    # Steps over which the rate rises from zero.
    warmup_steps: NotRequired[int]
    # Rate at the end, as a share of the peak.
    min_ratio: NotRequired[float]
    # decay_ratio in steps.
    decay_steps: NotRequired[int]


Tokens: TypeAlias = int

Degree: TypeAlias = int

# us. Beyond any real time, and small enough that no sum or square overflows.
Time: TypeAlias = float


class Cost(TypedDict):
    """Times in us."""

    # Per token.
    a1: Time
    # Per token squared.
    a2: Time
    # Per micro-batch.
    fixed: NotRequired[Time]
    # What a micro-batch takes at least besides `fixed`: starting its kernels, or communication that its work hides.
    least: NotRequired[Time]
    # A shard of x tokens runs its attention at rate x / (x + this).
    small_shard_tokens: NotRequired[Time]
    # By degree.
    comm: dict[str, CommunicationCost]


# Of a group of d ranks in one micro-batch: `max(c0, ca + cb * V)` us for V tokens sharded over it.
CommunicationCost: TypeAlias = list[Time]


class ScheduleProblem(TypedDict):
    """A scheduling problem, as `skrull schedule` takes it"""

    format_version: Literal[1]
    lengths: list[Tokens]
    data_parallel: Degree
    context_parallel: Degree
    # BucketSize C: tokens that a rank holds in one micro-batch.
    bucket: Tokens
    padding: NotRequired[Padding]
    cost: Cost
    policy: NotRequired[Policy]
    degrees: NotRequired[DegreeClass]
    objective: NotRequired[Objective]
    # Moves of the search.
    iterations: NotRequired[int]
    time_budget_ms: NotRequired[float]
    seed: NotRequired[int]


class SchedulesHeader(TypedDict):
    """The second line of schedules.bin: what its schedules were made for"""

    scheduling: dict[str, Any]
    steps: int
    lengths_sha256: str
    body_sha256: str
