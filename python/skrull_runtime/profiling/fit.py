"""Least squares of relative errors, robust against outliers, with terms that are never negative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..config import SchedulingConfig
from .features import COUNT, LEAST, MICRO_BATCH, Batch, Communication, Terms, features

Times = Sequence[float] | np.ndarray  # in us
ROUNDS = 12  # of linearising: which rank is slowest depends on the terms
STARTS = (0.05, 0.25, 0.5)  # quantiles of a micro-batch's time that ``least`` is looked for from
CLEARLY = 0.9  # of the mean error without ``least``: what it must bring to be believed
NOISY = 0.08  # median error from which on times do not tell ``least`` from a fixed cost
HUBER = 1.345  # residuals beyond that many standard deviations count by their size, not its square


@dataclass(frozen=True)
class Errors:
    """How far predictions are from measurements, relative to the measurements."""

    steps: int
    median: float  # of the error's size
    p90: float
    bias: float  # median of predicted / measured - 1
    rank_correlation: float | None  # Spearman's; None where one side is all the same

    @staticmethod
    def of(predicted: Times, measured: Times) -> Errors:
        """Errors over at least one step."""
        off = np.asarray(predicted) / np.asarray(measured) - 1
        sizes = np.abs(off)
        return Errors(
            len(off),
            float(np.median(sizes)),
            float(np.quantile(sizes, 0.9)),
            float(np.median(off)),
            rank_correlation(predicted, measured),
        )


def rank_correlation(first: Times, second: Times) -> float | None:
    """Spearman's rank correlation, with ties at their mean rank; None where one side is all the same."""
    ranks = [_ranks(np.asarray(values, dtype=float)) for values in (first, second)]
    centred = [own - own.mean() for own in ranks]
    norm = float(np.sqrt(np.prod([own @ own for own in centred])))
    return None if norm == 0 else float(centred[0] @ centred[1]) / norm


def _ranks(values: np.ndarray) -> np.ndarray:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: np.ndarray = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return ranks


@dataclass(frozen=True)
class Prior:
    """Terms ``[7]`` that are assumed before any measurement, with the weight of ``weight`` measurements."""

    terms: np.ndarray
    weight: float


def predict(
    terms: Terms,
    batches: Sequence[Batch],
    scheduling: SchedulingConfig,
    communication: Communication,
) -> np.ndarray:
    """Step times ``[len(batches)]`` in us."""
    vector = terms.vector()
    parts = [features(batch, scheduling, communication, vector) for batch in batches]
    return np.array([own @ vector + waiting for own, waiting in parts])


def fit_terms(
    batches: Sequence[Batch],
    measured: Sequence[float],
    scheduling: SchedulingConfig,
    communication: Communication,
    prior: Prior | None = None,
) -> Terms:
    """The terms that predict step times ``measured`` (us) of the batches best.

    Which micro-batches ``least`` decides depends on the terms. Without a prior it is looked for from several places, and
    believed only where it explains the times clearly better: else a fixed cost does as well.
    """
    times = np.asarray(measured, dtype=float)

    def fitted_from(start: np.ndarray) -> np.ndarray:
        return _linearised(start, batches, times, scheduling, communication, prior)

    if prior is not None:
        return Terms(*map(float, fitted_from(prior.terms)))

    def off(vector: np.ndarray) -> np.ndarray:
        predicted = predict(Terms(*vector), batches, scheduling, communication)
        sizes: np.ndarray = np.abs(predicted / times - 1)
        return sizes

    def error(vector: np.ndarray) -> float:
        return float(np.mean(off(vector)))

    plain = fitted_from(np.zeros(COUNT))
    each = times / [max(1, len(batch.schedule["micro_batches"])) for batch in batches]
    bounded = []
    for least in np.quantile(each, STARTS):
        start = plain.copy()
        start[MICRO_BATCH], start[LEAST] = 0.0, least
        bounded.append(fitted_from(start))
    best = min(bounded, key=error)
    believed = error(best) < CLEARLY * error(plain) and np.median(off(best)) < NOISY
    return Terms(*map(float, best if believed else plain))


def _linearised(
    vector: np.ndarray,
    batches: Sequence[Batch],
    times: np.ndarray,
    scheduling: SchedulingConfig,
    communication: Communication,
    prior: Prior | None,
) -> np.ndarray:
    """The terms that least squares end at, from ``vector`` on, with the features that each round's terms give."""
    for _ in range(ROUNDS):
        parts = [features(batch, scheduling, communication, vector) for batch in batches]
        matrix = np.array([own for own, _ in parts])
        # Waiting is not fitted; a measurement below it must still count for something.
        rest = np.maximum(times - np.array([waiting for _, waiting in parts]), 0.05 * times)
        found = robust_least_squares(matrix / times[:, None], rest / times, prior)
        if np.allclose(found, vector, rtol=1e-6):
            break
        vector = found
    return vector


def robust_least_squares(
    matrix: np.ndarray, wanted: np.ndarray, prior: Prior | None = None, rounds: int = 20
) -> np.ndarray:
    """The x >= 0 ``[p]`` with ``matrix [n, p] @ x`` closest to ``wanted [n]`` by Huber's loss, by reweighting."""
    weights = np.ones(len(wanted))
    found = np.zeros(matrix.shape[1])
    for _ in range(rounds):
        root = np.sqrt(weights)
        before = found
        found = _not_negative(*_with_prior(matrix * root[:, None], wanted * root, prior))
        residuals = np.abs(wanted - matrix @ found)
        deviation = 1.4826 * float(np.median(residuals)) + 1e-12
        weights = np.minimum(1.0, HUBER * deviation / np.maximum(residuals, 1e-300))
        if np.allclose(found, before, rtol=1e-9):
            break
    if prior is not None:  # what no measurement contains stays as it was
        found = np.where(np.any(matrix != 0, axis=0), found, prior.terms)
    return found


def _with_prior(
    matrix: np.ndarray, wanted: np.ndarray, prior: Prior | None
) -> tuple[np.ndarray, np.ndarray]:
    """The system with one more row per term: its distance from the prior, weighted by the share of time that it makes up."""
    if prior is None:
        return matrix, wanted
    share = np.sqrt(prior.weight * np.mean(matrix**2, axis=0))
    rows = np.diag(share)
    return np.vstack([matrix, rows]), np.concatenate([wanted, share * prior.terms])


def _not_negative(matrix: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Least squares without negative terms: terms that would be negative are dropped one by one, the most negative first."""
    # Terms differ by orders of magnitude: scaling makes the solver's cut-off treat them alike.
    scale = np.sqrt((matrix**2).sum(axis=0))
    kept = [n for n in range(matrix.shape[1]) if scale[n] > 0]
    found = np.zeros(matrix.shape[1])
    while kept:
        own, *_ = np.linalg.lstsq(matrix[:, kept] / scale[kept], wanted, rcond=1e-10)
        if own.min() >= 0:
            found[kept] = own / scale[kept]
            break
        kept.pop(int(np.argmin(own)))
    return found
