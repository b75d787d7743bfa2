"""One process at a time owns a run's output, and a dead one does not."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import launch
import pytest

from skrull_runtime.errors import UserError
from skrull_runtime.process import run_lock

OWNER = """
import os, sys, time
from pathlib import Path
from skrull_runtime.process.run_lock import hold
hold(Path(sys.argv[1]), 0)
if os.fork() == 0:  # as a batch worker
    time.sleep(60)
    os._exit(0)
print("holds", flush=True)
time.sleep(60)
"""


def owner(output: Path) -> subprocess.Popen:
    """A process that owns it, and has forked another one."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(output)],
        env={**os.environ, "PYTHONPATH": str(launch.PYTHON_ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "holds\n"
    return process


def test_a_second_owner_is_refused_and_told_who_the_first_is(tmp_path: Path):
    output = tmp_path / "output"
    first = owner(output)
    try:
        started = time.monotonic()
        with pytest.raises(UserError) as refused:
            run_lock.hold(output, 0.3)
        assert 0.2 < time.monotonic() - started < 5
        assert f"another run writes to it: process {first.pid} on {os.uname().nodename}" in str(
            refused.value
        )
        first.kill()  # its child lives on, and does not hold the lock
        first.wait()
        run_lock.hold(output, 0)
        own = json.loads((tmp_path / "output.lock").read_text())
        assert (own["pid"], own["host"]) == (os.getpid(), os.uname().nodename)
    finally:
        os.killpg(first.pid, 9)
        while run_lock._held:
            run_lock._held.pop().close()


def test_an_owner_that_is_just_ending_is_waited_for(tmp_path: Path):
    first = owner(tmp_path / "output")
    ends = subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -9 -{first.pid}"])
    try:
        run_lock.hold(tmp_path / "output", 10)
    finally:
        ends.wait()
        first.wait()
        while run_lock._held:
            run_lock._held.pop().close()


def test_without_locks_a_living_owner_of_this_machine_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    first = owner(tmp_path / "output")
    monkeypatch.setattr(fcntl, "lockf", unsupported)
    try:
        with pytest.raises(UserError, match="another run writes to it"):
            run_lock.hold(tmp_path / "output", 0)
        os.killpg(first.pid, 9)
        first.wait()
        run_lock.hold(tmp_path / "output", 0)
        assert "has no locks: do not start this run a second time" in capsys.readouterr().out
    finally:
        while run_lock._held:
            run_lock._held.pop().close()


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path):
    (tmp_path / "in the way").write_text("")
    with pytest.raises(OSError):
        run_lock.hold(tmp_path / "in the way" / "output", 0)
