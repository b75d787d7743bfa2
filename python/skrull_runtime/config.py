"""What an emitted run states: dataclasses made from the contract, held to its schema before anything is made of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from .contract.records import (
    DataConfig,
    ModelConfig,
    ScheduleProblem,
    SchedulingConfig,
    TrainConfig,
)
from .errors import UserError
from .schema import problem_in

__all__ = [
    "DataConfig",
    "ModelConfig",
    "RunConfig",
    "SchedulingConfig",
    "TrainConfig",
    "identity_of",
    "problem_of",
    "require_contract",
]

SCHEMA = "run.schema.json"
# Of a scheduling: how it is carried out, which decides no schedule.
_UNDECISIVE = ("mode", "strict", "forecast")


@dataclass(frozen=True)
class RunConfig:
    """Everything of a run besides its scheduling and DeepSpeed's own configuration."""

    model: ModelConfig
    data: DataConfig
    train: TrainConfig


def require_contract(
    *parts: ModelConfig | DataConfig | TrainConfig | SchedulingConfig,
) -> None:
    """Raises UserError, with the place, where a part states what this runtime does not know or cannot be."""
    for part in parts:
        name = type(part).__name__
        problem = problem_in(json.loads(json.dumps(asdict(part))), SCHEMA, name)
        if problem is not None:
            raise UserError(
                f"{name} of this run: {problem}. Compile the run again with the skrull that its runtime comes from"
            )


def identity_of(scheduling: SchedulingConfig) -> dict[str, Any]:
    """What planned schedules were made for, and must still hold."""
    return {name: value for name, value in asdict(scheduling).items() if name not in _UNDECISIVE}


def problem_of(scheduling: SchedulingConfig, lengths: list[int]) -> ScheduleProblem:
    """The contract's problem for a global batch of these lengths, in tokens."""
    return {
        "format_version": 1,
        "lengths": lengths,
        "data_parallel": scheduling.data_parallel,
        "context_parallel": scheduling.context_parallel,
        "bucket": scheduling.bucket,
        "padding": scheduling.padding,
        "cost": scheduling.cost,
        "policy": scheduling.policy,
        "degrees": scheduling.degrees,
        "objective": scheduling.objective,
    }
