"""Converts between times of the cost model's terms and the figures that a profile holds."""

from __future__ import annotations

from .features import Terms
from .profile_file import Figures, ZeroIncluded
from .run_folder import Demand, Plan

FASTEST = 1e18  # FLOPs per second that a profile may hold
MOST_SMALL_SHARD = 1e9  # tokens


def terms_of(figures: Figures, demand: Demand, micro_batch: float, step: float) -> Terms:
    """The terms in us under a plan's figures of the machine; ``micro_batch`` and ``step`` are the plan's, including ZeRO."""
    flops = demand["flops"]
    square = 1e6 * flops["attention_per_token_squared"] / figures["attention_flops"]
    linear = 1e6 * flops["attention_per_token"] / figures["attention_flops"]
    return Terms(
        token=1e6 * flops["body_per_token"] / figures["matmul_flops"] + linear,
        target=1e6 * flops["head_per_target"] / figures["head_flops"],
        square=square,
        shard=square * figures["small_shard_tokens"],
        micro_batch=micro_batch,
        step=step,
    )


def figures_of(terms: Terms, demand: Demand) -> tuple[Figures, list[str]]:
    """A profile's figures, and notes on what could not be determined. Figures of terms that measurements could not tell
    apart are left out."""
    flops = demand["flops"]
    figures: Figures = {}
    notes = []
    linear = 0.0
    if terms.square > 0:
        figures["attention_flops"] = _rate(flops["attention_per_token_squared"], terms.square)
        figures["small_shard_tokens"] = min(MOST_SMALL_SHARD, terms.shard / terms.square)
        linear = 1e6 * flops["attention_per_token"] / figures["attention_flops"]
    if terms.token > linear:
        figures["matmul_flops"] = _rate(flops["body_per_token"], terms.token - linear)
    else:
        notes.append("the work of a token is lost in the noise: matmul_flops is left out")
    if flops["head_per_target"] > 0 and terms.target > 0:
        figures["head_flops"] = _rate(flops["head_per_target"], terms.target)
    if "attention_flops" not in figures and "matmul_flops" in figures:
        figures["attention_flops"] = figures["matmul_flops"]
        notes.append(
            "attention to sequences this short is lost in the noise: taken as fast as matrix products"
        )
    figures["micro_batch_us"] = terms.micro_batch
    figures["step_us"] = terms.step
    return figures, notes


def _rate(flops: float, microseconds: float) -> float:
    return min(FASTEST, 1e6 * flops / microseconds)


def zero_included(plan: Plan, ranks: int) -> ZeroIncluded:
    """The setting whose ZeRO communication is part of what was measured in a run of this plan."""
    training = plan["training"]
    precision: str = plan["model"]["precision"]
    return {
        # With gradients reduced once a step, stage 2 communicates as stage 1 does.
        "stage": 1 if training["reduction"] == "once" else plan["topology"]["zero_stage"],
        "ranks": ranks,
        "parameters": plan["model"]["shape"]["parameters"],
        "gradients": training.get("gradients", precision),
    }
