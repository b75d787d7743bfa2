"""What parity is tested over: the settings that a run can combine, and which of them go together."""

from __future__ import annotations

import itertools

import tiny
from pairwise import Case, pairwise, product

from skrull_runtime import versions

FACTORS = {
    "zero": (0, 1, 2, 3),
    "context": (1, 2, 4),
    "optimizer": ("sgd", "adamw"),
    "checkpointing": ("none", "selective", "full", "attention"),
    "policy": ("auto", "packed"),
    "degrees": ("local-or-all", "powers-of-two", "pool"),
    "family": ("qwen2", "llama", "mistral", "qwen3"),
    "offload": ("none", "optimizer", "all"),
    "lora": (False, True),
    "reduction": ("every-micro-batch", "once"),
    "clip": (0.0, 0.1),
    "weights": ("random", "pretrained"),
}

# What makes long contexts fit, with what it must go with. The rest is as in PLAIN.
SAVERS = {
    "zero": (0, 1, 2, 3),
    "context": (1, 2),
    "checkpointing": ("none", "selective", "full", "attention", "offload", "auto"),
    "tile": (None, 50),  # tokens; sequences have from 2 to 500
    "lora": (False, True, "mlp"),
    "offload": ("none", "optimizer", "all"),
    "reduction": ("every-micro-batch", "once"),
    "family": ("qwen2", "llama", "qwen3"),
}
PLAIN = {
    "optimizer": "sgd",
    "policy": "auto",
    "degrees": "local-or-all",
    "clip": 0.0,
    "weights": "random",
}


def saver_cases() -> list[Case]:
    """Every two settings of :data:`SAVERS` together, on two ranks."""
    return [PLAIN | case for case in pairwise(SAVERS, lambda case: valid(PLAIN | case, 2))]


def valid(case: Case, ranks: int) -> bool:
    """Whether the compiler would emit such a run on this many ranks, the packages here can train it, and it is not another
    one under another name."""
    stage, offload, degrees = case["zero"], case["offload"], case["degrees"]
    sharded = case["context"] > 1 or degrees == "pool"
    recomputed = case["lora"] and stage == 3 and case["checkpointing"] != "none"
    return (
        ranks % case["context"] == 0
        and stage >= {"none": 0, "optimizer": 1, "all": 3}[offload]
        and (case["reduction"] == "every-micro-batch" or (stage in (1, 2) and offload == "none"))
        and (degrees == "local-or-all" or case["policy"] == "auto")
        and (degrees != "powers-of-two" or case["context"] == 4)
        # One data-parallel rank's pool is its context-parallel group.
        and (degrees != "pool" or case["context"] < ranks)
        and (sharded or case["policy"] == "auto")
        and (not recomputed or versions.has("adapters-recomputed"))
    )


def pairwise_cases(ranks: int) -> list[Case]:
    """Every two settings together, on this many ranks."""
    return pairwise(FACTORS, lambda case: valid(case, ranks))


def all_cases(ranks: int) -> list[Case]:
    """Everything together."""
    return product(FACTORS, lambda case: valid(case, ranks))


def family_cases() -> list[Case]:
    """Every other family, sharded over two ranks; stages, optimizers and checkpointing take turns."""
    turns = itertools.cycle(
        [(2, "sgd", "full"), (3, "adamw", "selective"), (0, "adamw", "none"), (3, "sgd", "full")]
    )
    plain = {"offload": "none", "lora": False, "reduction": "every-micro-batch", "clip": 0.0}
    plain["weights"] = "pretrained"  # stored as each family's are
    return [
        {
            "zero": zero,
            "context": 2,
            "optimizer": optimizer,
            "checkpointing": mode,
            "policy": "auto",
            "degrees": "local-or-all",
            "family": family,
            **plain,
        }
        for family, (zero, optimizer, mode) in zip(
            [name for name in tiny.FAMILIES if name not in FACTORS["family"]], turns, strict=False
        )
    ]
