"""Converts between times of the cost model's terms and the figures that a profile holds."""

from __future__ import annotations

from .collectives import interpolated
from .features import Terms
from .profile_file import Figures, Table, ZeroIncluded
from .run_folder import Demand, Plan

FASTEST = 1e18  # FLOPs per second that a profile may hold
MOST_SMALL_SHARD = 1e9  # tokens
ELEMENT_BYTES = {"bf16": 2, "fp32": 4}
TOLD_APART = 0.05  # of a fixed cost: communication that is less cannot be told from noise


def figures_of(
    terms: Terms,
    demand: Demand,
    products_flops: float | None = None,
    bandwidth: float | None = None,
) -> tuple[Figures, list[str]]:
    """A profile's figures, and notes on what could not be determined. Figures of terms that measurements could not tell
    apart are left out.

    The time of a token is that of its matrix products and of its norms, rotary embeddings, activations and residuals. Where
    the FLOPs per second of the products by themselves are known, or the bytes per second of the others, both get a figure of
    their own; else the products' includes the others.
    """
    flops = demand["flops"]
    figures: Figures = {}
    notes = []
    linear = 0.0
    if terms.square > 0:
        figures["attention_flops"] = _rate(flops["attention_per_token_squared"], terms.square)
        figures["small_shard_tokens"] = min(MOST_SMALL_SHARD, terms.shard / terms.square)
        linear = 1e6 * flops["attention_per_token"] / figures["attention_flops"]
    if terms.token > linear:
        left = terms.token - linear
        if products_flops is not None:
            bandwidth = _bandwidth(left, products_flops, demand)
        split, remarks = _split(terms, left, demand, bandwidth)
        figures.update(split)
        notes += remarks
    else:
        notes.append("the work of a token is lost in the noise: matmul_flops is left out")
    if flops["head_per_target"] > 0 and terms.target > 0 and "head_flops" not in figures:
        figures["head_flops"] = _rate(flops["head_per_target"], terms.target)
    if "attention_flops" not in figures and "matmul_flops" in figures:
        figures["attention_flops"] = figures["matmul_flops"]
        notes.append(
            "attention to sequences this short is lost in the noise: taken as fast as matrix products"
        )
    figures["micro_batch_us"] = terms.micro_batch
    if terms.least > 0:
        figures["micro_batch_least_us"] = terms.least
    figures["step_us"] = terms.step
    return figures, notes


def _bandwidth(left: float, products_flops: float, demand: Demand) -> float | None:
    """Bytes per second of what is not matrix products, of ``left`` us a token; None where the products take all of it."""
    rest = left - 1e6 * demand["flops"]["body_per_token"] / products_flops
    amount = demand["bytes"]["per_token"] if "bytes" in demand else 0.0
    return 1e6 * amount / rest if rest > 0 and amount > 0 else None


def _split(
    terms: Terms, left: float, demand: Demand, bandwidth: float | None
) -> tuple[Figures, list[str]]:
    """The speed of matrix products in ``left`` us a token, and of what runs at the speed of memory where that is known."""
    flops = demand["flops"]
    if bandwidth is not None and "bytes" in demand:
        products = left - 1e6 * demand["bytes"]["per_token"] / bandwidth
        head = terms.target - 1e6 * demand["bytes"]["per_target"] / bandwidth
        if products > 0 and (head > 0 or flops["head_per_target"] == 0):
            figures: Figures = {
                "matmul_flops": _rate(flops["body_per_token"], products),
                "elementwise_bytes_per_second": bandwidth,
            }
            if flops["head_per_target"] > 0:
                figures["head_flops"] = _rate(flops["head_per_target"], head)
            return figures, []
        note = "norms and activations could not be told apart: matmul_flops includes them"
        return {"matmul_flops": _rate(flops["body_per_token"], left)}, [note]
    return {"matmul_flops": _rate(flops["body_per_token"], left)}, []


def _rate(flops: float, microseconds: float) -> float:
    return min(FASTEST, 1e6 * flops / microseconds)


def zero_included(plan: Plan, ranks: int) -> ZeroIncluded:
    """The setting whose ZeRO communication and optimizer are part of what was measured in a run of this plan."""
    training, model = plan["training"], plan["model"]
    precision: str = model["precision"]
    parameters: int = model["shape"]["parameters"]
    lora = model.get("lora")
    return {
        # With gradients reduced once a step, stage 2 communicates as stage 1 does.
        "stage": 1 if training["reduction"] == "once" else plan["topology"]["zero_stage"],
        "ranks": ranks,
        "parameters": parameters,
        "trained": parameters if lora is None else lora["parameters"],
        "gradients": training.get("gradients", precision),
        "offload": plan["memory"].get("offload", "none"),
    }


def zero_overlap(
    terms: Terms, tables: list[Table], setting: ZeroIncluded, precision: str
) -> float | None:
    """The share of ZeRO's communication in a micro-batch that runs beside its work: all of it that the fixed cost of a
    micro-batch is too short for. A lower bound where something else is in that cost. None where there is no such
    communication, or too little to be told from noise.

    ``tables``: measured times of collectives, that of all ranks among them.
    """
    table = next((own for own in tables if own["ranks"] == setting["ranks"]), None)
    if setting["stage"] < 2 or table is None:
        return None
    adapters = setting["trained"] if setting["trained"] < setting["parameters"] else 0
    weights = (setting["parameters"] + adapters) * ELEMENT_BYTES[precision] / 1e6
    gradients = setting["trained"] * ELEMENT_BYTES[setting["gradients"]] / 1e6
    spent = interpolated(table, "reduce_scatter_us", gradients)
    if setting["stage"] == 3:
        spent += 2 * interpolated(table, "all_gather_us", weights)
    if spent < TOLD_APART * (terms.micro_batch + terms.least):
        return None
    return min(1.0, max(0.0, 1 - terms.micro_batch / spent))
