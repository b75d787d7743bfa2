"""Where one rank fails, the run ends at once on all, and says why in a line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import launch
import pytest
from test_resume import SCRIPT, refusal, wait_for_steps, write_run

from skrull_runtime.ending import reason_of

# NCCL takes leave of all ranks at once: a rank that has failed would wait for those who wait for it.
ENDING = """
import sys, time
import torch.distributed as dist
import skrull_runtime
from skrull_runtime.ending import ending_plainly
from skrull_runtime.errors import UserError

dist.is_initialized = lambda: True
dist.destroy_process_group = lambda: print("takes leave")
with ending_plainly():
    exec(sys.argv[1])
"""


def assert_plain(results: list[tuple[int, str]]) -> str:
    """Every rank has ended by itself, without a traceback; what they say."""
    assert [code for code, _ in results] == [1] * len(results), results
    for _, output in results:
        assert "error: " in output
        assert "Traceback" not in output, output[-2000:]
    return "".join(output for _, output in results)


@pytest.mark.parametrize(
    ("what", "code", "said"),
    [
        ("pass", 0, "takes leave\n"),
        ("sys.exit(143)", 143, "takes leave\n"),
        ("raise UserError('mistaken')", 1, "error: mistaken\n"),
        ("raise KeyboardInterrupt", 130, "error: interrupted\n"),
        ("raise RuntimeError('ours')", 1, "RuntimeError: ours\n"),
        ("raise ValueError('ours')", 1, "ValueError: ours\n"),
    ],
)
def test_only_a_rank_that_ends_as_all_do_takes_leave(what: str, code: int, said: str):
    path = str(Path(__file__).resolve().parents[1])
    ended = subprocess.run(
        [sys.executable, "-c", ENDING, what],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    assert (ended.returncode, ended.stdout[-len(said) :]) == (code, said)
    assert ("takes leave" in ended.stdout) == said.startswith("takes leave")


def test_the_end_of_another_rank_or_of_a_worker_is_told_from_a_fault():
    lost = RuntimeError("[gloo/pair.cc:553] Connection closed by peer [127.0.0.1]:1\nmore")
    assert reason_of(lost) == (
        "another rank has ended, and its output says why"
        " ([gloo/pair.cc:553] Connection closed by peer [127.0.0.1]:1)"
    )
    assert reason_of(RuntimeError("ncclRemoteError: a remote process exiting prematurely."))
    killed = RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. ")
    assert "batches has ended (DataLoader worker (pid 7) is killed" in str(reason_of(killed))
    assert reason_of(RuntimeError("Caught KeyError in DataLoader worker process 0.")) is None


def children(process: int) -> list[int]:
    """Processes that it has started."""
    found = Path(f"/proc/{process}/task/{process}/children")
    return [int(child) for child in found.read_text().split()]


@pytest.mark.skipif(
    not Path(f"/proc/self/task/{os.getpid()}/children").exists(), reason="needs /proc"
)
def test_a_killed_worker_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "run"
    write_run(folder)
    monkeypatch.setenv("HOLD_AT", "2")
    ranks = launch.start(2, SCRIPT, str(folder))
    wait_for_steps(folder, 2, ranks)
    (worker,) = children(ranks[1].process.pid)
    os.kill(worker, signal.SIGKILL)
    (folder / "go").touch()
    results = launch.finish(ranks)
    assert_plain(results)
    assert "the process that makes this rank's batches has ended" in results[1][1]
    assert "another rank has ended" in results[0][1]


def test_a_sample_that_is_not_what_was_measured_is_named(tmp_path: Path):
    folder = tmp_path / "run"
    write_run(folder)
    index = json.loads((folder / "data_index.json").read_text())
    index["samples"]["length"][3] += 1
    (folder / "data_index.json").write_text(json.dumps(index))
    said = assert_plain(launch.finish(launch.start(2, SCRIPT, str(folder))))
    assert "error: data.jsonl line 4: has " in said


def test_a_rank_that_cannot_take_part_tells_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "run"
    write_run(folder)
    monkeypatch.setenv("LOST", "1")
    assert "elsewhere/data_index.json" in refusal(folder)


def test_ranks_of_another_command_line_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "run"
    write_run(folder)
    monkeypatch.setenv("ONE_STEP", "1")
    assert "rank(s) 1 have another command line than rank 0" in refusal(folder)


def test_an_output_folder_that_cannot_be_written_is_named(tmp_path: Path):
    folder = tmp_path / "run"
    write_run(folder)
    (folder / "output").write_text("in the way")
    results = launch.finish(launch.start(2, SCRIPT, str(folder)))
    assert_plain(results)
    for _, output in results:
        assert "output: cannot be written (File exists)" in output


def test_an_evaluation_that_was_cut_short_is_made_by_the_next_start(tmp_path: Path):
    folder = tmp_path / "run"
    write_run(folder)
    shutil.copy(folder / "data_index.json", folder / "evaluation_index.json")
    launch.run(2, SCRIPT, str(folder), "--steps", "2")
    file = folder / "output" / "evaluation.jsonl"
    before = json.loads(file.read_text())
    file.write_text('{"steps": 2, "evalua')
    launch.run(2, SCRIPT, str(folder), "--steps", "2")
    after = json.loads(file.read_text())
    assert after["steps"] == before["steps"] == 2
    assert after["evaluation_loss"] == pytest.approx(before["evaluation_loss"], rel=1e-6)


def test_a_run_told_to_stop_does_not_evaluate_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "run"
    write_run(folder)
    shutil.copy(folder / "data_index.json", folder / "evaluation_index.json")
    monkeypatch.setenv("CHECKPOINT_EVERY", "3")
    monkeypatch.setenv("HOLD_EVALUATION", "1")
    ranks = launch.start(2, SCRIPT, str(folder))
    assert launch.wait_until((folder / "evaluates").exists), ranks[0].output()[-2000:]
    ranks[1].process.send_signal(signal.SIGTERM)
    (folder / "go").touch()
    results = launch.finish(ranks)
    assert [code for code, _ in results] == [143, 143], results[0][1][-2000:]
    assert "stopped by SIGTERM after 4 steps, with a checkpoint" in results[0][1]
    assert not (folder / "output" / "evaluation.jsonl").exists()
    assert "resumed after 4 steps" in launch.run(2, SCRIPT, str(folder), "--steps", "5")
    lines = (folder / "output" / "evaluation.jsonl").read_text().splitlines()
    assert [json.loads(line)["steps"] for line in lines] == [4, 5]


@pytest.mark.parametrize("launcher", ["deepspeed", "torchrun"])
def test_a_launcher_told_to_stop_waits_for_its_ranks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, launcher: str
):
    folder = tmp_path / "run"
    write_run(folder)
    (folder / "train.py").write_text(
        f"import runpy, sys\n"
        f"sys.path.insert(0, {str(SCRIPT.parent)!r})\n"
        f"sys.argv.insert(1, {str(folder)!r})\n"
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')\n"
    )
    monkeypatch.setenv("HOLD_AT", "2")
    options = ["--launcher", launcher, "--nodes", "1", "--gpus", "2", "--timeout", "60"]
    started = launch.start_launcher(*options, str(folder / "train.py"))
    wait_for_steps(folder, 2, started)
    started[0].process.send_signal(signal.SIGTERM)
    (folder / "go").touch()
    ((code, output),) = launch.finish(started)
    assert code == 143
    assert "stopped by SIGTERM after" in output, output[-2000:]
    assert output.splitlines()[-1].startswith("stopped by SIGTERM"), output[-2000:]
