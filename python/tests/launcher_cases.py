"""One rank fails under the real launchers: what the process that ``launch.sh`` becomes says, returns and leaves.

``npm run test:long -- launchers`` runs every point and way under both launchers.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import failure_run
import launch
import psutil
from failure_cases import LATER, SOON, TIMEOUT, names_cause
from test_resume import write_run

from skrull_runtime.launching.library import LAUNCHERS

TRAIN = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import failure_run
sys.argv[1:] = []
failure_run.main(Path({folder!r}))
"""
Case = dict[str, Any]


def case_of(launcher: str, point: str, how: str, number: int) -> Case:
    """With the other settings in turn."""
    return {
        "launcher": launcher,
        "point": point,
        "how": how,
        "stage": number % 4,
        "reduction": "once" if number % 4 and number % 3 else "every-micro-batch",
        "context": 1 + number // 2 % 2,
        "victim": number % 2,
    }


def all_cases() -> list[Case]:
    """Every point and way under both launchers."""
    chosen = [
        (launcher, point, how)
        for launcher in LAUNCHERS
        for point in failure_run.POINTS
        for how in failure_run.WAYS
    ]
    return [case_of(*names, number) for number, names in enumerate(chosen)]


def problem_of(case: Case, folder: Path) -> str | None:
    """Runs it. What is not as it should be."""
    write_run(folder, case["stage"])
    shutil.copy(folder / "data_index.json", folder / "evaluation_index.json")
    (folder / failure_run.CASE_FILE).write_text(json.dumps({**case, "timeout": TIMEOUT}))
    values = {"tests": str(Path(__file__).parent), "folder": str(folder)}
    (folder / "train.py").write_text(TRAIN.format(**values))
    options = [
        "--launcher",
        case["launcher"],
        "--nodes",
        "1",
        "--gpus",
        "2",
        "--timeout",
        f"{TIMEOUT}",
    ]
    (node,) = launch.start_launcher(*options, str(folder / "train.py"))
    mark = folder / failure_run.MARK
    if not launch.wait_until(lambda: mark.exists() or node.process.poll() is not None, 400):
        return f"it never failed:\n{node.output()[-3000:]}"
    try:
        started = psutil.Process(node.process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        started = []
    launch.wait_until(lambda: node.process.poll() is not None, 2 * LATER)
    seconds = time.time() - (mark.stat().st_mtime if mark.exists() else 0)
    launch.wait_until(lambda: not any(map(_lives, started)), 1)  # the killed end a moment later
    left = [process.pid for process in started if _lives(process)]
    output = node.output()
    launch.end([node])
    return _problem(case, node.process.returncode, seconds, left, output)


def _lives(process: psutil.Process) -> bool:
    """Whether it still runs; one that has ended may wait for somebody to take note of it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _problem(case: Case, code: int, seconds: float, left: list[int], output: str) -> str | None:
    how = case["how"]
    line = output.splitlines()[-1] if output else ""
    wrong = []
    if code != (3 if how == "raise" else 1):
        wrong.append(f"exit code {code}")
    if not names_cause(line, case):
        wrong.append(f"the last line is {line!r}")
    if seconds > (LATER if how == "stop" else SOON):
        wrong.append(f"it ended after {seconds:.1f} s")
    if left:
        wrong.append(f"processes {left} are left")
    if ("Traceback" in output) != (how == "raise"):
        wrong.append("it shows a traceback, or none")
    return f"{'; '.join(wrong)}:\n{output[-3000:]}" if wrong else None


def main() -> int:
    """Exit code 1 where a case is not as it should be. ``--every N`` runs one of N."""
    every = int(sys.argv[2]) if sys.argv[1:2] == ["--every"] else 1
    chosen = all_cases()[::every]
    off = 0
    for number, case in enumerate(chosen):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            if problem := problem_of(case, Path(folder) / "run"):
                off += 1
                print(f"off: {case}: {problem}", flush=True)
        print(f"{number + 1} of {len(chosen)}: {off} not as they should be", flush=True)
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main())
