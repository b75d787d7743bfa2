"""Planned schedules are read byte for byte, and refused where they are not those of the run."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from skrull_runtime.config import SchedulingConfig, identity_of
from skrull_runtime.errors import UserError
from skrull_runtime.scheduling.replay import FILE, MAGIC, PlannedSchedules, ScheduleMismatch

COMM = {"2": [1.0, 1.0, 0.1], "4": [1.0, 1.0, 0.1], "8": [1.0, 1.0, 0.1]}
CONFIG = SchedulingConfig(
    data_parallel=2,
    context_parallel=2,
    bucket=100,
    padding="zigzag",
    cost={"a1": 1.0, "a2": 0.0, "comm": COMM},
    policy="auto",
    degrees="pool",
    objective="lockstep",
    global_batch=3,
    seed=0,
)
LENGTHS = [40, 50, 60, 70]

# Groups of four ranks, by degree and first rank: 0-3 are single ranks, 4 and 5 pairs, 6 all.
GROUPS = [(1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 2), (4, 0)]


def step(time: float, *placed: int, size: int | None = None) -> bytes:
    """A step: its time, the bytes that follow, and a micro-batch and group for every sequence."""
    return struct.pack("<d", time) + bytes([len(placed) if size is None else size, *placed])


def written(
    folder: Path,
    body: bytes,
    steps: int = 1,
    config: SchedulingConfig = CONFIG,
    lengths: list[int] = LENGTHS,
    **header: Any,
) -> Path:
    """A file of planned schedules."""
    stated = {
        "scheduling": identity_of(config),
        "steps": steps,
        "body_sha256": hashlib.sha256(body).hexdigest(),
        "lengths_sha256": hashlib.sha256(",".join(map(str, lengths)).encode()).hexdigest(),
    } | header
    path = folder / FILE
    path.write_bytes(MAGIC + json.dumps(stated).encode() + b"\n" + body)
    return path


def planned(folder: Path, body: bytes, steps: int = 1, **settings: Any) -> PlannedSchedules:
    """Read as the run reads them."""
    return PlannedSchedules(written(folder, body, steps, **settings), LENGTHS, CONFIG)


def placements(schedule: dict) -> list[list[tuple[int, int, int]]]:
    """Of every micro-batch: sequence, first rank, degree."""
    assert [entry["index"] for entry in schedule["micro_batches"]] == list(
        range(len(schedule["micro_batches"]))
    )
    return [
        [(p["sequence"], p["first_rank"], p["degree"]) for p in entry["placements"]]
        for entry in schedule["micro_batches"]
    ]


def test_steps_are_replayed_as_they_were_written(tmp_path: Path):
    body = step(12.5, 0, 0, 0, 1, 1, 6) + step(0.0, 0, 5)
    found = planned(tmp_path, body, 2)
    assert len(found) == 2
    first = found.schedule(0, [40, 50, 60])
    assert first["iteration_time"] == 12.5
    assert placements(first) == [[(0, 0, 1), (1, 1, 1)], [(2, 0, 4)]]
    second = found.schedule(1, [70])
    assert second["iteration_time"] == 0.0
    assert placements(second) == [[(0, 2, 2)]]


@pytest.mark.parametrize(("group", "expected"), list(enumerate(GROUPS)))
def test_groups_are_numbered_by_degree_and_first_rank(
    tmp_path: Path, group: int, expected: tuple[int, int]
):
    schedule = planned(tmp_path, step(1.0, 0, group)).schedule(0, [8])
    assert placements(schedule) == [[(0, expected[1], expected[0])]]


def test_a_micro_batch_may_be_met_before_an_earlier_one(tmp_path: Path):
    schedule = planned(tmp_path, step(1.0, 1, 0, 0, 0)).schedule(0, [8, 9])
    assert placements(schedule) == [[(1, 0, 1)], [(0, 0, 1)]]


def test_numbers_of_several_bytes_are_little_endian_in_groups_of_seven_bits(tmp_path: Path):
    # 200 sequences, each in a micro-batch of its own: numbers from 128 on take two bytes.
    lengths = [1] * 200
    body = b"".join(
        bytes([n, 0]) if n < 128 else bytes([n % 128 + 128, n // 128, 0]) for n in range(200)
    )
    size = len(body)
    whole = struct.pack("<d", 1.0) + bytes([size % 128 + 128, size // 128]) + body
    found = planned(tmp_path, whole).schedule(0, lengths)
    assert placements(found) == [[(n, 0, 1)] for n in range(200)]
    zeros = b"\x82" + b"\x80" * 6 + b"\x00"  # 2, in eight bytes
    assert placements(
        planned(tmp_path, struct.pack("<d", 1.0) + zeros + bytes([0, 0])).schedule(0, [5])
    ) == [[(0, 0, 1)]]


def refused(folder: Path, body: bytes, steps: int = 1, **settings: Any) -> str:
    """Why."""
    with pytest.raises(ScheduleMismatch) as error:
        planned(folder, body, steps, **settings)
    return str(error.value)


def test_a_damaged_file_is_refused(tmp_path: Path):
    body = step(1.0, 0, 0)
    path = tmp_path / FILE
    with pytest.raises(ScheduleMismatch, match="is missing"):
        PlannedSchedules(path, LENGTHS, CONFIG)
    for content in (b"", b"another file\n{}\n", MAGIC, MAGIC + b'{"steps": 1}'):
        path.write_bytes(content)
        with pytest.raises(ScheduleMismatch, match="is not a file of planned schedules"):
            PlannedSchedules(path, LENGTHS, CONFIG)
    path.write_bytes(MAGIC + b"{}\n")
    with pytest.raises(ScheduleMismatch, match="damaged header"):
        PlannedSchedules(path, LENGTHS, CONFIG)
    # One bit of the body, that would be read as another group.
    whole = bytearray(written(tmp_path, body).read_bytes())
    whole[-1] ^= 1
    path.write_bytes(whole)
    with pytest.raises(ScheduleMismatch, match="is damaged"):
        PlannedSchedules(path, LENGTHS, CONFIG)
    assert "is damaged" in refused(tmp_path, body, body_sha256="0" * 64)


def test_schedules_of_other_data_or_settings_are_refused(tmp_path: Path):
    body = step(1.0, 0, 0)
    assert "lengths of the samples" in refused(tmp_path, body, lengths=[40, 50, 60, 71])
    assert "lengths of the samples" in refused(tmp_path, body, lengths=[4, 50, 60, 70, 0])
    other = replace(CONFIG, data_parallel=4)
    assert refused(tmp_path, body, config=other) == "data parallel was 4, now it is 2"
    stated = identity_of(CONFIG) | {"policy": "x" * 300}
    assert refused(tmp_path, body, scheduling=stated) == f"policy was {'x' * 200}, now it is auto"
    # How they are used is not what they were made for.
    same = replace(CONFIG, strict=True, mode="planned", forecast={"a": 1.0})
    assert len(PlannedSchedules(written(tmp_path, body, config=same), LENGTHS, CONFIG)) == 1


def test_steps_that_are_not_those_stated_are_refused(tmp_path: Path):
    body = step(1.0, 0, 0) + step(1.0, 0, 0)
    for steps in (0, 1):
        assert "does not hold the" in refused(tmp_path, body, steps)
    assert "ends within a step" in refused(tmp_path, body, 3)
    assert "ends within a step" in refused(tmp_path, body[:-3] + b"\x80", 2)
    assert "does not hold the 2 steps" in refused(tmp_path, body[:-1], 2)
    assert len(planned(tmp_path, b"", 0)) == 0
    long = struct.pack("<d", 1.0) + b"\x80" * 8
    assert "more than 8 bytes" in refused(tmp_path, long + b"\x00")
    assert "ends within a step" in refused(tmp_path, long[:-1])


def at_fault(folder: Path, body: bytes, lengths: list[int]) -> str:
    """What is wrong with a step that is in a sound file."""
    with pytest.raises(UserError) as error:
        planned(folder, body).schedule(0, lengths)
    message = str(error.value)
    assert message.startswith(f"{FILE}: step 0: ")
    return message.removeprefix(f"{FILE}: step 0: ")


def test_a_step_that_is_no_schedule_of_its_sequences_is_refused(tmp_path: Path):
    for time in (-1.0, float("nan"), float("inf")):
        assert at_fault(tmp_path, step(time, 0, 0), [8]).startswith("its predicted time is")
    # A micro-batch that there cannot be, a group that there is not, and fewer or more sequences.
    place = "sequence 0 of 1 has no place in it"
    assert at_fault(tmp_path, step(1.0, 1, 0), [8]).startswith(place)
    assert at_fault(tmp_path, step(1.0, 0, 7), [8]).startswith(place)
    # The bytes of the step after must not be taken.
    found = planned(tmp_path, step(1.0, 0, 0) + step(1.0, 0, 0), 2)
    with pytest.raises(UserError, match="step 0: sequence 1 of 2 has no place in it"):
        found.schedule(0, [8, 9])
    more = at_fault(tmp_path, step(1.0, 0, 0, 0, 0), [8])
    assert more.startswith("it is of more than the 1 sequences")


def test_a_bucket_must_hold_its_shards(tmp_path: Path):
    # Rank 0: 60 whole, and of 80 over two ranks four chunks of 20, two of them each.
    body = step(1.0, 0, 0, 0, 4)
    assert planned(tmp_path, body).schedule(0, [60, 80])
    assert at_fault(tmp_path, body, [61, 80]).startswith("micro-batch 0 is over the bucket")
    assert at_fault(tmp_path, body, [60, 81]).startswith("micro-batch 0 is over the bucket")
    # In micro-batches of their own, and on other ranks, they are not added.
    assert planned(tmp_path, step(1.0, 0, 0, 1, 4)).schedule(0, [61, 80])
    assert planned(tmp_path, step(1.0, 0, 0, 0, 5)).schedule(0, [100, 200])
    late = step(1.0, 0, 0, 1, 5)
    assert at_fault(tmp_path, late, [61, 201]).startswith("micro-batch 1 is over the bucket")
    # The last rank of a group is one of it.
    last = step(1.0, 0, 3, 0, 5)
    assert at_fault(tmp_path, last, [61, 80]).startswith("micro-batch 0 is over the bucket")


def test_a_bucket_of_whole_tokens_is_not_a_token_larger(tmp_path: Path):
    alone = replace(CONFIG, data_parallel=4, context_parallel=1)
    path = written(tmp_path, step(1.0, 0, 0, 0, 0), config=alone)
    found = PlannedSchedules(path, LENGTHS, alone)
    assert placements(found.schedule(0, [60, 40])) == [[(0, 0, 1), (1, 0, 1)]]
    with pytest.raises(UserError, match="micro-batch 0 is over the bucket"):
        found.schedule(0, [61, 40])


def test_a_group_must_be_of_the_class_and_have_a_cost(tmp_path: Path):
    body = step(1.0, 0, 6)
    local = replace(CONFIG, degrees="local-or-all")
    found = PlannedSchedules(written(tmp_path, body, config=local), LENGTHS, local)
    with pytest.raises(UserError, match="it has a group of 4 ranks"):
        found.schedule(0, [8])
    without = replace(CONFIG, cost=CONFIG.cost | {"comm": {"2": [1.0, 1.0, 0.1]}})
    found = PlannedSchedules(written(tmp_path, body, config=without), LENGTHS, without)
    with pytest.raises(UserError, match="it has a group of 4 ranks"):
        found.schedule(0, [8])
    pairs = step(1.0, 0, 4)
    found = PlannedSchedules(written(tmp_path, pairs, config=without), LENGTHS, without)
    assert placements(found.schedule(0, [8])) == [[(0, 0, 2)]]
