"""The engine as a program: requests and answers on lines, and nothing left running."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from launch import PYTHON_ROOT, wait_until

LINE = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}\n'
VIEW = {"supervise": "assistant", "limit": None}


class Client:
    """A started engine."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "skrull_runtime.data.engine"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(PYTHON_ROOT)},
            text=True,
        )

    def send(self, request: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """The next one that is no progress."""
        assert self.process.stdout is not None
        while True:
            answer = json.loads(self.process.stdout.readline())
            if "progress" not in answer:
                return answer

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        self.send({"id": 1, "op": op, **fields})
        return self.answer()


@pytest.fixture
def engine():
    client = Client()
    yield client
    client.process.kill()
    client.process.wait()


def measuring(tmp_path: Path, *files: Path, **more: Any) -> dict[str, Any]:
    return {
        "cache": str(tmp_path / "cache"),
        "tokenizer": "bytes",
        "rendering": {},
        "view": VIEW,
        "processes": 2,
        "files": [str(file) for file in files],
        **more,
    }


def test_answers_come_in_order(engine: Client, tmp_path: Path):
    file = tmp_path / "data.jsonl"
    file.write_text(LINE * 3)
    engine.send({"id": "a", "op": "hello"})
    engine.send({"id": "b", "op": "measure", **measuring(tmp_path, file)})
    first, second = engine.answer(), engine.answer()
    assert (first["id"], second["id"]) == ("a", "b")
    (table,) = second["result"]["measurements"]
    assert Path(table).is_file()
    facts = second["result"]["facts"]
    assert facts["template"] == "declared" and facts["ends"] == [["<|im_end|>", 1]]


def test_a_users_mistake_is_told_and_the_engine_goes_on(engine: Client, tmp_path: Path):
    answer = engine.ask("measure", **measuring(tmp_path, tmp_path / "none.jsonl"))
    assert answer["error"]["kind"] == "user"
    assert "none.jsonl: No such file" in answer["error"]["message"]
    assert "result" in engine.ask("hello")


def test_a_fault_has_its_traceback(engine: Client):
    answer = engine.ask("measure")
    assert answer["error"]["kind"] == "fault"
    assert "KeyError" in answer["error"]["message"]
    assert engine.ask("unknown")["error"]["kind"] == "fault"


def test_nothing_is_kept_without_a_cache(engine: Client, tmp_path: Path):
    file = tmp_path / "data.jsonl"
    file.write_text(LINE)
    answer = engine.ask("measure", **measuring(tmp_path, file, cache=None))
    (table,) = answer["result"]["measurements"]
    assert Path(table).is_file()
    assert engine.process.stdin is not None
    engine.process.stdin.close()
    assert engine.process.wait(10) == 0
    assert not Path(table).exists()


def children(pid: int) -> list[int]:
    """Of a process, on Linux."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()] if found.exists() else []


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("end", ["input", "kill"])
def test_no_process_outlives_the_engine(end: str, engine: Client, tmp_path: Path):
    file = tmp_path / "data.jsonl"
    file.write_text(LINE * 400_000)
    engine.send({"id": 1, "op": "measure", **measuring(tmp_path, file)})
    workers: list[int] = []

    def started() -> bool:
        workers[:] = children(engine.process.pid)
        return len(workers) >= 2

    assert wait_until(started)
    time.sleep(0.5)  # in the midst of it
    if end == "kill":
        engine.process.kill()
    else:
        assert engine.process.stdin is not None
        engine.process.stdin.close()
    engine.process.wait(10)

    def gone() -> bool:
        return not any(is_running(worker) for worker in workers)

    assert wait_until(gone)


def is_running(pid: int) -> bool:
    """Whether it is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_starting_is_quick_without_heavy_packages(tmp_path: Path):
    """Counted in modules, not in seconds."""
    file = tmp_path / "data.jsonl"
    file.write_text(LINE)
    program = (
        "import sys, io, json\n"
        "from skrull_runtime.data.engine import Engine\n"
        f"request = {json.dumps({'id': 1, 'op': 'measure', **measuring(tmp_path, file)})!r}\n"
        "Engine(io.StringIO(request + '\\n'), sys.stdout).run()\n"
        "heavy = {'torch', 'transformers', 'numpy', 'pyarrow', 'tokenizers', 'jinja2', 'datasets'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(PYTHON_ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    lines = done.stdout.splitlines()
    assert lines[-1] == "[]", done.stderr
    assert "measurements" in json.loads(lines[-2])["result"]
