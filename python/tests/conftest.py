"""What every test leaves behind."""

from __future__ import annotations

import os
from collections.abc import Iterator

import launch
import pytest

os.environ["SKRULL_CACHE"] = ""  # tokens stay in the run's folder


@pytest.fixture(autouse=True)
def no_ranks_left() -> Iterator[None]:
    """A test that fails half-way would leave ranks running, which slow those after it down."""
    yield
    launch.end([rank for rank in launch.STARTED if rank.process.poll() is None])
    launch.STARTED.clear()
