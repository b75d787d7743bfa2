"""Which node a launcher starts, how nodes meet, and how a node's ranks end. No torch, so that each is quick."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import launch
import psutil
import pytest

from skrull_runtime.errors import UserError
from skrull_runtime.launching import meeting
from skrull_runtime.launching.nodes import Place, first_host, place_of
from skrull_runtime.launching.watch import INTERRUPTION

SLURM = {"SLURM_NODEID": "1", "SLURM_NNODES": "2", "SLURM_JOB_NODELIST": "gpu[007-010,12]-ib"}
PET = {
    "PET_NODE_RANK": "1",
    "PET_NNODES": "2",
    "PET_MASTER_ADDR": "a-0-0.a",
    "PET_MASTER_PORT": "7",
}
SKY = {
    "SKYPILOT_NODE_RANK": "1",
    "SKYPILOT_NUM_NODES": "2",
    "SKYPILOT_NODE_IPS": "10.0.0.1\n10.0.0.2\n",
}
OWN = {"NODE_RANK": "1", "MASTER_ADDR": "10.0.0.9"}


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        (OWN, Place(1, 2, "10.0.0.9", 29500)),
        (OWN | {"MASTER_PORT": "12"}, Place(1, 2, "10.0.0.9", 12)),
        (SLURM, Place(1, 2, "gpu007-ib", 29500)),
        (SLURM | {"SLURM_STEP_NODELIST": "x1,x2"}, Place(1, 2, "x1", 29500)),
        (
            SLURM | {"SLURM_NNODES": "9", "SLURM_STEP_NUM_NODES": "2"},
            Place(1, 2, "gpu007-ib", 29500),
        ),
        (PET, Place(1, 2, "a-0-0.a", 7)),
        (PET | {"PET_NNODES": "2:2", "PET_NPROC_PER_NODE": "auto"}, Place(1, 2, "a-0-0.a", 7)),
        (SKY, Place(1, 2, "10.0.0.1", 29500)),
        (SKY | OWN, Place(1, 2, "10.0.0.9", 29500)),
        (SLURM | SKY | {"MASTER_PORT": "5"}, Place(1, 2, "gpu007-ib", 5)),
    ],
)
def test_a_node_finds_its_place(environ: dict[str, str], place: Place):
    assert place_of(environ, 2, 4) == place


@pytest.mark.parametrize(
    ("environ", "nodes", "said"),
    [
        ({}, 2, "NODE_RANK is not set: set it to 0 .. 1"),
        ({"NODE_RANK": "0"}, 2, "MASTER_ADDR is not set"),
        (OWN | {"NODE_RANK": "2"}, 2, "NODE_RANK is '2', and has to be 0 .. 1"),
        (OWN | {"NODE_RANK": "-1"}, 2, "NODE_RANK is '-1'"),
        (OWN | {"NODE_RANK": "\u0661"}, 2, "NODE_RANK is '\u0661'"),  # a digit, but not one of ours
        (OWN | {"MASTER_PORT": "70000"}, 2, "MASTER_PORT is '70000', and has to be 1 .. 65535"),
        (OWN, 1, "NODE_RANK is '1', and has to be 0"),
        (OWN | SLURM | {"SLURM_NODEID": "0"}, 2, "NODE_RANK is 1 and SLURM_NODEID is 0"),
        (SLURM, 4, "compiled for 4 nodes, and SLURM_NNODES is '2': start it on 4 nodes"),
        (PET | {"PET_NNODES": "1:2"}, 2, "PET_NNODES is '1:2'"),
        (PET | {"PET_NPROC_PER_NODE": "8"}, 2, "4 ranks on a node, and PET_NPROC_PER_NODE is 8"),
        (SKY, 1, "compiled for 1 node, and SKYPILOT_NUM_NODES is '2'"),
        (SLURM | {"SLURM_LOCALID": "1"}, 2, "--ntasks-per-node=1"),
    ],
)
def test_what_contradicts_the_run_is_refused(environ: dict[str, str], nodes: int, said: str):
    with pytest.raises(UserError) as refused:
        place_of(environ, nodes, 4)
    assert said in str(refused.value)


def test_a_run_on_one_node_needs_no_variables():
    assert place_of({}, 1, 4) == Place(0, 1, "127.0.0.1", None)
    assert place_of({"MASTER_PORT": "7", "SLURM_NODEID": "0", "SLURM_NNODES": "1"}, 1, 4).port == 7


@pytest.mark.parametrize(
    ("nodes", "first"),
    [("a", "a"), ("a,b", "a"), ("n[3]", "n3"), ("r[1-2]n[04,5-7],x", "r1n04"), ("", None)],
)
def test_the_first_host_of_a_list_of_slurm(nodes: str, first: str | None):
    assert first_host(nodes) == first


Met = list[
    tuple[int, str]
]  # in the order of arguments: exit code 0 and what it heard, or 1 and why not


def meet(*starts: tuple[int, str], nodes: int = 2, timeout: float = 20, port: int = 0) -> Met:
    """Nodes of these numbers and runs that meet on this machine; one that goes on tells the others its number."""
    port = port or launch.free_port()
    ends: dict[int, tuple[int, str]] = {}

    def start(index: int, node: int, run: str) -> None:
        place = Place(node, nodes, "127.0.0.1", port)
        try:
            link = meeting.meet(place, run, timeout, lambda: None)
        except UserError as error:
            ends[index] = (1, str(error))
            return
        link.tell({"ended": node})
        heard = [link.receive(10) for _ in range(nodes - 1)]
        ends[index] = (0, str(sorted(message["ended"] for message in heard if message)))
        link.close()

    threads = [threading.Thread(target=start, args=(k, *own)) for k, own in enumerate(starts)]
    for thread in threads:
        thread.start()
        time.sleep(0.3)
    for thread in threads:
        thread.join(30)
    return [ends[index] for index in range(len(starts))]


def test_nodes_that_are_all_there_go_on_and_hear_of_each_other():
    assert meet((1, "r"), (0, "r"), (2, "r"), nodes=3) == [
        (0, "[0, 2]"),
        (0, "[1, 2]"),
        (0, "[0, 1]"),
    ]


def test_a_missing_node_is_named_within_the_time_out():
    started = time.monotonic()
    ends = meet((0, "r"), (2, "r"), nodes=3, timeout=2)
    assert time.monotonic() - started < 12
    assert [code for code, _ in ends] == [1, 1]
    assert all(said.startswith("node 1 did not come within 2 s") for _, said in ends)


def test_a_missing_node_0_is_named_within_the_time_out():
    ((code, said),) = meet((1, "r"), timeout=2)
    assert code == 1
    assert said.startswith("node 0 at 127.0.0.1:")
    assert "cannot be reached within 2 s (Connection refused)" in said


@pytest.mark.parametrize("node", [0, 1])
def test_a_number_that_is_given_twice_is_named_at_once(node: int):
    if node == 0:  # two nodes 0 on one machine want the same port
        ends = meet((0, "r"), (0, "r"), nodes=2, timeout=2)
        assert "cannot be used (Address already in use)" in ends[1][1]
        return
    started = time.monotonic()
    ends = meet((0, "r"), (1, "r"), (1, "r"), nodes=3)
    assert time.monotonic() - started < 5
    assert [code for code, _ in ends] == [1, 1, 1]
    assert all(said.startswith("NODE_RANK 1 is given twice, on ") for _, said in ends)


@pytest.mark.parametrize("first", [0, 1])
def test_nodes_with_another_run_are_named(first: int):
    ends = meet((first, f"run {first}"), (1 - first, f"run {1 - first}"))
    assert [code for code, _ in ends] == [1, 1]
    assert all(said.startswith("node 1 (") and "a different run folder" in said for _, said in ends)


def test_what_is_not_a_node_of_ours_is_passed_over():
    port = launch.free_port()
    other = Place(0, 2, "127.0.0.1", port)

    def disturb() -> None:
        for junk in (b"GET / HTTP/1.1\r\n\r\n", b'{"node": 7}\n', b"[" * 100_000, b""):
            with meeting._connect(other, time.monotonic() + 10, 10, lambda: None) as connection:
                connection.sendall(junk)

    stranger = threading.Thread(target=disturb)
    stranger.start()
    assert meet((0, "r"), (1, "r"), port=port) == [(0, "[1]"), (0, "[0]")]
    stranger.join(10)


def test_the_port_is_free_for_the_ranks_while_the_nodes_stay_connected():
    """As the ranks' own store takes it, right after the meeting."""
    port = launch.free_port()
    links: list[meeting.Link] = []
    threads = [
        threading.Thread(
            target=lambda n=n: links.append(
                meeting.meet(Place(n, 2, "127.0.0.1", port), "r", 20, lambda: None)
            )
        )
        for n in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(links) == 2
    meeting.require_free(port)
    links[0].close()
    assert "lost" in (links[1].receive(5) or {})


# Starts two ranks as the libraries do, each a Python program of its own, and never ends before both have.
LIBRARY = """
import os, sys, time
from skrull_runtime.launching.library import WatchedPopen
ranks = [
    WatchedPopen([sys.executable, "-c", sys.argv[1]], env={**os.environ, "RANK": str(rank)})
    for rank in range(2)
]
for rank in ranks:
    rank.wait()
sys.exit(max(abs(rank.returncode) for rank in ranks))
"""
WATCH = """
import os, sys
from pathlib import Path
from skrull_runtime.launching.watch import Signals, Watch
outcome = Watch(Path(sys.argv[1]), Signals(), []).run([sys.executable, *sys.argv[2:]], dict(os.environ))
print(outcome.line, flush=True)
sys.exit(outcome.code)
"""
RANK = """
import os, signal, sys, time
from pathlib import Path
from skrull_runtime.guarding.cause import Cause
folder, rank = Path(os.environ["SKRULL_ENDINGS"]), int(os.environ["RANK"])
def say(*words):  # in one write, since both ranks may speak at the same moment
    os.write(1, (" ".join(map(str, words)) + os.linesep).encode())
def on_sigterm(*_):
    say("asked", rank)
    time.sleep(1)
    Cause.of(rank, "stopped", "stopped by SIGTERM after 3 steps, with a checkpoint").write(folder)
    sys.exit(143)
signal.signal(signal.SIGTERM, on_sigterm)
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as if it were in a library's C++
say("up", rank, os.getpid())
"""


def watched(tmp_path: Path, rest: str) -> launch.Rank:
    """A node whose two ranks run :data:`RANK` and then this."""
    endings = tmp_path / "endings"
    endings.mkdir(exist_ok=True)
    program = tmp_path / "watch.py"
    program.write_text(WATCH)
    (node,) = launch.start(1, program, str(endings), "-c", LIBRARY, RANK + rest, fresh=True)
    return node


def up(node: launch.Rank) -> list[psutil.Process]:
    """Its ranks, once both have been there."""
    assert launch.wait_until(lambda: node.output().count("up ") == 2, 30), node.output()
    lines = [line.split() for line in node.output().splitlines() if line.startswith("up ")]
    pids = [int(pid) for _, _, pid in sorted(lines)]
    return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]


def ended(node: launch.Rank, within: float) -> tuple[int, str]:
    """Its exit code and last line."""
    assert launch.wait_until(lambda: node.process.poll() is not None, within), node.output()
    return node.process.returncode, node.output().splitlines()[-1]


def gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() for process in processes)


FOREVER = "time.sleep(600)"


@pytest.mark.parametrize(
    ("rest", "code", "line"),
    [
        ("", 0, ""),
        (
            "if rank: Cause.of(1, 'user', 'the disk is full').write(folder); sys.exit(1)\n"
            + FOREVER,
            1,
            "error: rank 1 on HOST: the disk is full",
        ),
        (
            "if rank: time.sleep(1)\n"
            "Cause.of(rank, 'fault', str(rank), primary=rank == 1).write(folder); sys.exit(3)",
            3,
            "error: rank 1 on HOST: 1",
        ),
        (
            "if rank: os.kill(os.getpid(), signal.SIGKILL)\n" + FOREVER,
            1,
            "error: rank 1 on HOST: it was ended by SIGKILL; the system kills processes like this when it runs out of memory",
        ),
        (
            "if rank: sys.exit(1)\n" + FOREVER,
            3,
            "error: rank 1 on HOST: it has ended with exit code 1 before it could say why;"
            " its output above says more",
        ),
    ],
)
def test_the_first_cause_is_the_last_line(tmp_path: Path, rest: str, code: int, line: str):
    node = watched(tmp_path, rest)
    ranks = up(node)
    host = os.uname().nodename
    assert ended(node, 8) == (code, line.replace("HOST", host))
    assert gone(ranks)


def test_sigterm_comes_to_each_rank_once_and_leaves_it_time(tmp_path: Path):
    node = watched(tmp_path, FOREVER)
    ranks = up(node)
    for _ in range(3):
        node.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    assert ended(node, 10) == (143, "stopped by SIGTERM after 3 steps, with a checkpoint")
    assert sorted(line for line in node.output().splitlines() if "asked" in line) == [
        "asked 0",
        "asked 1",
    ]
    assert gone(ranks)


def test_ctrl_c_ends_ranks_that_do_not_listen(tmp_path: Path):
    node = watched(tmp_path, FOREVER)
    ranks = up(node)
    node.process.send_signal(signal.SIGINT)
    # Half of what is promised, 3 s, is for the ranks; a machine that is busy with other tests gets more for the rest.
    assert ended(node, INTERRUPTION + 4) == (130, "error: interrupted")
    assert gone(ranks)


def test_ranks_whose_launcher_is_killed_are_not_left_behind(tmp_path: Path):
    node = watched(tmp_path, FOREVER)
    ranks = up(node)
    library = ranks[0].parent()
    assert library is not None
    library.kill()
    code, line = ended(node, 6)
    assert code == 1
    assert "the launcher of the ranks was ended by SIGKILL" in line
    assert gone(ranks)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells only Linux's children")
def test_the_library_leaves_sigterm_to_its_ranks_until_its_own_parent_is_killed(tmp_path: Path):
    (tmp_path / "endings").mkdir()
    program = tmp_path / "watch.py"
    program.write_text(WATCH)
    (tmp_path / "library.py").write_text(
        "from skrull_runtime.launching import library\n"
        "import os; library.follow(os.getppid())\n" + LIBRARY
    )
    script = [str(tmp_path / "library.py"), RANK + FOREVER]
    (node,) = launch.start(1, program, str(tmp_path / "endings"), *script, fresh=True)
    ranks = up(node)
    library = ranks[0].parent()
    assert library is not None
    library.send_signal(signal.SIGTERM)  # as schedulers do to every process of a job
    assert not launch.wait_until(lambda: gone(ranks) or not library.is_running(), 1.5)
    node.process.kill()
    assert launch.wait_until(lambda: gone(ranks), 5)


def test_the_launcher_says_what_is_missing_and_what_it_is_given(tmp_path: Path):
    (tmp_path / "train.py").write_text("")
    options = ["--launcher", "deepspeed", "--gpus", "4", "--timeout", "5", "--nodes"]
    command = [sys.executable, "-m", "skrull_runtime.launcher", *options]
    environ = {name: value for name, value in os.environ.items() if name != "DS_ACCELERATOR"}
    environ["PYTHONPATH"] = str(launch.PYTHON_ROOT)

    def said(nodes: int, **more: str) -> tuple[int, str]:
        result = subprocess.run(
            [*command, str(nodes), str(tmp_path / "train.py")],
            env=environ | more,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return result.returncode, result.stderr

    assert said(2) == (1, "error: NODE_RANK is not set: set it to 0 .. 1, a different one on every node,"
                          " and MASTER_ADDR to the address of node 0\n")  # fmt: skip
    code, line = said(1, CUDA_VISIBLE_DEVICES="4,5")
    assert (code, line.count("\n")) == (1, 1)
    assert "CUDA_VISIBLE_DEVICES is '4,5', and this run takes 4 GPUs of a node" in line
