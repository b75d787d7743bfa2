"""Runs test files, one request a line: ``{"tests": [...], "seconds": 60}``, answered with pytest's exit code, or null where
it took too long. Every run is a fork of this process, which has imported the libraries that tests wait for, and nothing of
the runtime's own."""

from __future__ import annotations

import json
import os
import signal
import sys
import time

import deepspeed  # noqa: F401
import peft  # noqa: F401
import pytest
import torch  # noqa: F401
import transformers.models.qwen2.modeling_qwen2  # noqa: F401


def run_tests(tests: list[str], seconds: float) -> int | None:
    """pytest's exit code; None after so many seconds."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        os._exit(pytest.main(["-q", "-x", "-p", "no:cacheprovider", *tests]))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def main() -> None:
    """Answers until its input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is no answer
    for line in sys.stdin:
        request = json.loads(line)
        answers.write(f"{json.dumps(run_tests(request['tests'], request['seconds']))}\n")


if __name__ == "__main__":
    main()
