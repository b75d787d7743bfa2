"""A run as the compiler emits it, over the tiny model and data of its own; argument 1 is its folder."""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

import numbers_worker
import tiny

from skrull_runtime.checkpoints import save as checkpoint
from skrull_runtime.config import DataConfig, ModelConfig, RunConfig, SchedulingConfig, TrainConfig
from skrull_runtime.guarding import meeting
from skrull_runtime.reporting.metrics import MetricsLog
from skrull_runtime.train import main
from skrull_runtime.training.step import Trainer

STEPS = 8
RATE = float(os.environ.get("LEARNING_RATE", "1e-2"))
PRECISION = os.environ.get("PRECISION", "fp32")
OPTIMIZER = {
    "type": "adamw",
    "lr": RATE,
    "betas": [0.9, 0.999],
    "eps": 1e-8,
    "weight_decay": 0.1,
    "decayed": "matrices",
}
LORA = tiny.adapters(os.environ.get("LORA", False))
SCHEDULING = SchedulingConfig(
    data_parallel=1,
    context_parallel=2,
    bucket=400,
    padding="zigzag",
    cost={"a1": 1.0, "a2": 0.01, "comm": {"2": [1.0, 1.0, 0.1]}},
    policy="auto",
    degrees="local-or-all",
    objective="lockstep",
    global_batch=6,
    seed=3,
)
CONFIG = RunConfig(
    model=ModelConfig("random", PRECISION, attention="sdpa", loss_chunk=64, lora=LORA),
    data=DataConfig(".", "bytes", "assistant", 800, "drop"),
    train=TrainConfig(
        STEPS,
        OPTIMIZER,
        {"type": "cosine", "warmup_steps": 2},
        3,
        checkpoint_every=int(os.environ.get("CHECKPOINT_EVERY", "2")),
        evaluate_every=4,
        tensorboard="TENSORBOARD" in os.environ,
        non_finite_gradients=os.environ.get("NON_FINITE", "stop"),
        resume=os.environ.get("RESUME", "auto"),
        timeout_seconds=float(os.environ.get("TIMEOUT", "1800")),
        gradients="fp32" if PRECISION == "bf16" else "model",
        model_flops={"per_token": 1e6, "per_token_squared": 1e3, "peak": 1e12},
    ),
)

if __name__ == "__main__":
    folder = Path(sys.argv.pop(1))
    meeting.START_AT_LEAST = 300  # a busy machine starts one rank long after the other
    if (
        "SLOW_CHECKPOINT" in os.environ
    ):  # time to be killed in: its parts are written, it is not complete
        complete, slow = checkpoint._complete, f"step-{int(os.environ['SLOW_CHECKPOINT']):08d}"

        def complete_slowly(path, state):
            if path.name == slow:
                time.sleep(60)
            complete(path, state)

        checkpoint._complete = complete_slowly
    if (
        "HOLD_AT" in os.environ
    ):  # waits after so many steps until the test has done what it wants to
        add = MetricsLog.add

        def add_and_wait(log, entry):
            add(log, entry)
            while entry["step"] + 1 == int(os.environ["HOLD_AT"]) and not (folder / "go").exists():
                time.sleep(0.02)

        MetricsLog.add = add_and_wait
    if "POISON_AT" in os.environ:  # the gradient of one micro-batch of a step is infinite
        numbers_worker.poison(Trainer, {int(os.environ["POISON_AT"]): 0})
    if "HOLD_EVALUATION" in os.environ and os.environ["RANK"] == "0":
        evaluate = Trainer.evaluate

        def wait_and_evaluate(*arguments):
            (folder / "evaluates").touch()
            while not (folder / "go").exists():
                time.sleep(0.02)
            return evaluate(*arguments)

        Trainer.evaluate = wait_and_evaluate
    if "ONE_STEP" in os.environ and os.environ["RANK"] == "1":  # somebody has typed it on one node
        sys.argv += ["--steps", "1"]
    if os.environ.get("LOST") == os.environ["RANK"]:  # a rank whose node has not got the run
        folder = folder / "elsewhere"
    if "STALE" in os.environ and os.environ["RANK"] != "0":  # stands for a disk that shows late
        folder_of = checkpoint.checkpoint_folders
        checkpoint.checkpoint_folders = lambda output: (
            folder_of(output) or [output / checkpoint.FOLDER / "step-00000008"]
        )
    if "LARGEST_FILE" in os.environ:  # stands for a full disk
        limit = int(os.environ["LARGEST_FILE"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    main(CONFIG, SCHEDULING, folder)
