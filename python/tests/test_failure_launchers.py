"""The same failures under the launchers that ``launch.sh`` uses: its exit code and its last line are the first cause's."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import failure_cases
import failure_run
import launch
import pytest

TRAIN = f"""import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
import failure_run
failure_run.main(Path(__file__).resolve().parent)
"""
ONCE, EVERY = "once", "every-micro-batch"
CASES = [
    ("deepspeed", "raise", "backward", 2, ONCE, 2, 1),
    ("deepspeed", "stop", "checkpoint", 1, ONCE, 2, 1),
    ("torchrun", "kill", "forward", 2, ONCE, 2, 1),
    ("torchrun", "stop", "evaluation", 3, EVERY, 2, 0),
]
NAMES = ("launcher", "how", "point", "stage", "reduction", "context", "victim")


def start(case: dict[str, Any], folder: Path) -> subprocess.Popen:
    """The command of an emitted ``launch.sh``."""
    failure_cases.write_case(folder, case)
    (folder / "train.py").write_text(TRAIN)
    options = ["--launcher", case["launcher"], "--nodes", "1", "--gpus", "2"]
    command = [sys.executable, "-m", "skrull_runtime.launcher", *options, "--timeout", "300"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(launch.PYTHON_ROOT),
        "DS_ACCELERATOR": "cpu",
        "OMP_NUM_THREADS": "1",
    }
    log = (folder / "log").open("w")
    return subprocess.Popen(
        [*command, str(folder / "train.py")], env=environment, stdout=log, stderr=log, cwd=folder
    )


@pytest.mark.parametrize("values", CASES, ids=lambda values: "-".join(map(str, values[:3])))
def test_the_launcher_returns_the_code_and_prints_the_cause_last(values: tuple, tmp_path: Path):
    case = dict(zip(NAMES, values, strict=True))
    folder = tmp_path / "run"
    launcher = start(case, folder)
    try:
        assert launch.wait_until(lambda: launcher.poll() is not None, 600)
    finally:
        launcher.kill()
        launcher.wait()
    seconds = time.time() - (folder / failure_run.MARK).stat().st_mtime
    output = (folder / "log").read_text()
    assert launcher.returncode == (3 if case["how"] == "raise" else 1), output[-3000:]
    assert failure_cases.names_cause(output.splitlines()[-1], case), output[-3000:]
    limit = failure_cases.LATER if case["how"] == "stop" else failure_cases.SOON
    assert seconds < limit, output[-3000:]
