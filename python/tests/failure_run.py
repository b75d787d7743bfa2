"""A run in which one rank fails at a named point, in a named way: argument 1 is its folder, which has the case."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import resume_run
import torch

from skrull_runtime import train
from skrull_runtime.batches.feed import StepDataset
from skrull_runtime.config import RunConfig, SchedulingConfig
from skrull_runtime.guarding import meeting
from skrull_runtime.training.step import Trainer

WAYS = ("raise", "kill", "stop")
CASE_FILE = "case.json"
STEPS = 4  # a worker is two in front: it makes the last batch when training is under way
MARK = "injected"  # made in the moment of the failure


def configuration(case: dict[str, Any]) -> tuple[RunConfig, SchedulingConfig]:
    """Of a run of a few steps, with a checkpoint and an evaluation after each, and an export."""
    base = replace(
        resume_run.CONFIG.train,
        total_steps=STEPS,
        checkpoint_every=1,
        evaluate_every=1,
        reduction=case["reduction"],
        timeout_seconds=case["timeout"],
    )
    context = case["context"]
    scheduling = replace(
        resume_run.SCHEDULING,
        data_parallel=2 // context,
        context_parallel=context,
        bucket=400 if context == 2 else 800,
    )
    return replace(resume_run.CONFIG, train=base), scheduling


def before(owner: Any, name: str, act: Callable[..., None]) -> None:
    """Acts before every call of a function."""
    function = getattr(owner, name)

    def acting(*arguments: Any, **named: Any) -> Any:
        act(*arguments, **named)
        return function(*arguments, **named)

    setattr(owner, name, acting)


def before_in_engine(name: str, fail: Callable[[], None]) -> None:
    """Fails before a call of a method of DeepSpeed's engine."""
    initialise = Trainer.__init__

    def initialise_and_arm(self: Trainer, *arguments: Any) -> None:
        initialise(self, *arguments)
        before(self.engine, name, lambda *_, **__: fail())

    Trainer.__init__ = initialise_and_arm


def in_second_forward(fail: Callable[[], None]) -> None:
    """The first shows DeepSpeed the model; from the second on it works ahead."""
    calls: list[None] = []

    def count(*_: Any, **__: Any) -> None:
        calls.extend([None] if torch.is_grad_enabled() else [])
        if len(calls) == 2:
            fail()

    before(Trainer, "forward", count)


def in_backward(fail: Callable[[], None]) -> None:
    """Inside of torch's own loop over the graph."""
    forward = Trainer.forward

    def forward_and_arm(*arguments: Any, **named: Any) -> Any:
        loss, *rest = forward(*arguments, **named)
        if loss.requires_grad:
            loss.register_hook(lambda gradient: fail())
        return loss, *rest

    Trainer.forward = forward_and_arm


POINTS: dict[str, Callable[[Callable[[], None]], None]] = {
    "model": lambda fail: before(train, "build_model", lambda *_: fail()),
    "forward": in_second_forward,
    "backward": in_backward,
    "optimizer": lambda fail: before_in_engine("step", fail),
    "worker": lambda fail: before(
        StepDataset, "__getitem__", lambda _, batch: fail() if batch.step == STEPS - 1 else None
    ),
    "checkpoint": lambda fail: before_in_engine("save_checkpoint", fail),
    "evaluation": lambda fail: before(Trainer, "evaluate", lambda *_: fail()),
    "export": lambda fail: before(train, "export_model", lambda *_: fail()),
}


def main(folder: Path) -> None:
    """Runs this rank."""
    meeting.START_AT_LEAST = 300  # a busy machine starts one rank long after the other
    case = json.loads((folder / CASE_FILE).read_text())

    def fail() -> None:
        (folder / MARK).touch()
        if case["how"] == "raise":
            raise RuntimeError(f"injected at {case['point']}")
        os.kill(os.getpid(), signal.SIGKILL if case["how"] == "kill" else signal.SIGSTOP)

    if int(os.environ["RANK"]) == case["victim"]:
        POINTS[case["point"]](fail)
    sys.argv[1:] = ["--no-preflight"]
    train.main(*configuration(case), folder)


if __name__ == "__main__":
    main(Path(sys.argv.pop(1)))
