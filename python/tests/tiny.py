"""A small model, small global batches of real shape, and the plain training that the runtime must equal."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bitsandbytes
import torch
from plain_muon import PlainMuon
from torch.nn.functional import cross_entropy
from transformers import AutoConfig, AutoModelForCausalLM

from skrull_runtime.batches.collate import StepBatch
from skrull_runtime.batches.feed import make_step_batch
from skrull_runtime.batches.sampler import GlobalBatch, schedule_batch
from skrull_runtime.config import ModelConfig, SchedulingConfig, TrainConfig
from skrull_runtime.data.tokens import IGNORED, Tokens
from skrull_runtime.model.adapters.wrap import with_adapters

LENGTHS_FILE = (
    Path(__file__).resolve().parents[2] / "examples/quickstart/data/sft_sample.lengths.txt"
)
VOCABULARY = 258
SEED = 5

CONFIG = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 4096,
    "rope_theta": 10000.0,
    "tie_word_embeddings": True,
    "use_sliding_window": False,
    "sliding_window": None,
}

ROPE_FILE = Path(__file__).resolve().parents[2] / "test/vectors/rope.json"
ROPE: dict[str, dict[str, Any]] = json.loads(ROPE_FILE.read_text())

WINDOW = {"use_sliding_window": True, "sliding_window": 40}
EXPERTS = {"num_experts_per_tok": 2, "num_local_experts": 4}
# What other families have otherwise: biases, query and key norms, windows, experts, plain MLPs.
FAMILIES: dict[str, dict[str, Any]] = {
    "qwen2": {},
    "qwen2 untied": {"tie_word_embeddings": False},
    "qwen2 window": {**WINDOW, "max_window_layers": 1},
    "llama": {"model_type": "llama", "attention_bias": True, "mlp_bias": True},
    "mistral": {"model_type": "mistral", "sliding_window": 64, "num_key_value_heads": 1},
    "mixtral": {"model_type": "mixtral", **EXPERTS},
    "qwen3": {"model_type": "qwen3", "head_dim": 12},
    "qwen3_moe": {
        "model_type": "qwen3_moe",
        **EXPERTS,
        "num_experts": 4,
        "moe_intermediate_size": 24,
        "head_dim": 8,
        "mlp_only_layers": [1],
    },
    "starcoder2": {"model_type": "starcoder2", "sliding_window": 100, "num_key_value_heads": 4},
    # Scaled rotary embeddings, as the compiler writes them.
    **{name: own["written"] for name, own in ROPE.items()},
}


def write_config(folder: Path, family: str = "qwen2", **other: Any) -> None:
    """The config.json of a model of that family; ``other`` keys of it."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | FAMILIES[family] | other))


def samples() -> list[Tokens]:
    """Random tokens of real lengths, shrunk: many short, a few long; some tokens are no targets."""
    lengths = [int(line) for line in LENGTHS_FILE.read_text().split()]
    chosen = [*sorted(lengths)[:: len(lengths) // 14], 12_000, 16_003]
    source = random.Random(11)
    result = []
    for length in chosen:
        ids = [source.randrange(VOCABULARY) for _ in range(max(2, length // 32))]
        labels = [token if source.random() < 0.7 else IGNORED for token in ids[1:]]
        result.append(Tokens(ids, [*labels, IGNORED]))
    return result


def global_batches(count: int) -> list[list[int]]:
    """Three steps: a mix with the longest, one sequence alone, and a few short ones."""
    assert count % 2 == 1, "or the longest would be there twice"
    return [[*range(0, count - 2, 2), count - 2, count - 1], [count - 2], [1, 3, 5]]


def train_config(
    optimizer: dict[str, Any], reduction: str = "every-micro-batch", gradients: str = "model"
) -> TrainConfig:
    """A constant learning rate."""
    rate = {"type": "constant", "warmup_steps": 0}
    return TrainConfig(3, optimizer, rate, SEED, reduction=reduction, gradients=gradients)


LORA = {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": ["q_proj", "v_proj", "down_proj"]}


# Ways to adapt, by the names that cases have for them.
ADAPTERS: dict[str, dict[str, Any]] = {
    "some": {**LORA, "targets": ["q_proj", "down_proj"]},
    # Nothing before MLPs is trained.
    "mlp": {**LORA, "targets": ["down_proj"]},
    "rslora": {**LORA, "targets": ["all-linear"], "rslora": True},
    "dora": {**LORA, "targets": ["attention", "mlp"], "dora": True},
    "merged": {**LORA, "dora": True, "modules_to_save": ["embedding"], "merge": True},
    "qlora": {**LORA, "targets": ["all-linear"], "base": "nf4"},
    "qlora dora": {**LORA, "base": "nf4", "double_quantisation": False, "dora": True},
    "saved": {**LORA, "modules_to_save": ["embedding", "head"]},
    "tokens": {**LORA, "targets": ["attention"], "token_rows": [200, VOCABULARY]},
    "experts": {**LORA, "targets": ["attention", "experts"]},
}


def adapters(lora: bool | str) -> dict[str, Any] | None:
    """Adapters of attention and MLPs, or others of :data:`ADAPTERS`."""
    return ADAPTERS[lora] if isinstance(lora, str) else LORA if lora else None


# Micro-batches of the samples here run under each of them, and under "full".
LIGHTER = [
    {"checkpointing": "none", "tokens": 120},
    {"checkpointing": "selective", "tokens": 180},
    {"checkpointing": "attention", "tokens": 250},
]


def model_config(
    checkpointing: str = "none",
    lora: bool | str = False,
    precision: str = "fp32",
    tile: int | None = None,
) -> ModelConfig:
    """Random weights; a small loss chunk, so that there are several. "auto" lets micro-batches do as their tokens allow."""
    auto = checkpointing == "auto"
    return ModelConfig(
        "random",
        precision,
        "full" if auto else checkpointing,
        LIGHTER if auto else [],
        "sdpa",
        loss_chunk=64,
        mlp_tile=tile,
        lora=adapters(lora),
    )


def scheduling(
    ranks: int, context: int, policy: str, degrees: str = "local-or-all"
) -> SchedulingConfig:
    """A bucket so small that sequences must be sharded and micro-batches vary."""
    # Four ranks communicate so slowly that only the longest sequence gains from them.
    comm = {"2": [100.0, 100.0, 0.1], "4": [1200.0, 1200.0, 0.1]}
    cost = {"a1": 5.0, "a2": 0.01, "fixed": 100.0, "comm": comm}
    bucket = 544 if context == 1 else 320
    return SchedulingConfig(
        ranks // context,
        context,
        bucket,
        "zigzag",
        cost,
        policy,
        degrees,
        "lockstep",
        16,
        SEED,
    )


def step_batch(
    step: int, members: list[int], data: list[Tokens], config: SchedulingConfig, rank: int
) -> StepBatch:
    """What the runtime's own feed makes of a global batch, from tokens in memory."""
    lengths = [len(tokens.ids) for tokens in data]
    schedule = schedule_batch(GlobalBatch(step, 0, members), lengths, config)
    targets = [sum(label != IGNORED for label in data[k].labels) for k in members]
    own = [lengths[k] for k in members]
    batch = GlobalBatch(step, 0, members)
    return make_step_batch(batch, schedule, own, targets, config, rank, lambda k: data[members[k]])


def decayed_names(names: Iterable[str], optimizer: dict[str, Any]) -> set[str]:
    """Parameters that weight decay applies to, told by their names as transformers' Trainer tells them; the magnitudes of
    DoRA are vectors too."""
    if optimizer["decayed"] == "all":
        return set(names)
    others = ("norm", "magnitude")
    return {n for n in names if not n.endswith("bias") and not any(part in n for part in others)}


def plain_optimizer(optimizer: dict[str, Any], weights: dict[str, torch.Tensor]) -> Any:
    """PyTorch's own of these settings; plain Muon."""
    decayed = decayed_names(weights, optimizer)
    if optimizer["type"] == "muon":
        return PlainMuon(weights, decayed, optimizer)
    settings = {n: value for n, value in optimizer.items() if n not in ("type", "decayed")}
    kind = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[optimizer["type"]]
    groups = [
        {"params": [weight for name, weight in weights.items() if name in decayed]},
        {
            "params": [weight for name, weight in weights.items() if name not in decayed],
            "weight_decay": 0.0,
        },
    ]
    return kind(groups, **settings)


def quantise(model: Any, precision: torch.dtype, double: bool = True) -> None:
    """The linear modules of layers in NF4, as transformers makes them with bitsandbytes."""
    for layer in model.model.layers:
        for name, own in list(layer.named_modules()):
            if not isinstance(own, torch.nn.Linear):
                continue
            made = bitsandbytes.nn.Linear4bit(
                own.in_features,
                own.out_features,
                bias=own.bias is not None,
                compute_dtype=precision,
                compress_statistics=double,
                quant_type="nf4",
            )
            made.load_state_dict(own.state_dict())
            layer.set_submodule(name, made.to("cpu"))
    model.is_loaded_in_4bit = True


def plain_training(
    folder: Path,
    optimizer: dict[str, Any],
    data: list[Tokens],
    batches: list[list[int]],
    lora: bool | str = False,
    clip: float = 0.0,
    weights: torch.dtype = torch.float32,
    arithmetic: torch.dtype = torch.float32,
    states: torch.dtype = torch.float32,
) -> Any:
    """Single-process PyTorch without packing: one sequence at a time through transformers' own attention.

    Weights are drawn in one precision and trained in another; the optimizer has its own, and its states, in ``states``. Returns the weights,
    and the loss and the norm of the gradient before clipping of every step.
    """
    torch.manual_seed(SEED)
    model = AutoModelForCausalLM.from_config(
        AutoConfig.from_pretrained(folder), dtype=weights, attn_implementation="eager"
    ).to(arithmetic)
    added = adapters(lora)
    if added is not None and "base" in added:
        quantise(model, arithmetic, added.get("double_quantisation", True))
    if added is not None:
        model = with_adapters(model, added, SEED)
    model.train()
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    masters = {name: p.detach().to(states, copy=True) for name, p in trained.items()}
    stepper = plain_optimizer(optimizer, masters)
    losses, norms = [], []
    for members in batches:
        model.zero_grad()
        targets = sum(label != IGNORED for k in members for label in data[k].labels)
        total = 0.0
        for k in members:
            logits = model(input_ids=torch.tensor([data[k].ids]), use_cache=False).logits[0]
            loss = cross_entropy(
                logits.float(), torch.tensor(data[k].labels), ignore_index=IGNORED, reduction="sum"
            )
            (loss / targets).backward()
            total += loss.item()
        for name, parameter in trained.items():
            masters[name].grad = None if parameter.grad is None else parameter.grad.to(states)
        norm = torch.nn.utils.clip_grad_norm_(masters.values(), clip or math.inf)
        norms.append(norm.item())
        stepper.step()
        with torch.no_grad():
            for name, parameter in trained.items():
                parameter.copy_(masters[name])
        losses.append(total / targets)
    return (
        {
            name: masters[name] if name in masters else parameter.detach().clone()
            for name, parameter in model.named_parameters()
        },
        losses,
        norms,
    )
