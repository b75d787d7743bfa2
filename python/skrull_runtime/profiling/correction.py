"""A profile corrected by measured training times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..config import SchedulingConfig, problem_of
from ..scheduling import communication_of, parse_problem
from .features import Batch, Communication, Terms
from .figures import figures_of, terms_of, zero_included
from .fit import Errors, Prior, fit_terms, predict
from .profile_file import Profile
from .run_folder import RunFolder

BELIEF = 2.0  # how many steps the earlier figures count as
FEWEST = 8  # steps to correct by


@dataclass(frozen=True)
class Correction:
    """A corrected profile, notes on what could not be determined, and its errors on steps that were not fitted."""

    profile: Profile
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
    before = _terms_before(run, scheduling)
    prior = Prior(before.vector(), BELIEF)
    predicted = np.zeros(len(batches))
    for half in (0, 1):
        rest = slice(1 - half, None, 2)
        terms = fit_terms(batches[rest], times[rest], scheduling, communication, prior)
        predicted[half::2] = predict(terms, batches[half::2], scheduling, communication)
    terms = fit_terms(batches, times, scheduling, communication, prior)
    figures, notes = figures_of(terms, run.plan["demand"])
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
    # Steps of training say nothing about these, so they stay as they were.
    if "activation_factor" in hardware["measured"]:
        profile["activation_factor"] = hardware["figures"]["activation_factor"]
    if "collectives" in hardware["measured"]:
        profile["collectives"] = hardware["figures"]["collectives"]
    return Correction(profile, notes, Errors.of(predicted, times))


def communication_of_run(scheduling: SchedulingConfig) -> Communication:
    """The communication as the run's schedules have it."""
    problem = parse_problem(problem_of(scheduling, [1]))
    return lambda degree, tokens: communication_of(tokens, degree, problem)


def _terms_before(run: RunFolder, scheduling: SchedulingConfig) -> Terms:
    """The terms that the run was compiled with."""
    figures = run.plan["hardware"]["figures"]
    assert scheduling.forecast is not None, "skrull compiles every run with a forecast"
    step = scheduling.forecast["fixed_us"]
    return terms_of(figures, run.plan["demand"], scheduling.cost["fixed"], step)
