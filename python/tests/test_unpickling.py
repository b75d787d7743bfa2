"""Checkpoints that could run code are refused before anything is unpickled."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from deepspeed.runtime.fp16.loss_scaler import LossScaler
from deepspeed.runtime.zero.config import ZeroStageEnum
from deepspeed.utils.tensor_fragment import fragment_address

from skrull_runtime.checkpoints.unpickling import problem_in, problem_of, restricted

OURS = {
    "weights": {"a": torch.arange(4.0), "b": torch.ones(2, dtype=torch.bfloat16)},
    "scaler": LossScaler(1.0),
    "stage": ZeroStageEnum.gradients,
    "slice": fragment_address(numel=3, start=1),
    "shape": torch.Size([2, 3]),
    "numbers": [1, 2.5, None, True, 2**40, "text", b"bytes", (1, 2), {3}],
}


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.mark}'",)


def test_what_our_runs_write_is_loaded_whoever_asks(tmp_path: Path):
    torch.save(OURS, tmp_path / "own.pt")
    assert problem_in(tmp_path) is None
    with restricted():  # as DeepSpeed asks
        loaded = torch.load(tmp_path / "own.pt", weights_only=False)
    assert loaded["weights"]["a"].equal(OURS["weights"]["a"])
    assert (loaded["stage"], loaded["slice"]) == (OURS["stage"], OURS["slice"])
    assert loaded["numbers"] == OURS["numbers"]


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_code_is_refused_by_name_and_never_runs(protocol: int, tmp_path: Path):
    mark = tmp_path / "ran"
    state = {**OURS, "extra": Hostile(mark)}
    torch.save(state, tmp_path / "part.pt", pickle_protocol=protocol)
    problem = problem_in(tmp_path)
    assert problem is not None and str(tmp_path / "part.pt") in problem
    if protocol == 2:  # torch's own; in others some signs are none that torch writes
        assert "would call 'posix.system', which no run of skrull writes" in problem
    with restricted(), pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "part.pt", weights_only=False)
    assert not mark.exists()


def test_other_ways_to_run_code_are_refused(tmp_path: Path):
    mark = tmp_path / "ran"
    old = tmp_path / "old.pt"
    torch.save({"a": Hostile(mark)}, old, _use_new_zipfile_serialization=False)
    plain = tmp_path / "plain.pt"
    plain.write_bytes(pickle.dumps(Hostile(mark)))
    script = tmp_path / "script.pt"
    torch.save(OURS, script)
    with zipfile.ZipFile(script, "a") as archive:
        archive.writestr("script/constants.pkl", pickle.dumps(()))
    for path in (old, plain, script):
        assert "is not a file that a run writes" in str(problem_of(path)), path
        with restricted(), pytest.raises((pickle.UnpicklingError, RuntimeError)):
            torch.load(path, weights_only=False)
    assert not mark.exists()


def test_the_restriction_ends_with_its_block(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "0")
    with restricted():
        assert os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] == "1"
    assert os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] == "0"
    monkeypatch.delenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD")
    with restricted():
        pass
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ
