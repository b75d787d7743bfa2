"""A profile corrected by measured training times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..config import SchedulingConfig, problem_of
from ..scheduling import communication_of, parse_problem
from .features import Batch, Communication, Terms
from .figures import figures_of, zero_included
from .fit import Errors, Prior, fit_terms, predict
from .profile_file import Profile
from .run_folder import RunFolder

BELIEF = 2.0  # how many steps the earlier figures count as
KeptFigure = Literal[
    "activation_factor",
    "collectives",
    "zero_overlap",
    "memory_bandwidth",
    "host_link",
    "host_adam_parameters",
    "network_bytes_per_second",
    "crossing_factor",
]
FEWEST = 8  # steps to correct by
# Steps of training say nothing about these figures, so they stay as they were.
KEPT: tuple[KeptFigure, ...] = get_args(KeptFigure)


@dataclass(frozen=True)
class Correction:
    """A corrected profile, notes on what could not be determined, and its errors on steps that were not fitted."""

    profile: Profile
    terms: Terms  # that it was made from
    notes: list[str]
    errors: Errors


def corrected(
    run: RunFolder,
    scheduling: SchedulingConfig,
    batches: list[Batch],
    times: list[float],
    name: str | None,
) -> Correction:
    """A correction from at least :data:`FEWEST` step times in us. For its errors, each half of the steps is predicted by a
    fit to the other half."""
    communication = communication_of_run(scheduling)
    before = terms_before(scheduling)
    prior = Prior(before.vector(), BELIEF)
    predicted = np.zeros(len(batches))
    for half in (0, 1):
        rest = slice(1 - half, None, 2)
        terms = fit_terms(batches[rest], times[rest], scheduling, communication, prior)
        predicted[half::2] = predict(terms, batches[half::2], scheduling, communication)
    terms = fit_terms(batches, times, scheduling, communication, prior)
    planned = run.plan["hardware"]["figures"]
    bandwidth = planned.get("elementwise_bytes_per_second")
    figures, notes = figures_of(terms, run.plan["demand"], bandwidth=bandwidth)
    hardware, topology = run.plan["hardware"], run.plan["topology"]
    ranks = scheduling.data_parallel * scheduling.context_parallel
    profile: Profile = {
        "format_version": 1,
        "name": name or f"{hardware['profile'] or topology['gpu']}, corrected by training"[:200],
        "gpu": topology["gpu"],
        "precision": run.config.model.precision,
        **figures,
        "zero_included": zero_included(run.plan, ranks),
    }
    for figure in KEPT:
        if figure in hardware["measured"]:
            profile[figure] = planned[figure]
    return Correction(profile, terms, notes, Errors.of(predicted, times))


def communication_of_run(scheduling: SchedulingConfig) -> Communication:
    """The communication as the run's schedules have it."""
    problem = parse_problem(problem_of(scheduling, [1]))
    return lambda degree, tokens: communication_of(tokens, degree, problem)


def terms_before(scheduling: SchedulingConfig) -> Terms:
    """The terms that the run was compiled with."""
    assert scheduling.forecast is not None, "skrull compiles every run with a forecast"
    cost, forecast = scheduling.cost, scheduling.forecast
    square = cost["a2"]
    return Terms(
        token=cost["a1"] - forecast["target_share"] * forecast["target_us"],
        target=forecast["target_us"],
        square=square,
        shard=square * cost.get("small_shard_tokens", 0.0),
        least=cost.get("least", 0.0),
        micro_batch=cost.get("fixed", 0.0),
        step=forecast["fixed_us"],
    )
