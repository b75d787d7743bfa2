"""A killed run goes on as if nothing had happened; what does not fit is refused with the reason."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import launch
import pytest
import tiny
import torch
from document_fuzz import Hostile
from parity_worker import ds_config
from run_data import write_index
from safetensors.torch import load_file

from skrull_runtime.checkpoints.convert import RANK_PID
from skrull_runtime.checkpoints.unpickling import name_outside

SCRIPT = Path(__file__).with_name("resume_run.py")
SAMPLES = 20
COMPARED = (
    "step",
    "epoch",
    "loss",
    "tokens",
    "sequences",
    "supervised_tokens",
    "micro_batches",
    "learning_rate",
)


def write_run(folder: Path, stage: int = 2, family: str = "qwen2") -> None:
    """A run's folder: configuration, data and its index."""
    folder.mkdir()
    tiny.write_config(folder, family)
    (folder / "ds_config.json").write_text(json.dumps(ds_config(stage)))
    content = b""
    for number in range(SAMPLES):
        answer = "yes " * (150 if number % 7 == 0 else number + 1)
        messages = [
            {"role": "user", "content": f"question {number}"},
            {"role": "assistant", "content": answer},
        ]
        content += json.dumps({"messages": messages}).encode() + b"\n"
    (folder / "data.jsonl").write_bytes(content)
    write_index(folder)


def metrics(folder: Path) -> list[dict]:
    """The figures that do not depend on the clock."""
    lines = (folder / "output" / "metrics.jsonl").read_text().splitlines()
    return [{name: json.loads(line)[name] for name in COMPARED} for line in lines]


def wait_for_steps(folder: Path, steps: int, ranks: list[launch.Rank]) -> None:
    """Until that many steps are trained, so that the kill comes in the middle."""
    path = folder / "output" / "metrics.jsonl"
    ended: list[int | None] = []

    def is_there() -> bool:
        ended[:] = [rank.process.poll() for rank in ranks if rank.process.poll() is not None]
        return bool(ended) or (path.exists() and len(path.read_text().splitlines()) >= steps)

    assert launch.wait_until(is_there) and not ended, ranks[0].output()[-2000:]


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    write_run(folder)
    launch.run(2, SCRIPT, str(folder))
    return folder


@pytest.mark.parametrize("victims", [[1], [0, 1]], ids=["a rank", "all ranks"])
def test_a_killed_run_resumes_to_the_same_losses(
    victims: list[int], whole_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "killed"
    write_run(folder)
    monkeypatch.setenv("HOLD_AT", "5")
    ranks = launch.start(2, SCRIPT, str(folder))
    wait_for_steps(folder, 5, ranks)
    for victim in victims:
        ranks[victim].process.kill()
    (folder / "go").touch()
    results = launch.finish(ranks)
    assert [code for code, _ in results] == [-9 if rank in victims else 1 for rank in range(2)]
    if victims == [1]:
        last = results[0][1].splitlines()[-1]
        assert last.startswith("error: rank 1 on ") and ": ended without a word (process " in last
        assert "Traceback" not in results[0][1]
    results = launch.finish(launch.start(2, SCRIPT, str(folder)))
    assert [code for code, _ in results] == [0, 0], results[0][1][-2000:]
    assert "resumed after" in results[0][1]
    expected = metrics(whole_run)
    found = metrics(folder)
    assert_equal_runs(found, expected)
    assert expected[-1]["loss"] < expected[0]["loss"]


def test_a_run_killed_in_a_checkpoint_resumes_from_the_one_before(
    whole_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "killed"
    write_run(folder)
    monkeypatch.setenv("SLOW_CHECKPOINT", "4")
    ranks = launch.start(2, SCRIPT, str(folder))
    wait_for_steps(folder, 4, ranks)
    unfinished = folder / "output" / "checkpoints" / "step-00000004"
    assert launch.wait_until(lambda: bool(list(unfinished.glob("*optim_states.pt"))))
    for rank in ranks:
        rank.process.send_signal(signal.SIGKILL)
    launch.finish(ranks)
    assert not (unfinished / "skrull_state.json").exists()
    monkeypatch.delenv("SLOW_CHECKPOINT")
    assert "resumed after 2 steps" in launch.run(2, SCRIPT, str(folder))
    assert_equal_runs(metrics(folder), metrics(whole_run))


def test_a_run_that_never_resumes_starts_anew_and_keeps_the_earlier_output(
    whole_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "anew"
    shutil.copytree(whole_run, folder)
    monkeypatch.setenv("RESUME", "never")
    monkeypatch.setenv("STALE", "1")
    monkeypatch.setenv("TIMEOUT", "120")
    output = launch.run(2, SCRIPT, str(folder), "--steps", "2")
    assert "resumed after" not in output
    assert "the earlier run's output is kept in output.1" in output
    assert [entry["step"] for entry in metrics(folder)] == [0, 1]
    assert (folder / "output.1" / "metrics.jsonl").exists()


def test_only_the_newest_checkpoints_are_kept(whole_run: Path):
    folders = sorted(path.name for path in (whole_run / "output" / "checkpoints").glob("step-*"))
    assert folders == ["step-00000006", "step-00000008"]


def test_a_finished_run_started_again_trains_nothing(whole_run: Path, tmp_path: Path):
    folder = tmp_path / "again"
    shutil.copytree(whole_run, folder)
    launch.run(2, SCRIPT, str(folder))
    assert metrics(folder) == metrics(whole_run)


def refusal(folder: Path, ranks: int = 2) -> str:
    """Output of rank 0 of a run that must end with the user's error."""
    results = launch.finish(launch.start(ranks, SCRIPT, str(folder)))
    assert [code for code, _ in results] == [1] * ranks, results[0][1][-2000:]
    assert "Traceback" not in results[0][1]
    return results[0][1]


def assert_equal_runs(found: list[dict], expected: list[dict]) -> None:
    """Every step once, in order, with the same figures; so every sample once an epoch, none twice and none skipped."""
    assert [entry["step"] for entry in found] == list(range(len(expected)))
    for epoch in (0, 1):
        assert sum(entry["sequences"] for entry in found if entry["epoch"] == epoch) == SAMPLES
    assert found == [
        {**entry, "loss": pytest.approx(entry["loss"], rel=1e-6)} for entry in expected
    ]


def test_a_run_told_to_stop_leaves_a_checkpoint(
    whole_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "stopped"
    write_run(folder)
    monkeypatch.setenv("HOLD_AT", "3")
    ranks = launch.start(2, SCRIPT, str(folder))
    wait_for_steps(folder, 3, ranks)
    ranks[1].process.send_signal(signal.SIGTERM)
    (folder / "go").touch()
    results = launch.finish(ranks)
    assert [code for code, _ in results] == [143, 143], results[0][1][-2000:]
    trained = len(metrics(folder))
    assert f"stopped by SIGTERM after {trained} steps" in results[0][1]
    assert trained in (3, 4)
    assert f"resumed after {trained} steps" in launch.run(2, SCRIPT, str(folder))
    assert_equal_runs(metrics(folder), metrics(whole_run))


@pytest.mark.parametrize("damage", ["cut short", "overwritten", "gone", "state"])
def test_a_damaged_checkpoint_is_passed_over(damage: str, whole_run: Path, tmp_path: Path):
    folder = tmp_path / "damaged"
    shutil.copytree(whole_run, folder)
    newest = folder / "output" / "checkpoints" / "step-00000008"
    victim = max(newest.glob("*optim_states.pt"))
    content = victim.read_bytes()
    middle = len(content) // 2
    if damage == "cut short":
        victim.write_bytes(content[:middle])
    elif damage == "overwritten":
        victim.write_bytes(content[:middle] + bytes(64) + content[middle + 64 :])
        assert victim.read_bytes() != content
    elif damage == "gone":
        victim.unlink()
    else:
        (newest / "skrull_state.json").write_text('{"files": ')
    output = launch.run(2, SCRIPT, str(folder))
    assert "step-00000008 is damaged" in output
    assert "resumed after 6 steps" in output
    assert_equal_runs(metrics(folder), metrics(whole_run))


def test_where_every_checkpoint_is_damaged_nothing_is_guessed(whole_run: Path, tmp_path: Path):
    folder = tmp_path / "hopeless"
    shutil.copytree(whole_run, folder)
    for path in (folder / "output" / "checkpoints").glob("*/*model_states.pt"):
        path.write_bytes(b"")
    assert "every checkpoint is damaged" in refusal(folder)


def test_a_checkpoint_with_code_in_it_is_refused_and_not_run(whole_run: Path, tmp_path: Path):
    folder, mark = tmp_path / "hostile", tmp_path / "ran"
    shutil.copytree(whole_run, folder)
    newest = folder / "output" / "checkpoints" / "step-00000008"
    victim = max(newest.glob("*optim_states.pt"))
    content = torch.load(victim, weights_only=False)
    torch.save(content | {"more": Hostile(str(mark))}, victim)
    state = json.loads((newest / "skrull_state.json").read_text())
    state["files"][victim.name] = victim.stat().st_size
    (newest / "skrull_state.json").write_text(json.dumps(state))
    reason = refusal(folder)
    assert f"{victim}: would call 'posix.mkdir', which no run of skrull writes" in reason
    assert not mark.exists()


@pytest.mark.parametrize("name", ["../../escaped", "..", "/tmp/escaped"])
def test_a_name_that_leads_out_of_a_checkpoint_is_refused(name: str, tmp_path: Path):
    (tmp_path / "global").mkdir()
    path = tmp_path / "global" / "rank_0_optim_states.pt"
    torch.save({"optimizer_state_dict": [{name: torch.zeros(2)}]}, path)
    assert f"{path}: the name {name!r} could lead out" in (name_outside(tmp_path) or "")


def test_a_conversion_ends_with_the_rank_that_has_asked_for_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", str(launch.PYTHON_ROOT))
    monkeypatch.setenv(RANK_PID, "1")  # the rank has gone: this process has another parent
    command = [sys.executable, "-m", "skrull_runtime.checkpoints.convert"]
    assert subprocess.run(command, timeout=60).returncode == -signal.SIGTERM


def test_a_full_disk_ends_the_run_with_the_reason(
    whole_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "full"
    write_run(folder)
    monkeypatch.setenv("LARGEST_FILE", "20000")
    results = launch.finish(launch.start(2, SCRIPT, str(folder)))
    assert all(code != 0 for code, _ in results)
    assert any("the checkpoint cannot be written" in output for _, output in results)
    assert not list((folder / "output" / "checkpoints").glob("*/skrull_state.json"))
    monkeypatch.delenv("LARGEST_FILE")
    launch.run(2, SCRIPT, str(folder))
    assert_equal_runs(metrics(folder), metrics(whole_run))


def test_a_loss_that_is_no_number_names_its_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "diverged"
    write_run(folder)
    monkeypatch.setenv("LEARNING_RATE", "1e37")
    reason = refusal(folder)
    assert re.search(r"the loss of step \d is (nan|inf), from data\.jsonl line \d+", reason)


def test_a_gradient_that_is_not_finite_names_its_micro_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "infinite"
    write_run(folder)
    monkeypatch.setenv("POISON_AT", "3")
    reason = refusal(folder)
    assert re.search(
        r"the gradient of step 3 is not finite, in micro-batch \d+, from data\.jsonl line \d+.*: look at the data,"
        r" .* train \{ non_finite_gradients = skip \}\. Nothing was updated",
        reason,
    )
    assert len(metrics(folder)) == 3
    # The newest checkpoint is of an earlier step; without the fault the run goes on from there.
    monkeypatch.delenv("POISON_AT")
    assert "resumed after 2 steps" in launch.run(2, SCRIPT, str(folder), "--steps", "4")
    assert len(metrics(folder)) == 4


def test_skipped_steps_are_told_and_counted_over_an_interruption(
    whole_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "skipping"
    write_run(folder)
    monkeypatch.setenv("NON_FINITE", "skip")
    monkeypatch.setenv("POISON_AT", "3")
    output = launch.run(2, SCRIPT, str(folder), "--steps", "5")
    told = "warning: step 3 changed nothing, its gradient is not finite; 1 of 4 steps are skipped"
    assert told in output
    assert "done: 5 steps, 1 of them skipped because their gradients were not finite" in output
    assert "8 steps, 1 of them skipped" in launch.run(2, SCRIPT, str(folder))
    lines = (folder / "output" / "metrics.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    assert [entry["skipped_steps"] for entry in entries] == [0, 0, 0, 1, 1, 1, 1, 1]
    assert [entry["step"] for entry in entries if entry["gradient_norm"] is None] == [3]
    # Data and learning rate go on as if the step had been trained.
    for name in ("step", "epoch", "tokens", "sequences", "learning_rate"):
        assert [entry[name] for entry in entries] == [entry[name] for entry in metrics(whole_run)]


def test_a_checkpoint_that_was_trained_by_an_earlier_default_is_refused(
    whole_run: Path, tmp_path: Path
):
    folder = tmp_path / "earlier"
    shutil.copytree(whole_run, folder)
    for state in (folder / "output" / "checkpoints").glob("*/skrull_state.json"):
        content = json.loads(state.read_text())
        assert content.pop("defaults")["decayed"] == "matrices"
        state.write_text(json.dumps(content))
    assert "the checkpoint was trained with decayed = all, this run has" in refusal(folder)


def test_changed_data_is_refused(whole_run: Path, tmp_path: Path):
    folder = tmp_path / "changed"
    shutil.copytree(whole_run, folder)
    with (folder / "data.jsonl").open("a") as stream:
        stream.write("\n")
    assert "has changed since the run was compiled" in refusal(folder)


def test_ranks_that_do_not_divide_into_groups_are_refused(whole_run: Path):
    reason = refusal(whole_run, ranks=1)
    assert (
        "compiled for 2 ranks and started with 1, which is not a multiple of the CP degree 2"
        in reason
    )


def test_more_ranks_train_the_same_global_batches(whole_run: Path, tmp_path: Path):
    folder = tmp_path / "more"
    write_run(folder)
    output = launch.run(4, SCRIPT, str(folder))
    assert "compiled for 2 ranks, started with 4: scheduling for these" in output
    losses = [entry["loss"] for entry in metrics(whole_run)]
    assert [entry["loss"] for entry in metrics(folder)] == pytest.approx(losses, rel=1e-4)


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_another_number_of_ranks_resumes_with_the_same_global_batches(
    stage: int, whole_run: Path, tmp_path: Path
):
    folder = tmp_path / "grown"
    write_run(folder, stage)
    launch.run(2, SCRIPT, str(folder), "--steps", "3")
    output = launch.run(4, SCRIPT, str(folder), "--steps", "6")
    assert "resumed after 3 steps from step-00000003, written by 2 ranks" in output
    output = launch.run(2, SCRIPT, str(folder))
    assert "resumed after 6 steps from step-00000006, written by 4 ranks" in output
    assert not list((folder / "output" / "checkpoints").glob("universal-*"))
    found, expected = metrics(folder), metrics(whole_run)
    # Micro-batches follow the number of ranks; what is trained does not.
    for name in ("step", "epoch", "tokens", "supervised_tokens", "learning_rate"):
        assert [entry[name] for entry in found] == [entry[name] for entry in expected]
    losses = [entry["loss"] for entry in expected]
    assert [entry["loss"] for entry in found] == pytest.approx(losses, rel=1e-4)
    # Decayed since the first resume, the gains of norms would be 0.5% smaller.
    assert mean_gain(folder) == pytest.approx(mean_gain(whole_run), rel=5e-4)


STATES = {"bf16_master_weights_and_grads": True, "bf16_optimizer_states": True}


@pytest.mark.parametrize(("stage", "states"), [(0, {}), (2, {}), (3, {}), (2, STATES), (3, STATES)])
def test_a_run_in_bf16_that_adds_in_fp32_resumes_on_other_ranks(
    stage: int, states: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PRECISION", "bf16")
    whole, folder = tmp_path / "whole", tmp_path / "grown"
    for each in (whole, folder):
        write_run(each, stage)
        written = json.loads((each / "ds_config.json").read_text())
        accumulated = {"data_types": {"grad_accum_dtype": "fp32"}} if stage else {}
        bf16 = {"bf16": {"enabled": True, "check_grad_overflow": True, **states}}
        reduced = {"communication_data_type": "fp32"}
        (each / "ds_config.json").write_text(json.dumps(written | bf16 | reduced | accumulated))
    launch.run(2, SCRIPT, str(whole))
    launch.run(2, SCRIPT, str(folder), "--steps", "3")
    output = launch.run(4, SCRIPT, str(folder))
    assert "resumed after 3 steps from step-00000003, written by 2 ranks" in output
    losses = [entry["loss"] for entry in metrics(whole)]
    assert [entry["loss"] for entry in metrics(folder)] == pytest.approx(losses, rel=2e-2)


def mean_gain(folder: Path) -> float:
    """Of the norms in the exported model."""
    weights = load_file(folder / "output" / "model" / "model.safetensors")
    gains = [weight.float() for name, weight in weights.items() if "norm" in name]
    return torch.cat(gains).mean().item()


def test_a_run_started_anew_keeps_the_earlier_one_apart(whole_run: Path, tmp_path: Path):
    folder = tmp_path / "anew"
    shutil.copytree(whole_run, folder)
    launch.run(2, SCRIPT, str(folder), "--no-resume", "--steps", "2")
    assert [entry["step"] for entry in metrics(folder)] == [0, 1]
    kept = folder / "output.1" / "checkpoints"
    assert sorted(path.name for path in kept.glob("step-*")) == ["step-00000006", "step-00000008"]
    # The next start resumes the new run, not the older one of later steps.
    output = launch.run(2, SCRIPT, str(folder))
    assert "resumed after 2 steps" in output
    assert [entry["step"] for entry in metrics(folder)] == list(range(8))
    launch.run(2, SCRIPT, str(folder), "--no-resume", "--steps", "1")
    assert (folder / "output.2" / "checkpoints").is_dir()
