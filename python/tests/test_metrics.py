"""The files of figures: whole lines of JSON, whatever happened to the run before."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch

from skrull_runtime.errors import UserError
from skrull_runtime.reporting import metrics
from skrull_runtime.reporting.metrics import (
    MetricsLog,
    TensorBoard,
    WeightsAndBiases,
    memory_figures,
    model_flops,
    step_entry,
    trackers,
)

ENTRY = {
    "step": 0,
    "loss": 1.5,
    "gradient_norm": math.inf,
    "tokens_per_second": 10.0,
    "sequences": 1,
    "micro_batches": 1,
    "seconds": 1.0,
    "predicted_seconds": 1.0,
}


def refuse(constant: str) -> float:
    """Python reads what JSON does not have."""
    raise AssertionError(constant)


def test_lines_are_json_where_figures_are_not_finite(tmp_path: Path):
    log = MetricsLog(tmp_path, 0, 1)
    log.add(ENTRY)
    log.add_evaluation(1, math.nan, 1.0)
    for name in ("metrics", "evaluation"):
        json.loads((tmp_path / f"{name}.jsonl").read_text(), parse_constant=refuse)


def line(step: object, **others: object) -> bytes:
    """Of a step in ``metrics.jsonl``."""
    known = {"step": step, "tokens": 5, "supervised_tokens": 3, "micro_batches": 1}
    return json.dumps(known | {"seconds": 1.0, "predicted_seconds": 1.0} | others).encode()


def test_what_a_kill_or_a_bad_disk_left_is_dropped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    damaged = [b'{"step": \xff}', b"\x00\x00", b"[" * 100_000, b'{"step": 1e999}', b"{}"]
    strange = [line(-3), line("0"), line(True), line(0.5), line(math.nan), line(0, tokens=-1)]
    lines = [line(0), *damaged, line(5), *strange, line(1), b'{"st']
    (tmp_path / "metrics.jsonl").write_bytes(b"\n".join(lines))
    MetricsLog(tmp_path, 2, 1)
    assert (tmp_path / "metrics.jsonl").read_bytes() == line(0) + b"\n" + line(1) + b"\n"
    said = capsys.readouterr().out
    assert said == "note: 11 damaged lines of metrics.jsonl are left out\n"


def test_what_cannot_be_written_anew_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "metrics.jsonl"
    file.write_bytes(line(0) + b"\n")
    write = Path.write_text

    def half(path: Path, text: str) -> int:
        write(path, text[: len(text) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(UserError, match=r"metrics\.jsonl: cannot be written \(No space left"):
        MetricsLog(tmp_path, 1, 1)
    assert file.read_bytes() == line(0) + b"\n"


FLOPS = {"per_token": 7.0, "per_token_squared": 0.5, "peak": 1000.0}


def test_flops_are_of_every_tokens_matrices_and_every_sequences_square():
    assert model_flops([], FLOPS) == 0
    assert model_flops([10], FLOPS) == 70 + 50
    # Two sequences of 10 are not one of 20.
    assert model_flops([10, 10], FLOPS) == 2 * 120
    assert model_flops([3, 20], FLOPS) == 7 * 23 + 0.5 * (9 + 400)


def entry_of(
    flops: dict[str, float] | None,
    router_loss: float | None = None,
    recomputing_less: float | None = None,
) -> dict:
    """Of a step of two sequences, of 30 and 10 tokens, that took 4 seconds."""
    batch = SimpleNamespace(
        **{"step": 5, "epoch": 1, "samples": [8, 9], "tokens": 40, "supervised": 30},
        **{"micro_batches": [0, 0, 0], "predicted_seconds": 3.5, "scheduling_seconds": 0.1},
        figures=SimpleNamespace(padding=0.05, imbalance=1.25),
    )
    result = SimpleNamespace(
        **{"loss": 2.5, "seconds": 4.0, "learning_rate": 0.1, "gradient_norm": 9.0},
        **{"skipped_steps": 1, "router_loss": router_loss, "waited_seconds": 0.2},
        recomputing_less=recomputing_less,
        optimizer_seconds=0.7,
    )
    return step_entry(batch, result, SimpleNamespace(model_flops=flops), [30, 10], 8)


def test_a_step_has_its_figures_and_its_share_of_the_ranks_peak():
    entry = entry_of(FLOPS)
    # 280 FLOPs a token's share and 500 of squares, of 8 ranks' 1000 a second over 4 seconds.
    assert entry["mfu"] == (7 * 40 + 0.5 * 1000) / (8 * 1000 * 4)
    assert entry["tokens_per_second"] == 10
    assert entry["supervised_tokens_per_second"] == 7.5
    expected = {
        **{"step": 5, "epoch": 1, "loss": 2.5, "sequences": 2, "tokens": 40},
        **{"supervised_tokens": 30, "micro_batches": 3, "seconds": 4.0, "skipped_steps": 1},
        **{"predicted_seconds": 3.5, "scheduling_seconds": 0.1, "waited_seconds": 0.2},
        **{"optimizer_seconds": 0.7},
        **{"padding": 0.05, "imbalance": 1.25, "learning_rate": 0.1, "gradient_norm": 9.0},
    }
    assert {name: entry[name] for name in expected} == expected
    assert "router_loss" not in entry and "mfu" not in entry_of(None)
    assert entry_of(None, 0.0)["router_loss"] == 0.0
    assert "recomputing_less" not in entry
    assert entry_of(None, recomputing_less=0.25)["recomputing_less"] == 0.25


def test_memory_is_the_processs_or_the_peak_on_a_gpu(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(Path, "read_text", lambda own: "900 7 800 1 0 2 0")
    assert memory_figures() == {"memory_resident": 7 * 4096}
    reset: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 5)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda: 6)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: reset.append(1))
    assert memory_figures() == {"memory_allocated": 5, "memory_reserved": 6}
    assert reset == [1]


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Lines on the screen."""
    return capsys.readouterr().out.splitlines()


def test_every_step_is_in_the_file_and_some_on_the_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    log = MetricsLog(tmp_path / "deep" / "output", 0, 3)
    for step in range(7):
        log.add(ENTRY | {"step": step})
    lines = (tmp_path / "deep" / "output" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(range(7))
    shown = said(capsys)
    assert [int(line.split()[0]) for line in shown] == [0, 3, 6]
    assert shown[0].split()[1:] == ["1.5000", "10", "1", "1", "1.00", "1.00"]
    assert len(shown[0]) == len(metrics.HEADER)


class Noting:
    """A tracker."""

    def __init__(self):
        self.seen: list = []

    def add(self, step: int, figures: dict[str, float]) -> None:
        """See Tracker."""
        self.seen.append((step, figures))

    def close(self) -> None:
        """See Tracker."""
        self.seen.append("closed")


def test_trackers_get_the_numbers_after_so_many_steps(tmp_path: Path):
    others = [Noting(), Noting()]
    log = MetricsLog(tmp_path, 0, 1, others)
    log.add(ENTRY | {"step": 4, "gradient_norm": None})
    log.add_evaluation(5, 2.25, 0.5)
    log.close()
    figures = {name: float(value) for name, value in ENTRY.items() if name != "gradient_norm"}
    seen = [(5, figures | {"step": 4.0}), (5, {"evaluation_loss": 2.25}), "closed"]
    assert [other.seen for other in others] == [seen, seen]


def test_evaluations_are_kept_up_to_the_steps_that_were_trained(tmp_path: Path):
    log = MetricsLog(tmp_path, 0, 1)
    assert not log.has_evaluation(1)
    for steps in (1, 2, 3):
        log.add_evaluation(steps, 0.5, 2.0)
    assert [log.has_evaluation(steps) for steps in (0, 1, 3, 4)] == [False, True, True, False]
    file = tmp_path / "evaluation.jsonl"
    assert json.loads(file.read_text().splitlines()[1]) == {
        "steps": 2,
        "evaluation_loss": 0.5,
        "seconds": 2.0,
    }
    MetricsLog(tmp_path, 2, 1)
    assert [json.loads(line)["steps"] for line in file.read_text().splitlines()] == [1, 2]


def test_steps_are_kept_up_to_those_that_were_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "metrics.jsonl"
    file.write_bytes(b"".join(line(step) + b"\n" for step in range(4)))
    MetricsLog(tmp_path, 2, 1)
    assert [json.loads(each)["step"] for each in file.read_text().splitlines()] == [0, 1]
    assert said(capsys) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == ["metrics.jsonl"]
    MetricsLog(tmp_path, 0, 1)
    assert file.read_bytes() == b""


def test_a_last_line_that_a_kill_cut_is_no_damage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "metrics.jsonl"
    file.write_bytes(line(0) + b"\n" + b'{"st')
    MetricsLog(tmp_path, 1, 1)
    assert file.read_bytes() == line(0) + b"\n"
    assert said(capsys) == []
    file.write_bytes(b"{\n" + line(0) + b"\n")
    MetricsLog(tmp_path, 1, 1)
    assert said(capsys) == ["note: 1 damaged lines of metrics.jsonl are left out"]


def test_an_output_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "output").write_text("a file")
    with pytest.raises(UserError, match="output: cannot be written"):
        MetricsLog(tmp_path / "output", 0, 1)


@pytest.fixture
def writers(monkeypatch: pytest.MonkeyPatch) -> list:
    """What stand-ins of both packages are told."""
    told: list = []

    class Writer:
        def __init__(self, folder: str):
            told.append(("folder", folder))

        def __getattr__(self, name: str):
            return lambda *args, **options: told.append((name, *args, *options.items()))

    board = ModuleType("torch.utils.tensorboard")
    board.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", board)
    wandb = ModuleType("wandb")

    def init(**options) -> Writer:
        told.append(options)
        return Writer("a run")

    wandb.init = init
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    return told


def test_tensorboard_gets_every_figure(tmp_path: Path, writers: list):
    tracker = TensorBoard(tmp_path)
    tracker.add(3, {"loss": 1.0, "mfu": 0.5})
    tracker.close()
    assert writers == [
        ("folder", str(tmp_path)),
        ("add_scalar", "loss", 1.0, 3),
        ("add_scalar", "mfu", 0.5, 3),
        ("flush",),
        ("close",),
    ]


def test_weights_and_biases_gets_every_step(tmp_path: Path, writers: list):
    for resumed, how in ((True, "allow"), (False, None)):
        WeightsAndBiases("a project", tmp_path, resumed).add(3, {"loss": 1.0})
        assert writers[-3:] == [
            {"project": "a project", "dir": str(tmp_path), "resume": how},
            ("folder", "a run"),
            ("log", {"loss": 1.0}, ("step", 3)),
        ]
    WeightsAndBiases("a project", tmp_path, False).close()
    assert writers[-1] == ("finish",)


def test_a_run_has_the_trackers_that_it_asks_for(
    tmp_path: Path, writers: list, monkeypatch: pytest.MonkeyPatch
):
    def kinds(tensorboard: bool, wandb: str | None) -> list[type]:
        train = SimpleNamespace(tensorboard=tensorboard, wandb=wandb)
        return [type(own) for own in trackers(train, tmp_path, True)]

    assert kinds(False, None) == []
    assert kinds(True, None) == [TensorBoard]
    assert writers == [("folder", str(tmp_path / "tensorboard"))]
    assert kinds(True, "a project") == [TensorBoard, WeightsAndBiases]
    for name in ("torch.utils.tensorboard", "wandb"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match="pip install tensorboard"):
        kinds(True, None)
    with pytest.raises(UserError, match="pip install wandb"):
        kinds(False, "a project")
