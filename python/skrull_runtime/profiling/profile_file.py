"""A profile for a spec's ``cluster { profile }``, and how it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from ..errors import UserError


class Table(TypedDict):
    """Times of collectives of groups of one size, by size of the gathered whole."""

    ranks: int
    nodes: int
    megabytes: list[float]
    all_gather_us: list[float]
    reduce_scatter_us: list[float]
    all_to_all_us: list[float]


class ZeroIncluded(TypedDict):
    """The setting whose ZeRO communication the fixed costs include."""

    stage: int
    ranks: int
    parameters: int
    trained: int
    gradients: str
    offload: str


class Figures(TypedDict, total=False):
    """What a machine achieves in training; figures that could not be determined are absent."""

    matmul_flops: float  # per second
    head_flops: float
    attention_flops: float
    small_shard_tokens: float
    elementwise_bytes_per_second: float
    micro_batch_us: float
    micro_batch_least_us: float
    step_us: float


class DeviceFigures(TypedDict, total=False):
    """What devices reach by themselves; figures that there are none of are absent."""

    memory_bandwidth: float  # bytes per second, of a rank's device
    host_link: float  # bytes per second, of a rank
    host_adam_parameters: float  # per second, that a node's processors step


class NetworkFigures(TypedDict):
    """What groups over several nodes reach."""

    network_bytes_per_second: float  # of a rank's network card, in collectives
    crossing_factor: float  # how much longer a message takes to start than inside of a node


class Profile(Figures, DeviceFigures, total=False):
    """The document: see ``schemas/profile.schema.json``."""

    format_version: int
    name: str
    gpu: str
    precision: str
    zero_included: ZeroIncluded
    zero_overlap: float  # share of ZeRO's communication in a micro-batch that runs beside its work
    activation_factor: float
    network_bytes_per_second: float  # see NetworkFigures
    crossing_factor: float
    collectives: list[Table]


def write_profile(path: Path, profile: Mapping[str, object]) -> None:
    """Writes a profile as JSON. Raises UserError where the file cannot be written."""
    try:
        path.write_text(json.dumps(rounded(profile), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error


def rounded(value: Any) -> Any:
    """The value with floats rounded to six digits: more were not measured."""
    if isinstance(value, dict):
        return {key: rounded(own) for key, own in value.items()}
    if isinstance(value, list):
        return [rounded(own) for own in value]
    return float(np.format_float_scientific(value, 5)) if isinstance(value, float) else value
