"""The worker process that makes batches ends with its rank, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import launch
import pytest
import torch.distributed as dist
from torch.utils.data import Dataset

from skrull_runtime.batches.feed import StepFeed, stop_workers

# Prints its worker's id once the worker has more to say than fits between two processes, and waits to be killed.
RANK = """
import multiprocessing, time
import numpy as np
from skrull_runtime.batches.feed import StepFeed

class Batches:
    def __getitem__(self, batch):
        return np.zeros(1_000_000, np.int32)

batches = StepFeed(Batches()).batches(range(100))
next(batches)
time.sleep(1)
(worker,) = multiprocessing.active_children()
print(worker.pid, flush=True)
time.sleep(60)
"""


class Doubled(Dataset[int]):
    """Stands for the batches."""

    def __getitem__(self, number: int) -> int:
        return 2 * number


def test_a_worker_makes_one_series_of_batches_after_the_other():
    feed = StepFeed(Doubled())
    try:
        assert list(feed.batches(range(5))) == [0, 2, 4, 6, 8]
        assert list(feed.batches(())) == []
        assert list(feed.batches([7, 3])) == [14, 6]
    finally:
        stop_workers()


def test_no_worker_is_forked_from_a_process_with_the_threads_of_a_process_group():
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        with pytest.raises(AssertionError, match="never wake up"):
            StepFeed(Doubled())
    finally:
        dist.destroy_process_group()


def is_running(process: int) -> bool:
    """Whether it is there, and not only because nobody has asked how it ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_worker_does_not_outlive_a_killed_rank():
    path = str(Path(__file__).resolve().parents[1])
    rank = subprocess.Popen(
        [sys.executable, "-c", RANK],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert rank.stdout is not None
    worker = int(rank.stdout.readline())
    try:
        assert is_running(worker)
        os.kill(worker, signal.SIGTERM)  # which schedulers send to all
        os.kill(worker, signal.SIGINT)  # and terminals
        time.sleep(0.5)
        assert is_running(worker)
        rank.kill()
        rank.wait()
        assert launch.wait_until(lambda: not is_running(worker))
    finally:
        rank.kill()
        if is_running(worker):
            os.kill(worker, signal.SIGKILL)
