"""DeepSpeed's launcher, which passes SIGTERM on: by itself it ends alone, and its ranks train on unseen."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import psutil
from deepspeed.launcher import runner


def main() -> None:
    """Arguments are those of DeepSpeed's launcher."""
    signal.signal(signal.SIGTERM, _pass_on)
    runner.main()


def _pass_on(number: int, frame: FrameType | None) -> None:
    """Who started the ranks lets them write a checkpoint, and then ends."""
    started = psutil.Process().children()
    if not started:
        sys.exit(128 + number)
    for process in started:
        process.send_signal(number)


if __name__ == "__main__":
    main()
