"""Where one rank fails, the run ends at once on all, and says why in a line."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import launch
import pytest
import torch.distributed as dist
from test_resume import SCRIPT, refusal, wait_for_steps, write_run

from skrull_runtime.errors import UserError
from skrull_runtime.guarding.disk import writing
from skrull_runtime.guarding.reasons import judge
from skrull_runtime.process.agreement import attempted

# NCCL takes leave of all ranks at once: a rank that has failed would wait for those who wait for it.
ENDING = """
import sys
import torch.distributed as dist
from skrull_runtime.training.end import Stopped, ending_plainly
from skrull_runtime.errors import UserError

dist.is_initialized = lambda: True
dist.destroy_process_group = lambda: print("takes leave", flush=True)
with ending_plainly():
    exec(sys.argv[1])
"""


HOST = socket.gethostname()
FAULT = "a fault of skrull or of a library that it uses, not of your spec; its traceback is in this rank's output"


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
        ("raise Stopped('stopped')", 143, "stopped\ntakes leave\n"),
        ("raise UserError('mistaken')", 1, f"error: rank 0 on {HOST}: mistaken\n"),
        ("raise KeyboardInterrupt", 130, f"error: rank 0 on {HOST}: interrupted\n"),
        (
            "raise RuntimeError('ours')",
            3,
            f"error: rank 0 on {HOST}: RuntimeError: ours ({FAULT})\n",
        ),
        ("raise ValueError('ours')", 3, f"error: rank 0 on {HOST}: ValueError: ours ({FAULT})\n"),
        ("sys.exit(7)", 3, f"RuntimeError: the program exited with 7 ({FAULT})\n"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 143, "nothing is lost\n"),
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
    assert ("takes leave" in ended.stdout) == ("takes leave" in said)
    assert ("Traceback" in ended.stdout) == (code == 3)


def test_output_that_nobody_reads_does_not_hold_a_rank_that_fails():
    reader, full = os.pipe()
    os.set_blocking(full, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(full, b"x" * 1024)
    os.set_blocking(full, True)
    command = [sys.executable, "-c", ENDING, "raise KeyError(5)"]
    environment = {**os.environ, "PYTHONPATH": str(launch.PYTHON_ROOT), "RANK": "0"}
    for name in ("SKRULL_ENDINGS", "SKRULL_LAUNCHER_PID"):
        environment.pop(name, None)
    rank = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=full, env=environment)
    assert rank.wait(60) == 3
    os.close(full)
    os.close(reader)


def test_the_end_of_another_process_is_told_from_a_fault():
    lost = judge(RuntimeError("[gloo/pair.cc:553] Connection closed by peer [127.0.0.1]:1\nmore"))
    assert (lost.kind, lost.primary) == ("lost", False)
    assert lost.reason == (
        "another rank has ended, and its output says why"
        " ([gloo/pair.cc:553] Connection closed by peer [127.0.0.1]:1)"
    )
    remote = dist.DistBackendError("ncclRemoteError: a remote process exiting prematurely.")
    assert not judge(remote).primary
    late = judge(dist.DistStoreError("wait timeout after 5000ms, keys: /guard"))
    assert (late.kind, late.primary) == ("lost", False)
    killed = judge(RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. "))
    assert (killed.kind, killed.primary) == ("user", True)
    assert "batches has ended (DataLoader worker (pid 7) is killed" in killed.reason
    interrupted = ModuleNotFoundError("Could not import module 'Qwen2ForCausalLM'")
    interrupted.__cause__ = RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. ")
    assert judge(interrupted).reason == killed.reason
    frozen = judge(RuntimeError("DataLoader timed out after 5.0 seconds"))
    assert frozen.reason.startswith(
        "the process that makes this rank's batches made none for 5.0 s"
    )
    assert judge(RuntimeError("Caught KeyError in DataLoader worker process 0.")).kind == "fault"
    assert judge(dist.DistBackendError("Duplicate GPU detected")).kind == "fault"


def test_a_full_or_read_only_disk_is_told_from_a_fault(tmp_path: Path):
    full = OSError(errno.ENOSPC, "No space left on device", "metrics.jsonl")
    assert judge(full).reason == "metrics.jsonl: the disk is full"
    safetensors = RuntimeError("Error while serializing: I/O error: Read-only (os error 30)")
    assert judge(safetensors).reason == "the disk is read-only"
    chained = ValueError("elsewhere")
    chained.__cause__ = OSError(errno.EDQUOT, "Disk quota exceeded")
    assert judge(chained).reason == "the disk quota is used up"
    assert judge(OSError(errno.ENOENT, "No such file", "x")).kind == "fault"
    with (
        pytest.raises(UserError, match=r"the checkpoint cannot be written \(the disk is full\)"),
        writing(tmp_path, "the checkpoint"),
    ):
        raise RuntimeError("write failed") from OSError(errno.ENOSPC, "No space left")
    with (
        pytest.raises(RuntimeError, match="Connection closed by peer"),
        writing(tmp_path, "the checkpoint"),
    ):
        raise RuntimeError("[gloo/pair.cc:553] Connection closed by peer")


def test_a_library_that_loses_the_reason_of_a_full_disk_is_asked_again(tmp_path: Path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with (
            pytest.raises(UserError, match=r"larger than the system allows \(ulimit -f\)"),
            writing(tmp_path, "the checkpoint"),
        ):
            raise RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert list(tmp_path.iterdir()) == []


def test_a_fault_of_one_rank_keeps_its_traceback_and_is_a_symptom_elsewhere():
    _, mistake = attempted(lambda: exec("raise UserError('mistaken')", {"UserError": UserError}))
    assert mistake is not None and judge(mistake.error(True)).reason == "mistaken"
    assert not judge(mistake.error(False)).primary
    _, fault = attempted(lambda: 1 // 0)
    assert fault is not None
    own, other = judge(fault.error(True)), judge(fault.error(False))
    assert (own.kind, own.primary) == ("fault", True) and "ZeroDivisionError" in own.trace
    assert (other.kind, other.primary, other.trace) == ("fault", False, "")
    with pytest.raises(RuntimeError, match="by peer"):
        attempted(lambda: exec("raise RuntimeError('Connection reset by peer')"))


def test_a_sample_that_is_not_what_was_measured_is_named(tmp_path: Path):
    folder = tmp_path / "run"
    write_run(folder)
    index = json.loads((folder / "data_index.json").read_text())
    index["samples"]["length"][3] += 1
    (folder / "data_index.json").write_text(json.dumps(index))
    said = assert_plain(launch.finish(launch.start(2, SCRIPT, str(folder))))
    assert ": data.jsonl line 4: its tokens are not those that were compiled" in said


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
    assert "rank 1 and rank 0 differ in their command line" in refusal(folder)


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
