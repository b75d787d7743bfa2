"""Random and mutated files of a run, read as a run reads them: ``python document_fuzz.py [COUNT [SEED]]``.

Whatever lies there is believed or refused with a reason: no other exception, no hang, and what is believed makes sense.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import os
import pickle
import random
import shutil
import signal
import struct
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import tiny
import torch
from deepspeed.runtime.zero.config import ZeroStageEnum

from skrull_runtime.batches.sampler import ScheduledBatchSampler, schedule_batch
from skrull_runtime.checkpoints import save as checkpoint
from skrull_runtime.checkpoints.unpickling import problem_of, restricted
from skrull_runtime.config import identity_of
from skrull_runtime.data.index import read_index
from skrull_runtime.documents import read_document
from skrull_runtime.errors import UserError
from skrull_runtime.reporting.metrics import MetricsLog
from skrull_runtime.scheduling.replay import MAGIC, PlannedSchedules
from skrull_runtime.training.start import DEEPSPEED_SCHEMA

SECONDS = 60  # after which a single file counts as a hang
MAX_LENGTH = 1024
LENGTHS = [40, 300, 7, 120, 65, 9, 33, 210, 18, 90, 77]
STRANGE: list[Any] = [
    *(None, True, False, 0, -1, 1, 3, -3, 2**31, 2**53, 2**64, -(2**63), 10**400, 0.5, -0.0, 1e308),
    *(math.nan, math.inf, -math.inf, "", "0", "../../etc/passwd", "/etc/passwd", "a\0b", "\ud800"),
    *("x" * 5000, [], {}, [[]], [0], [-1], {"a": 1}, [1] * 1000, {"step": -3}),
]

Source = random.Random
Read = Callable[[Path], None]


def places(document: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every container of a document with every key in it."""
    keys = document.keys() if isinstance(document, dict) else range(len(document))
    for key in keys:
        found.append((document, key))
        if isinstance(document[key], dict | list):
            places(document[key], found)
    return found


def changed(document: Any, source: Source) -> bytes:
    """JSON of the document with some values swapped, moved, removed or added."""
    document = copy.deepcopy(document)
    for _ in range(source.choice((1, 1, 1, 2, 5))):
        known = places(document, [])
        if not known:
            break
        container, key = source.choice(known)
        kind = source.randrange(5)
        if kind == 0:
            del container[key]
        elif kind == 1:
            other, name = source.choice(known)
            container[key] = copy.deepcopy(other[name]) if _has(other, name) else None
        elif kind == 2 and isinstance(container, dict):
            container[source.choice(("zz", "", "format_version", "step", "files"))] = 1
        elif kind == 3 and isinstance(container[key], int):
            container[key] += source.choice((-1, 1, -(2**20), 2**20))
        else:
            container[key] = copy.deepcopy(source.choice(STRANGE))
    return json.dumps(document).encode("utf-8", "surrogatepass")


def _has(container: Any, key: Any) -> bool:
    return key in container if isinstance(container, dict) else key < len(container)


def damaged(content: bytes, source: Source) -> bytes:
    """Bytes flipped, cut, doubled or overwritten; or nothing of them left."""
    kind = source.randrange(7)
    at = source.randrange(len(content) + 1)
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:at] + source.randbytes(source.choice((1, 4, 64))) + content[at:]
    if kind == 2:
        return content[:at] + content[at + source.choice((1, 4, 64)) :]
    if kind == 3:
        return source.randbytes(source.choice((0, 1, 100, 2000)))
    if kind == 4:
        deep = source.choice((b"[", b'{"a":', b"(", b"]"))
        return content[:at] + deep * source.choice((10, 2000, 100_000))
    flipped = bytearray(content)
    for _ in range(source.choice((1, 1, 3, 20))):
        if flipped:
            flipped[source.randrange(len(flipped))] ^= 1 << source.randrange(8)
    return bytes(flipped)


def either(document: Any, source: Source) -> bytes:
    """A document changed as JSON, or as bytes; sometimes as it was."""
    if source.random() < 0.7:
        return changed(document, source)
    return damaged(json.dumps(document).encode(), source)


# Each kind: a file made from a source of chance, and how a run reads it.


def index_document() -> dict:
    """A sound index of two files."""
    files = [{"path": f"data/{n}.jsonl", "sha256": f"{n}" * 64, "bytes": 10_000} for n in range(2)]
    rows = range(len(LENGTHS))
    columns = {
        "block": [row % 3 for row in rows],
        "row": [row * 100 for row in rows],
        "line": [row + 1 for row in rows],
        "length": LENGTHS,
        "supervised": [length // 2 for length in LENGTHS],
        "check": [row * 2**27 for row in rows],
    }
    blocks = [{"key": f"{number}" * 64, "file": number % 2} for number in range(3)]
    return {"format_version": 2, "files": files, "blocks": blocks, "samples": columns}


def read_samples(path: Path) -> None:
    """As a run does, then the first global batch: a length of 0 would never be placed."""
    _, samples = read_index(path, MAX_LENGTH)
    columns = list(samples.values())
    assert len({len(column) for column in columns}) == 1
    assert all(type(value) is int and value >= 0 for column in columns for value in column)
    lengths = samples["length"]
    assert all(1 <= length <= MAX_LENGTH for length in lengths)
    assert all(t <= n for t, n in zip(samples["supervised"], lengths, strict=True))
    config = tiny.scheduling(2, 2, "auto")
    schedule_batch(next(iter(ScheduledBatchSampler(lengths, config))), lengths, config)


def packed(schedules: list[list[tuple[int, int]]], source: Source) -> bytes:
    """``schedules.bin``: micro-batch and group of every sequence of every step, with its header."""
    body = b""
    for schedule in schedules:
        numbers = b"".join(leb128(value) for pair in schedule for value in pair)
        body += struct.pack("<d", 5.0) + leb128(len(numbers)) + numbers
    if source.random() < 0.4:
        body = damaged(body, source)
    header = {
        "scheduling": identity_of(tiny.scheduling(2, 2, "auto")),
        "steps": len(schedules),
        "lengths_sha256": hashlib.sha256(",".join(map(str, LENGTHS)).encode()).hexdigest(),
        "body_sha256": hashlib.sha256(body).hexdigest(),
    }
    text = either(header, source) if source.random() < 0.2 else json.dumps(header).encode()
    content = MAGIC + text + b"\n" + body
    return damaged(content, source) if source.random() < 0.1 else content


def leb128(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    out = b""
    while value >= 128:
        out += bytes([value % 128 + 128])
        value //= 128
    return out + bytes([value])


def make_schedules(source: Source) -> bytes:
    """Some that fit, some over the bucket, some with groups that there are not."""

    def pair() -> tuple[int, int]:
        return source.choice(
            [
                (source.randrange(4), source.randrange(3)),
                (source.randrange(9), 2),
                (2**40, 0),
                (0, 99),
            ]
            if source.random() < 0.02
            else [(source.randrange(6), source.choice((0, 1, 2, 2)))]
        )

    return packed([[pair() for _ in LENGTHS] for _ in range(2)], source)


def read_schedules(path: Path) -> None:
    """Every step, as training replays them."""
    config = tiny.scheduling(2, 2, "auto")
    planned = PlannedSchedules(path, LENGTHS, config)
    for step in range(len(planned)):
        schedule = planned.schedule(step, LENGTHS)
        assert len(schedule["micro_batches"]) <= len(LENGTHS)
        placed = []
        for entry in schedule["micro_batches"]:
            held = Counter()
            for place in entry["placements"]:
                placed.append(place["sequence"])
                degree, length = place["degree"], LENGTHS[place["sequence"]]
                tokens = length if degree == 1 else 2 * -(-length // (2 * degree))
                for rank in range(place["first_rank"], place["first_rank"] + degree):
                    held[rank] += tokens
            assert all(0 <= rank < 2 and tokens <= config.bucket for rank, tokens in held.items())
        assert sorted(placed) == list(range(len(LENGTHS)))


METRIC = {
    "step": 3,
    "loss": 1.5,
    "tokens": 100,
    "supervised_tokens": 50,
    "micro_batches": 2,
    "seconds": 1.5,
    "predicted_seconds": 1.4,
    "gradient_norm": None,
}


def make_metrics(source: Source) -> bytes:
    """Some lines, of which some are damaged."""
    lines = []
    for step in range(source.randrange(5)):
        entry = METRIC | {"step": step}
        lines.append(either(entry, source) if source.random() < 0.5 else json.dumps(entry).encode())
    return b"\n".join(lines)


def read_metrics(path: Path) -> None:
    """As a resumed run does: what is left are steps before it."""
    (path.parent / "metrics.jsonl").write_bytes(path.read_bytes())
    with redirect_stdout(StringIO()):
        MetricsLog(path.parent, 4, 1)
    for line in (path.parent / "metrics.jsonl").read_text().splitlines():
        assert 0 <= json.loads(line)["step"] < 4


DEEPSPEED = {
    "train_micro_batch_size_per_gpu": 1,
    "gradient_clipping": 1.0,
    "zero_optimization": {"stage": 2, "reduce_bucket_size": 5e8, "overlap_comm": False},
    "bf16": {"enabled": True},
    "steps_per_print": 1000,
}


def read_deepspeed(path: Path) -> None:
    """What is believed has a stage that DeepSpeed knows."""
    document = read_document(path, DEEPSPEED_SCHEMA)
    assert document.get("zero_optimization", {}).get("stage", 0) in (0, 1, 2, 3)


class Hostile:
    """Leaves a trace where it is unpickled."""

    def __init__(self, mark: str):
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.mark,)


def part(source: Source, mark: Path) -> bytes:
    """What a rank writes into a checkpoint, as it was, damaged, or with code in it."""
    content: dict[str, Any] = {
        "a": torch.arange(5.0),
        "stage": ZeroStageEnum.weights,
        "n": [1, 2.5],
    }
    if source.random() < 0.3:
        content["evil"] = Hostile(str(mark))
    stream = BytesIO()
    torch.save(content, stream)
    if source.random() < 0.2:
        return pickle.dumps(content, protocol=source.randrange(6))
    if source.random() < 0.3:
        stream = repacked(stream, source)
    return damaged(stream.getvalue(), source) if source.random() < 0.6 else stream.getvalue()


def repacked(stream: BytesIO, source: Source) -> BytesIO:
    """The same zip file with its pickle damaged, and a right checksum."""
    result = BytesIO()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(result, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename.endswith("data.pkl"):
                data = damaged(data, source)
            new.writestr(entry.filename, data)
    return result


def make_checkpoint(source: Source, folder: Path) -> None:
    """A folder as a run leaves it, with something wrong about it, or nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    content = part(source, folder.parent / "ran")
    (folder / "part.pt").write_bytes(content)
    state = {
        "sampler": {"step": 7, "samples": 11, "global_batch": 4, "seed": 3, "mixture": [[11, 5]]},
        "data": "0" * 64,
        "ranks": 2,
        "files": {"part.pt": len(content)},
    }
    text = either(state, source) if source.random() < 0.4 else json.dumps(state).encode()
    (folder / checkpoint.STATE).write_bytes(text)


def read_checkpoint(folder: Path) -> None:
    """As a resumed run does. Raises UserError where it would pass the checkpoint over, or stop."""
    problem = checkpoint._problem(folder, 0, 1)
    if problem is not None:
        raise UserError(problem)
    state = checkpoint._read_state(folder)
    assert state["sampler"]["step"] == 7
    problem = problem_of(folder / "part.pt")
    if problem is not None and (folder / "part.pt").stat().st_size > 20_000:
        raise UserError(problem)  # torch takes minutes to word some of its errors
    try:
        with restricted():
            torch.load(folder / "part.pt", weights_only=False)
    except Exception as error:  # load_checkpoint says so
        raise UserError(repr(error)[:200]) from error
    finally:
        assert not (folder.parent / "ran").exists(), "code has run"
    assert problem is None, "torch has loaded what was refused"


KINDS: dict[str, tuple[Callable[[Source, Path], None], Read]] = {
    "data_index.json": (
        lambda source, path: _write(path, either(index_document(), source)),
        read_samples,
    ),
    "schedules.bin": (lambda source, path: _write(path, make_schedules(source)), read_schedules),
    "metrics.jsonl": (lambda source, path: _write(path, make_metrics(source)), read_metrics),
    "ds_config.json": (
        lambda source, path: _write(path, either(DEEPSPEED, source)),
        read_deepspeed,
    ),
    "checkpoint": (make_checkpoint, read_checkpoint),
}


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def fuzz(kind: str, count: int, seed: int, folder: Path) -> dict[str, Any]:
    """Reads so many files of a kind. Raises where one is neither believed nor refused with a reason, or not at all."""
    make, read = KINDS[kind]
    path = folder / ("step-00000007" if kind == "checkpoint" else "file")
    figures = {"files": count, "believed": 0, "refused": 0, "slowest_seconds": 0.0}
    signal.signal(signal.SIGALRM, _hang)
    for number in range(count):
        make(random.Random(f"{seed} {kind} {number}"), path)
        started = time.perf_counter()
        signal.alarm(SECONDS)
        try:
            read(path)
            figures["believed"] += 1
        except UserError as error:
            figures["refused"] += 1
            assert str(error) and len(str(error)) < 3000, f"file {number}: {error}"
        except BaseException as error:
            raise AssertionError(f"{kind}, seed {seed}, file {number}: {error!r}") from error
        finally:
            signal.alarm(0)
        seconds = time.perf_counter() - started
        figures["slowest_seconds"] = max(figures["slowest_seconds"], seconds)
    return figures


class Hang(BaseException):
    """Not to be caught by anybody who catches errors."""


def _hang(*_: Any) -> None:
    raise Hang


def main() -> None:
    """Every kind, with figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        for kind in KINDS:
            started = time.perf_counter()
            figures = fuzz(kind, count, seed, Path(folder) / kind)
            seconds = time.perf_counter() - started
            print(kind, json.dumps(figures | {"seconds": round(seconds, 1)}), flush=True)


if __name__ == "__main__":
    main()
