"""One entry of figures per step: JSON lines in the output folder, a readable line on the screen, and trackers."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch

from ..batches.collate import StepBatch
from ..config import TrainConfig
from ..contract.records import ModelFlops
from ..documents import parsed
from ..errors import UserError
from ..training.step import StepResult

# By the name of the number in a line.
SCHEMAS = {"step": "metrics.schema.json", "steps": "evaluation.schema.json"}
Entry = dict[str, Any]  # a line; the schemas list its keys
HEADER = f"{'step':>6} {'loss':>9} {'tokens/s':>9} {'sequences':>9} {'micro-batches':>13} {'seconds':>8} {'predicted':>9}"


def step_entry(
    batch: StepBatch, result: StepResult, train: TrainConfig, lengths: list[int], ranks: int
) -> Entry:
    """A step's figures. ``lengths``: tokens of its sequences, from which MFU is computed."""
    entry: Entry = {
        "step": batch.step,
        "epoch": batch.epoch,
        "loss": result.loss,
        **({} if result.router_loss is None else {"router_loss": result.router_loss}),
        "sequences": len(batch.samples),
        "tokens": batch.tokens,
        "supervised_tokens": batch.supervised,
        "micro_batches": len(batch.micro_batches),
        **(
            {} if result.recomputing_less is None else {"recomputing_less": result.recomputing_less}
        ),
        "seconds": result.seconds,
        "predicted_seconds": batch.predicted_seconds,
        "scheduling_seconds": batch.scheduling_seconds,
        "waited_seconds": result.waited_seconds,
        "optimizer_seconds": result.optimizer_seconds,
        "tokens_per_second": batch.tokens / result.seconds,
        "supervised_tokens_per_second": batch.supervised / result.seconds,
        "padding": batch.figures.padding,
        "imbalance": batch.figures.imbalance,
        "learning_rate": result.learning_rate,
        "gradient_norm": result.gradient_norm,
        "skipped_steps": result.skipped_steps,
        **memory_figures(),
    }
    if train.model_flops is not None:
        entry["mfu"] = model_flops(lengths, train.model_flops) / (
            result.seconds * ranks * train.model_flops["peak"]
        )
    return entry


def model_flops(lengths: list[int], flops: ModelFlops) -> float:
    """FLOPs of forward and backward over whole sequences, without recomputation, as MFU is defined."""
    squares = sum(length * length for length in lengths)
    return flops["per_token"] * sum(lengths) + flops["per_token_squared"] * squares


def memory_figures() -> dict[str, int]:
    """This rank's memory in bytes: what tensors held at the peak of the step, and what the allocator reserved for them."""
    if torch.cuda.is_available():
        figures = {
            "memory_allocated": torch.cuda.max_memory_allocated(),
            "memory_reserved": torch.cuda.max_memory_reserved(),
        }
        torch.cuda.reset_peak_memory_stats()
        return figures
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {"memory_resident": pages * 4096}


class Tracker(Protocol):
    """Another destination of figures."""

    def add(self, step: int, figures: dict[str, float]) -> None:
        """Takes the figures after ``step`` trained steps."""

    def close(self) -> None:
        """Closes it: no more figures will follow."""


class TensorBoard:
    """Writes event files beside the metrics."""

    def __init__(self, folder: Path):
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UserError("log { tensorboard } needs it: pip install tensorboard") from error
        self._writer = SummaryWriter(str(folder))

    def add(self, step: int, figures: dict[str, float]) -> None:
        """Takes the figures after a number of trained steps."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Nothing more will come."""
        self._writer.close()


class WeightsAndBiases:
    """A run of a Weights & Biases project. Raises UserError where the package is not installed."""

    def __init__(self, project: str, folder: Path, resumed: bool):
        try:
            import wandb
        except ImportError as error:
            raise UserError("log { wandb } needs it: pip install wandb") from error
        self._run = wandb.init(
            project=project, dir=str(folder), resume="allow" if resumed else None
        )

    def add(self, step: int, figures: dict[str, float]) -> None:
        """Takes the figures after a number of trained steps."""
        self._run.log(figures, step=step)

    def close(self) -> None:
        """Nothing more will come."""
        self._run.finish()


def trackers(train: TrainConfig, output: Path, resumed: bool) -> list[Tracker]:
    """The trackers that the run asks for. Raises UserError where the package of one is missing."""
    found: list[Tracker] = []
    if train.tensorboard:
        found.append(TensorBoard(output / "tensorboard"))
    if train.wandb is not None:
        found.append(WeightsAndBiases(train.wandb, output, resumed))
    return found


class MetricsLog:
    """Appends to ``metrics.jsonl``. Lines of steps beyond ``trained_steps``, left by a killed run, are dropped first.

    Raises UserError where it cannot be written.
    """

    def __init__(
        self, output: Path, trained_steps: int, log_every: int, others: list[Tracker] | None = None
    ):
        with _writing(output):
            output.mkdir(parents=True, exist_ok=True)
        self.path = output / "metrics.jsonl"
        self.log_every = log_every
        self._evaluations = output / "evaluation.jsonl"
        self._others = others or []
        _keep(self.path, "step", range(trained_steps))
        if self._evaluations.exists():
            _keep(self._evaluations, "steps", range(trained_steps + 1))

    def add(self, entry: Entry) -> None:
        """Writes a step's entry, and prints every ``log_every``-th."""
        self._write(self.path, entry)
        if entry["step"] % self.log_every == 0:
            print(
                f"{entry['step']:>6} {entry['loss']:>9.4f} {entry['tokens_per_second']:>9.0f}"
                f" {entry['sequences']:>9} {entry['micro_batches']:>13} {entry['seconds']:>8.2f}"
                f" {entry['predicted_seconds']:>9.2f}",
                flush=True,
            )
        self._track(entry["step"] + 1, entry)

    def add_evaluation(self, steps: int, loss: float, seconds: float) -> None:
        """Writes the loss on held-out samples after a number of steps, to ``evaluation.jsonl``, and prints it."""
        entry = {"steps": steps, "evaluation_loss": loss, "seconds": seconds}
        self._write(self._evaluations, entry)
        print(f"evaluation after {steps} steps: loss {loss:.4f}, {seconds:.1f} s", flush=True)
        self._track(steps, {"evaluation_loss": loss})

    def has_evaluation(self, steps: int) -> bool:
        """Whether the evaluation after that many steps is in ``evaluation.jsonl``."""
        return any(_number_in(line, "steps") == steps for line in _lines_of(self._evaluations))

    def close(self) -> None:
        """Nothing more will come."""
        for other in self._others:
            other.close()

    def _track(self, steps: int, entry: Entry) -> None:
        figures = {name: float(value) for name, value in entry.items() if value is not None}
        for other in self._others:
            other.add(steps, figures)

    @staticmethod
    def _write(path: Path, entry: Entry) -> None:
        line = json.dumps({name: _in_json(value) for name, value in entry.items()})
        with _writing(path), path.open("a") as stream:
            stream.write(f"{line}\n")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Adds the path to the error, as the message about a full disk does not state it."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error


def _in_json(value: Any) -> Any:
    """The value, or None for a number that is not finite, which JSON does not have."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _keep(path: Path, name: str, wanted: range) -> None:
    """Keeps the lines whose number of that name is wanted; creates the file if there is none."""
    lines = _lines_of(path)
    numbers = [_number_in(line, name) for line in lines]
    kept = [line for line, number in zip(lines, numbers, strict=True) if number in wanted]
    # The last line may be damaged: a kill cuts it short.
    if damaged := numbers[:-1].count(None):
        print(f"note: {damaged} damaged lines of {path.name} are left out", flush=True)
    # Written beside it first: a kill or a full disk leaves the old file intact.
    temporary = path.with_name(f"{path.name}.tmp")
    with _writing(path):
        temporary.write_text("".join(f"{line}\n" for line in kept))
        os.replace(temporary, path)


def _lines_of(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines() if path.exists() else []


def _number_in(line: str, name: str) -> int | None:
    """The step, or number of steps, of a line; None where the line is not a valid entry."""
    entry, _ = parsed(line, SCHEMAS[name])
    return None if entry is None else entry[name]
