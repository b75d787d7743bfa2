"""The engine as a program: ``python -m skrull_runtime.data.engine`` answers requests, each a JSON object on a line.

A request has an ``id`` and an ``op``; the answer has the same ``id`` and either a ``result`` or an ``error``, and any
number of messages with ``progress`` come before it. Requests are answered in order. The engine ends, whatever it is doing,
when its input does: the program that asked is then gone.
"""

from __future__ import annotations

import json
import os
import queue
import threading
import traceback
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from ..errors import UserError
from ..shapes import JsonObject
from . import operations
from .operations import Tell


class Engine:
    """Answers the requests of one stream on another."""

    def __init__(self, requests: Iterable[str], answers: TextIO):
        self._requests, self._answers = requests, answers
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._busy = threading.Event()

    def run(self) -> None:
        """Answers until the requests end."""
        threading.Thread(target=self._read, daemon=True).start()
        while (line := self._waiting.get()) is not None:
            self._busy.set()
            self._answer(line)
            self._busy.clear()

    def _read(self) -> None:
        for line in self._requests:
            self._waiting.put(line)
        if self._busy.is_set():
            operations.forget()
            os._exit(0)  # the processes that tokenise end with this one
        self._waiting.put(None)

    def _answer(self, line: str) -> None:
        number = None
        try:
            request = json.loads(line)
            number = request["id"]
            handle = operations.HANDLERS[request["op"]]
            self._send({"id": number, "result": handle(request, self._teller(number))})
        except UserError as error:
            self._send({"id": number, "error": {"kind": "user", "message": str(error)}})
        except ImportError as error:
            self._send({"id": number, "error": {"kind": "package", "message": error.name or ""}})
        except Exception:
            self._send(
                {"id": number, "error": {"kind": "fault", "message": traceback.format_exc()}}
            )

    def _teller(self, number: Any) -> Tell:
        return lambda progress: self._send({"id": number, "progress": progress})

    def _send(self, answer: JsonObject) -> None:
        # ASCII: a row may hold a lone surrogate, which UTF-8 cannot encode.
        self._answers.write(json.dumps(answer) + "\n")
        self._answers.flush()


def _lines(descriptor: int) -> Iterator[str]:
    """Lines as they come. Not through ``sys.stdin``: a thread that waits in it holds its lock, which a forked process
    needs to close it."""
    held = b""
    while piece := os.read(descriptor, 1 << 16):
        *lines, held = (held + piece).split(b"\n")
        yield from (line.decode() for line in lines)


def main() -> None:
    """Answers on standard output, which nothing else writes to."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        Engine(_lines(0), answers).run()
    except (BrokenPipeError, KeyboardInterrupt):
        operations.forget()
        os._exit(0)


if __name__ == "__main__":
    main()
