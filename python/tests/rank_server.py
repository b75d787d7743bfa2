"""Forks ranks of tests from a process that has imported what every rank needs: of a start, most is imports.

``launch.py`` sends a request a rank, with its log and the end of a pipe that the exit code goes to.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import json
import os
import runpy
import select
import socket
import sys
from pathlib import Path

IMPORTED = (
    "skrull_runtime.train",
    "skrull_runtime.checkpoints.convert",
    "deepspeed.runtime.zero.stage3",
    "deepspeed.runtime.zero.stage_1_and_2",
    "deepspeed.runtime.bf16_optimizer",
    "peft",
    "transformers.models.qwen2.modeling_qwen2",
)
LARGEST_REQUEST = 1 << 20  # bytes


def serve(requests: socket.socket) -> dict | None:
    """Forks a process for each request. Returns in those, with the request; in this one once nobody asks any more."""
    running: dict[int, tuple[int, int]] = {}  # process and pipe, by what tells that it has ended
    while True:
        for ready in select.select([requests, *running], [], [])[0]:
            if ready is not requests:
                report(ready, *running.pop(ready))
                continue
            message, descriptors, _, _ = socket.recv_fds(requests, LARGEST_REQUEST, 2)
            if not message:
                return None
            log, pipe = descriptors
            pid = os.fork()
            if pid == 0:
                requests.close()
                for descriptor in (pipe, *running, *(other for _, other in running.values())):
                    os.close(descriptor)
                request = json.loads(message)
                become(request, log)
                return request
            os.close(log)
            os.write(pipe, f"{pid}\n".encode())
            running[os.pidfd_open(pid)] = pid, pipe


def report(ended: int, pid: int, pipe: int) -> None:
    """Passes on the exit code of a process that has ended."""
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(BrokenPipeError):  # nobody asks for it any more
        os.write(pipe, f"{code}\n".encode())
    os.close(pipe)
    os.close(ended)


def become(request: dict, log: int) -> None:
    """Makes this process what ``python SCRIPT ARGUMENTS`` would be."""
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv[:] = request["command"]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    faulthandler.enable()


def main() -> None:
    """Serves the socket whose descriptor is the argument; in a forked process, runs its script."""
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()  # forked processes share what is there
    request = serve(socket.socket(fileno=int(sys.argv[1])))
    if request is not None:
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
