"""Where one rank ends, all do, and all of them say why the first one did; with light processes that import no torch."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import launch
import pytest

from skrull_runtime.guarding.cause import ENDINGS, LAUNCHER_PID, read_all
from skrull_runtime.guarding.watch import named

SCRIPT = Path(__file__).with_name("guard_worker.py")
HOST = socket.gethostname()
STRANGERS = (
    b"GET / HTTP/1.1\r\n\r\n",
    '{"token": "gu\u00e9ssed", "rank": 1}\n'.encode(),
    b"[]\n",
    b"[" * 100_000 + b"\n",
    b"",
)
SOON = 3.0  # seconds; a user is promised 5


class Ranks:
    """Started ranks, one for each action."""

    def __init__(self, folder: Path, *actions: str, timeout: float = 30, start: float = 30):
        self.folder, self.processes = folder, []
        self._rest = [str(timeout), str(folder)], str(start)
        for rank, action in enumerate(actions):
            self.add(rank, len(actions), action)

    def add(self, rank: int, ranks: int, action: str) -> None:
        (timeout, folder), start = self._rest
        command = [sys.executable, str(SCRIPT), str(rank), str(ranks), timeout, folder, action]
        log = (self.folder / f"log-{len(self.processes)}").open("w")
        environment = {**os.environ, "PYTHONPATH": str(launch.PYTHON_ROOT)}
        process = subprocess.Popen([*command, start], stderr=log, stdout=log, env=environment)
        self.processes.append(process)

    def __enter__(self) -> Ranks:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def wait_until_ready(self) -> None:
        def is_ready() -> bool:
            return len(list(self.folder.glob("ready-*"))) == len(self.processes)

        assert launch.wait_until(is_ready, 60)

    def signal(self, rank: int, number: int) -> None:
        self.processes[rank].send_signal(number)

    def codes(self, within: float, but: tuple[int, ...] = ()) -> list[int | None]:
        """Exit codes of all that have ended in time; ``but`` those."""
        awaited = [p for rank, p in enumerate(self.processes) if rank not in but]
        launch.wait_until(lambda: all(p.poll() is not None for p in awaited), within)
        return [process.poll() for process in awaited]

    def said(self, but: tuple[int, ...] = ()) -> set[str]:
        """The last lines of all ranks."""
        paths = [self.folder / f"log-{rank}" for rank in range(len(self.processes))]
        texts = [path.read_text() for rank, path in enumerate(paths) if rank not in but]
        return {text.splitlines()[-1] if text else "" for text in texts}


@pytest.mark.parametrize("victim", [0, 1])
def test_a_rank_that_fails_ends_all_with_its_reason(victim: int, tmp_path: Path):
    actions = ["wait"] * 3
    actions[victim] = "fail"
    with Ranks(tmp_path, *actions) as ranks:
        ranks.wait_until_ready()
        assert ranks.codes(SOON) == [1, 1, 1]
        assert ranks.said() == {f"error: rank {victim} on {HOST}: the disk is full"}


def test_a_worker_that_ends_before_there_is_a_guard_is_missed(tmp_path: Path):
    with Ranks(tmp_path, "wait", "lost worker") as ranks:  # a third one might come when all is over
        assert ranks.codes(60) == [1, 1]
        (line,) = ranks.said()
        assert line.startswith(
            f"error: rank 1 on {HOST}: the process that makes this rank's batches"
        )


def test_a_fault_has_a_code_of_its_own_on_all_ranks(tmp_path: Path):
    with Ranks(tmp_path, "wait", "fault") as ranks:
        ranks.wait_until_ready()
        assert ranks.codes(SOON) == [3, 3]
        assert ranks.said() == {f"error: rank 1 on {HOST}: KeyError: 5"}


def test_the_first_cause_is_told_where_a_symptom_comes_before_it(tmp_path: Path):
    with Ranks(tmp_path, "symptom", "late", "wait") as ranks:
        ranks.wait_until_ready()
        assert ranks.codes(SOON) == [1, 1, 1]
        assert ranks.said() == {f"error: rank 1 on {HOST}: the first cause, told late"}


def test_a_symptom_without_a_cause_says_where_ranks_were(tmp_path: Path):
    with Ranks(tmp_path, "wait", "symptom", "wait") as ranks:
        ranks.wait_until_ready()
        assert ranks.codes(SOON + 3) == [1, 1, 1]
        (line,) = ranks.said()
        where = "rank 0 at step 4 of 0; rank 1 at step 4 of 1; rank 2 at step 4 of 2"
        assert line == f"error: rank 1 on {HOST}: waited in vain. When that was seen: {where}"


@pytest.mark.parametrize("victim", [0, 2])
def test_a_killed_rank_is_named(victim: int, tmp_path: Path):
    with Ranks(tmp_path, "wait", "wait", "wait") as ranks:
        ranks.wait_until_ready()
        ranks.signal(victim, signal.SIGKILL)
        assert ranks.codes(SOON, but=(victim,)) == [1, 1]
        (line,) = ranks.said(but=(victim,))
        host = "first-host" if victim == 0 else HOST
        assert line.startswith(f"error: rank {victim} on {host}: ended without a word")
        assert "it was killed, as a system does that runs out of memory" in line


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("much later", "the first cause, told much later"),
        ("wait", "it was killed, or waited too long for other ranks: it was there for "),
    ],
)
def test_a_rank_that_goes_after_the_time_out_may_only_have_waited(
    other: str, said: str, tmp_path: Path
):
    with Ranks(tmp_path, "wait", "wait", other, timeout=2.5) as ranks:
        ranks.wait_until_ready()
        time.sleep(2.4)
        ranks.signal(1, signal.SIGKILL)  # as NCCL ends it
        assert ranks.codes(SOON + 3, but=(1,)) == [1, 1]
        (line,) = ranks.said(but=(1,))
        assert said in line


@pytest.mark.parametrize("victim", [0, 1])
def test_a_frozen_rank_is_named_after_the_time_out(victim: int, tmp_path: Path):
    with Ranks(tmp_path, "wait", "wait", "wait", timeout=2) as ranks:
        ranks.wait_until_ready()
        frozen = time.monotonic()
        ranks.signal(victim, signal.SIGSTOP)
        assert ranks.codes(2 + SOON, but=(victim,)) == [1, 1]
        assert time.monotonic() - frozen > 1.5
        (line,) = ranks.said(but=(victim,))
        assert "has not answered for 2 s" in line
        assert line.startswith(f"error: rank {victim} on ")
        ranks.signal(victim, signal.SIGCONT)
        assert ranks.codes(SOON)[victim] == 1  # it finds that the others have ended


def test_ranks_that_were_all_frozen_go_on(tmp_path: Path):
    with Ranks(tmp_path, "wait", "wait", timeout=1.5) as ranks:
        ranks.wait_until_ready()
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for rank in (0, 1):
                ranks.signal(rank, number)
            time.sleep(3)
        assert ranks.codes(0) == [None, None]


def test_ranks_that_do_not_come_are_named(tmp_path: Path):
    with Ranks(tmp_path, start=1) as ranks:
        for rank in (0, 1, 4):
            ranks.add(rank, 6, "wait")
        assert ranks.codes(60) == [1, 1, 1]
        (line,) = ranks.said()
        assert "ranks 2, 3 and 5 (nodes 1 and 2) did not come within 1 s" in line


def test_a_rank_that_comes_twice_is_named(tmp_path: Path):
    with Ranks(tmp_path) as ranks:
        for rank in (0, 1, 1):
            ranks.add(rank, 3, "wait")
        assert ranks.codes(60) == [1, 1, 1]
        (line,) = ranks.said()
        assert "rank 1 was started twice" in line and "NODE_RANK" in line


def test_a_stranger_changes_nothing(tmp_path: Path):
    with Ranks(tmp_path, "leave late", "leave") as ranks:
        assert launch.wait_until((tmp_path / "server.json").exists, 30)
        port = json.loads((tmp_path / "server.json").read_text())["port"]
        for content in STRANGERS:
            with socket.create_connection(("127.0.0.1", port)) as stranger:
                stranger.sendall(content)
        assert ranks.codes(10) == [0, 0]


def test_ranks_that_are_done_wait_for_each_other(tmp_path: Path):
    with Ranks(tmp_path, "leave", "leave late", "leave") as ranks:
        ranks.wait_until_ready()
        time.sleep(0.5)
        assert ranks.codes(0) == [None, None, None]
        assert ranks.codes(10) == [0, 0, 0]
        assert ranks.said() == {""}


def test_a_rank_killed_while_others_are_done_is_missed(tmp_path: Path):
    with Ranks(tmp_path, "leave", "wait") as ranks:
        ranks.wait_until_ready()
        ranks.signal(1, signal.SIGKILL)
        assert ranks.codes(SOON)[0] == 1


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "before a step was trained")],
)
def test_a_signal_to_one_rank_ends_all(number: int, code: int, said: str, tmp_path: Path):
    with Ranks(tmp_path, "wait", "wait") as ranks:
        ranks.wait_until_ready()
        ranks.signal(1, number)
        assert ranks.codes(3) == [code, code]
        assert any(said in line for line in ranks.said())


def test_ranks_end_with_their_launcher_and_leave_it_their_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    launcher = subprocess.Popen(["sleep", "60"])
    endings = tmp_path / "endings"
    endings.mkdir()
    monkeypatch.setenv(LAUNCHER_PID, str(launcher.pid))
    monkeypatch.setenv(ENDINGS, str(endings))
    with Ranks(tmp_path, "wait", "wait") as ranks:
        ranks.wait_until_ready()
        launcher.kill()
        launcher.wait()
        assert ranks.codes(SOON) == [1, 1]
        assert all("the launcher of this node" in line for line in ranks.said()), ranks.said()
    causes = read_all(endings)
    assert {path.name for path in endings.iterdir()} == {"rank-0.json", "rank-1.json"}
    assert {cause.kind for cause in causes} == {"lost"}


def test_a_symptom_does_not_replace_what_this_rank_has_told_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    launcher = subprocess.Popen(["sleep", "60"])
    monkeypatch.setenv(LAUNCHER_PID, str(launcher.pid))
    with Ranks(tmp_path, "wait", "symptom after launcher") as ranks:
        ranks.wait_until_ready()
        ranks.signal(0, signal.SIGSTOP)  # it says nothing to anybody
        launcher.kill()
        launcher.wait()
        assert ranks.codes(SOON + 3, but=(0,)) == [1]
        (line,) = ranks.said(but=(0,))
        assert "the launcher of this node" in line


def test_a_launcher_of_ours_tells_the_cause_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    endings = tmp_path / "endings"
    endings.mkdir()
    monkeypatch.setenv(LAUNCHER_PID, str(os.getpid()))
    monkeypatch.setenv(ENDINGS, str(endings))
    with Ranks(tmp_path, "wait", "fail") as ranks:
        ranks.wait_until_ready()
        assert ranks.codes(SOON) == [1, 1]
        assert ranks.said() == {""}
    first, second = read_all(endings)
    assert first == second
    assert (first.rank, first.reason) == (1, "the disk is full")


def test_numbers_are_read_as_people_say_them():
    assert named("rank", [3]) == "rank 3"
    assert named("rank", [1, 2]) == "ranks 1 and 2"
    assert named("rank", [0, 2, 5, 6, 7, 8]) == "ranks 0, 2 and 5 to 8"
    assert named("node", [1, 2, 3]) == "nodes 1 to 3"


TIED = "from skrull_runtime.guarding.tied import tie; tie(0); import time; print('tied', flush=True); time.sleep(60)"


def test_a_rank_that_starts_ends_with_its_launcher(tmp_path: Path):
    script = f'export {LAUNCHER_PID}=$$; "$0" -c "$1" & echo $!; wait'
    launcher = subprocess.Popen(
        ["bash", "-c", script, sys.executable, TIED],
        env={**os.environ, "PYTHONPATH": str(launch.PYTHON_ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert launcher.stdout is not None
    rank = int(launcher.stdout.readline())
    assert launcher.stdout.readline() == "tied\n"
    launcher.kill()
    launcher.wait()
    assert launch.wait_until(lambda: not Path(f"/proc/{rank}").exists(), SOON)


def test_a_rank_that_starts_after_its_launcher_has_ended_ends(monkeypatch: pytest.MonkeyPatch):
    ended = subprocess.Popen(["true"])
    ended.wait()
    monkeypatch.setenv(LAUNCHER_PID, str(ended.pid))
    monkeypatch.setenv("PYTHONPATH", str(launch.PYTHON_ROOT))
    rank = subprocess.run([sys.executable, "-c", TIED], capture_output=True, text=True, timeout=50)
    assert rank.returncode == 1
    assert "ended while this rank started" in rank.stderr
