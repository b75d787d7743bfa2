"""A library's launcher of a node's ranks, which starts them as it always does; run as a program by ``launcher.py``.

It adds three things. Each rank's end is written down (``exit-RANK.json`` in the folder of ``SKRULL_ENDINGS``) as soon as it
is noticed, for the process that watches over the node. The library's own report of a failure, a traceback that does not
state the cause, is left out. SIGTERM, which schedulers send to every process of a job, is left to the ranks, which then
write a checkpoint: the libraries would kill them after 30 s.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..guarding.cause import ENDINGS, LAUNCHER_PID
from . import tree

if TYPE_CHECKING:
    from collections.abc import Callable

    Handler = Callable[[int, FrameType | None], Any] | int | signal.Handlers | None

LAUNCHERS = ("deepspeed", "torchrun")


@dataclass(frozen=True)
class Exit:
    """How a rank's process has ended: with an exit code, or by a signal."""

    rank: int
    pid: int
    code: int  # negative: the signal's number
    time: float  # seconds since 1970

    def write(self, folder: Path) -> None:
        """Writes it whole to ``exit-RANK.json``."""
        path = folder / f"exit-{self.rank}.json"
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(self)))
        os.replace(temporary, path)


def read_exits(folder: Path) -> list[Exit]:
    """The ends of this node's ranks so far, earliest first."""
    found = [Exit(**json.loads(path.read_bytes())) for path in folder.glob("exit-*.json")]
    return sorted(found, key=lambda exit: exit.time)


class WatchedPopen(subprocess.Popen):
    """A started process; if it is a rank, its end is written down."""

    started: list[WatchedPopen] = []  # noqa: RUF012 - all processes that this program has started

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.started.append(self)
        rank = (options.get("env") or {}).get("RANK")
        if rank is not None and ENDINGS in os.environ:
            threading.Thread(target=self._write_end, args=(int(rank),), daemon=True).start()

    def _write_end(self, rank: int) -> None:
        code = self.wait()
        Exit(rank, self.pid, code, time.time()).write(Path(os.environ[ENDINGS]))


def follow(launcher: int) -> None:
    """Leaves SIGTERM to the ranks, unless the process ``launcher``, which started this one, has ended: they end with it."""
    install = signal.signal

    def on_sigterm(number: int, frame: FrameType | None) -> None:
        if os.getppid() != launcher:
            for process in WatchedPopen.started:
                process.kill()
            os._exit(128 + number)

    def install_others(signalnum: int, handler: Handler) -> Handler:
        return on_sigterm if signalnum == signal.SIGTERM else install(signalnum, handler)

    install(signal.SIGTERM, on_sigterm)
    signal.signal = install_others
    tree.end_with_parent(launcher)


def run_torchrun(arguments: list[str]) -> None:
    """Does what the program ``torchrun`` does."""
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    try:
        run.main(arguments)
    except ChildFailedError as error:
        sys.exit(max(1, error.get_first_failure()[1].exitcode))


def run_deepspeed(arguments: list[str]) -> None:
    """Does what the program does that DeepSpeed's ``deepspeed`` starts on every node."""
    from deepspeed.launcher import launch

    sys.argv[1:] = arguments
    launch.main()


def main() -> None:
    """Arguments: the launcher's name, then its own."""
    name, *arguments = sys.argv[1:]
    follow(int(os.environ[LAUNCHER_PID]))
    # Before the libraries are imported. mypy does not let a class be replaced.
    subprocess.Popen = WatchedPopen  # type: ignore[misc]
    {"deepspeed": run_deepspeed, "torchrun": run_torchrun}[name](arguments)


if __name__ == "__main__":
    main()
