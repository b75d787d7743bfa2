"""A run that is started over ssh: what reaches a host, and two hosts in network namespaces, each with its own sshd."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import launch
import psutil
import pytest
from test_resume import SCRIPT, metrics, wait_for_steps, write_run

from skrull_runtime.launching.hosts import carried, ssh_command
from skrull_runtime.launching.outcome import FINISHED, Outcome, first_of
from skrull_runtime.launching.tether import MARK, reported

TEMPLATE = Path(__file__).resolve().parents[2] / "templates/launch.sh.hbs"
TIMEOUT = 8  # seconds, of the run: what is unreachable ends within this and 10 more


def test_what_a_run_needs_is_carried_over_and_nothing_else():
    needed = {
        "SKRULL_DATA_ROOT": "/my data",
        "SKRULL_CACHE": "/fast/cache",
        "HF_TOKEN": "secret",
        "WANDB_API_KEY": "secret",
        "NCCL_DEBUG": "INFO",
        "OMP_NUM_THREADS": "4",
        "CUDA_VISIBLE_DEVICES": "0,1",
        "MASTER_PORT": "3",
    }
    other = {
        "PATH": "/bin",
        "HOME": "/root",
        "SKRULL_ENDINGS": "/tmp/x",
        "SKRULL_LAUNCHER_PID": "1",
    }
    other |= {"LD_PRELOAD": "x", "MY_HF_TOKEN": "x", "RANK": "0"}
    assert carried(needed | other) == needed


def test_a_host_reads_back_what_was_quoted_for_it():
    hostile = ["--steps", "1; touch pwned", "$(touch pwned)", "it's", "a\nb", ""]
    variables = {"PYTHON": "/my env/bin/python", "MASTER_ADDR": "node-a"}
    launch_sh = Path("/my 'run'/launch.sh")
    *options, host, remote = ssh_command("node-b", variables, launch_sh, hostile, 20)
    assert options[-1] == "--"
    assert host == "node-b"
    assert "BatchMode=yes" in options
    words = ["PYTHON=/my env/bin/python", "MASTER_ADDR=node-a", "bash", str(launch_sh), *hostile]
    assert shlex.split(remote) == ["exec", "env", *words]
    echoed = remote.replace("exec env", "printf '%s\\0'", 1)
    shown = subprocess.run(["bash", "-c", echoed], capture_output=True, text=True, check=True)
    assert shown.stdout.split("\0")[:-1] == words


def test_a_node_tells_how_it_ended_and_causes_come_before_symptoms():
    symptom = Outcome(1, "error: lost", primary=False, time=1.0)
    cause = Outcome(3, "error: rank 1 on node-b: broken", time=2.0)
    assert first_of([symptom, Outcome(0, ""), cause]) == cause
    assert first_of([Outcome(0, "")]).code == 0
    assert reported("step 1") == ("step 1", None)
    assert reported(f"{MARK}nonsense") == (f"{MARK}nonsense", None)
    wrong = f'{MARK}{{"code": "3", "line": "", "primary": true, "time": 1}}'
    assert reported(wrong)[1] is None
    told = f"{MARK}{json.dumps(FINISHED.to_json())}"
    assert reported(f"cut sho{told}") == ("cut sho", FINISHED)


# From here on: two hosts.

TRAIN = """
import os, runpy, sys, time
sys.path.insert(0, {tests!r})
os.environ["TIMEOUT"] = "{timeout}"
from skrull_runtime.reporting.metrics import MetricsLog
add = MetricsLog.add
def add_slowly(*arguments):
    add(*arguments)
    if not os.path.exists({folder!r} + "/fast"):
        time.sleep(1)
MetricsLog.add = add_slowly
assert os.environ["SKRULL_TEST"] == "it's here", "the environment has not come over"
assert "SKRULL_TEST_PRIVATE" not in os.environ["PATH"]
sys.argv.insert(1, {folder!r})
runpy.run_path({script!r}, run_name="__main__")
"""


def emitted_launch(launcher: str, hosts: list[str]) -> str:
    """``launch.sh`` as the compiler makes it of its template, for CPU and one rank a host."""
    text = TEMPLATE.read_text()
    text = re.sub(r"{{#if multi_node}}\n.*?{{/if}}\n{{/if}}\n", "", text, flags=re.DOTALL)
    text = re.sub(r"{{#if cpu}}\n(.*?){{else}}.*?{{/if}}\n", r"\1", text, flags=re.DOTALL)
    names = "".join(f"  --host {host} \\\n" for host in hosts)
    text = re.sub(r"{{#each hosts}}\n.*?{{/each}}\n", lambda _: names, text, flags=re.DOTALL)
    values = {"launcher": launcher, "nodes": len(hosts), "gpus": 1, "timeout": TIMEOUT}
    values |= {"version": 0, "ranks": 2}
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", str(value))
    assert "{{" not in text, text
    return text


@dataclass
class Host:
    """A network namespace with an sshd of its own."""

    name: str
    address: str

    def run(self, *command: str) -> None:
        """Inside it."""
        subprocess.run(["ip", "netns", "exec", self.name, *command], check=True)

    def link(self, state: str) -> None:
        """``up`` or ``down``: its network."""
        self.run("ip", "link", "set", "skrull0", state)

    def processes(self) -> list[psutil.Process]:
        """What runs in it besides its sshd."""
        pids = subprocess.run(
            ["ip", "netns", "pids", self.name], capture_output=True, text=True, check=True
        ).stdout.split()
        found = [psutil.Process(int(pid)) for pid in pids if psutil.pid_exists(int(pid))]
        return [process for process in found if _name(process) not in ("sshd", "sshd-session", "")]


def _name(process: psutil.Process) -> str:
    try:
        return process.name() if process.status() != psutil.STATUS_ZOMBIE else ""
    except psutil.NoSuchProcess:
        return ""


@dataclass
class Machines:
    """Two hosts that reach each other, and what starts a run on them."""

    hosts: list[Host]
    folder: Path
    environ: dict[str, str]

    def connect(self) -> None:
        """Waits until each reaches the other: the kernel may take seconds until a link that came up carries anything."""
        first, second = self.hosts
        assert launch.wait_until(lambda: _reaches(first, second) and _reaches(second, first), 30)

    def start(self) -> launch.Rank:
        """``launch.sh`` on the first host, once the hosts reach each other."""
        self.connect()
        log = (self.folder.parent / "log").open("w+")
        command = [
            "ip",
            "netns",
            "exec",
            self.hosts[0].name,
            "bash",
            str(self.folder / "launch.sh"),
        ]
        process = subprocess.Popen(
            command,
            env=self.environ,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        started = launch.Rank(process, log)
        launch.STARTED.append(started)
        return started

    def ended(self, started: launch.Rank, within: float) -> tuple[int, str]:
        """Exit code and last line; fails the test where it has not ended in so many seconds, or left something behind."""
        assert launch.wait_until(lambda: started.process.poll() is not None, within), (
            started.output()[-3000:]
        )
        left = launch.wait_until(lambda: not any(host.processes() for host in self.hosts), 20)
        assert left, [process.cmdline() for host in self.hosts for process in host.processes()]
        return started.process.returncode, started.output().splitlines()[-1]


def _ssh(folder: Path, host: Host) -> None:
    """An sshd in the host's namespace that takes one key, and a client that uses it."""
    config = folder / f"sshd-{host.name}"
    options = [
        f"ListenAddress {host.address}",
        f"HostKey {folder}/host-key",
        f"AuthorizedKeysFile {folder}/key.pub",
        f"PidFile {folder}/pid-{host.name}",
        "StrictModes no",
        "UsePAM no",
        "PermitRootLogin yes",
        "PasswordAuthentication no",
        "LogLevel ERROR",
    ]
    config.write_text("\n".join(options) + "\n")
    host.run(shutil.which("sshd") or "/usr/sbin/sshd", "-f", str(config), "-E", f"{config}.log")


def _unavailable() -> str | None:
    """Why there can be no hosts here."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs root on Linux"
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [
        name for name in ("ip", "sshd", "ssh", "ssh-keygen") if not shutil.which(name, path=path)
    ]
    if missing:
        return f"needs {', '.join(missing)}"
    made = subprocess.run(["ip", "netns", "add", "skrull-probe"], capture_output=True, check=False)
    if made.returncode != 0:
        return f"no network namespaces: {made.stderr.decode().strip()}"
    subprocess.run(["ip", "netns", "delete", "skrull-probe"], check=True)
    return None


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    """Skipped where the system does not let them be made, except in CI."""
    monkeypatch.setenv("PATH", os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if reason := _unavailable():
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    own = f"skrull{os.getpid()}"
    hosts = [Host(f"{own}-{n}", f"10.213.77.{n + 1}") for n in range(2)]
    try:
        yield _machines(tmp_path, hosts)
    finally:
        for host in hosts:
            for process in host.processes():
                process.kill()
            pid = tmp_path / f"pid-{host.name}"
            if pid.exists() and psutil.pid_exists(int(pid.read_text())):
                os.kill(int(pid.read_text()), signal.SIGTERM)
            subprocess.run(["ip", "netns", "delete", host.name], check=False)


def _reaches(one: Host, other: Host) -> bool:
    """Whether the other's sshd answers."""
    command = f"exec 3<>/dev/tcp/{other.address}/22"
    inside = ["ip", "netns", "exec", one.name, "bash", "-c", command]
    return subprocess.run(inside, stderr=subprocess.DEVNULL, check=False).returncode == 0


def _machines(folder: Path, hosts: list[Host]) -> Machines:
    first, second = hosts
    for host in hosts:
        subprocess.run(["ip", "netns", "add", host.name], check=True)
        host.run("ip", "link", "set", "lo", "up")
    ends = ["skrull0", "netns", first.name, "type", "veth", "peer", "name", "skrull0"]
    subprocess.run(["ip", "link", "add", *ends, "netns", second.name], check=True)
    for name in ("key", "host-key"):
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(key, check=True)
    Path("/run/sshd").mkdir(exist_ok=True)
    for host in hosts:
        host.run("ip", "address", "add", f"{host.address}/24", "dev", "skrull0")
        host.link("up")
    for host in hosts:
        _ssh(folder, host)
    client = folder / "bin"
    client.mkdir()
    known = f"-i {folder}/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
    (client / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F none {known} "$@"\n')
    (client / "ssh").chmod(0o755)
    run = folder / "my run"
    write_run(run)
    (run / "launch.sh").write_text(emitted_launch("torchrun", [host.address for host in hosts]))
    (run / "skrull_runtime").symlink_to(launch.PYTHON_ROOT / "skrull_runtime")
    values = {
        "tests": str(SCRIPT.parent),
        "timeout": TIMEOUT,
        "folder": str(run),
        "script": str(SCRIPT),
    }
    (run / "train.py").write_text(TRAIN.format(**values))
    environ = {name: value for name, value in os.environ.items() if name not in ("RANK", "TIMEOUT")}
    environ |= {
        "PATH": f"{client}:{environ['PATH']}",
        "PYTHON": sys.executable,
        "GLOO_SOCKET_IFNAME": "skrull0",
        "SKRULL_TEST": "it's here",
        "WANDB_API_KEY": "a secret of the test",
    }
    return Machines(hosts, run, environ)


def test_a_run_on_two_hosts(machines: Machines):
    """Started, cut in two for a moment and stopped; resumed, and a host killed; resumed, and cut in two for good; finished."""
    first, second = machines.hosts
    folder = machines.folder

    run = machines.start()
    wait_for_steps(folder, 1, [run])
    prefixed = f"{first.address}:      0"
    assert launch.wait_until(lambda: prefixed in run.output(), 10), run.output()
    arguments = [" ".join(p.cmdline()) for host in machines.hosts for p in host.processes()]
    assert any("train.py" in line for line in arguments)
    assert not any("a secret of the test" in line for line in arguments)
    second.link("down")
    time.sleep(2)
    second.link("up")
    wait_for_steps(folder, 2, [run])
    run.process.send_signal(signal.SIGTERM)
    code, last = machines.ended(run, 60)
    assert (code, last.startswith("stopped by SIGTERM")) == (143, True), run.output()[-3000:]
    done = len(metrics(folder))

    run = machines.start()
    wait_for_steps(folder, done + 1, [run])
    resumed = f"resumed after {done} steps"
    assert launch.wait_until(lambda: resumed in run.output(), 10), run.output()
    second.link("down")
    for process in second.processes():
        process.kill()
    code, last = machines.ended(run, TIMEOUT + 10)
    assert code == 1, run.output()[-3000:]
    assert last.startswith("error: "), last
    second.link("up")

    run = machines.start()
    wait_for_steps(folder, len(metrics(folder)) + 1, [run])
    second.link("down")
    code, last = machines.ended(run, TIMEOUT + 10)
    assert code == 1, run.output()[-3000:]
    assert last.startswith("error: "), last
    second.link("up")

    (folder / "fast").touch()
    run = machines.start()
    code, last = machines.ended(run, 120)
    assert code == 0, run.output()[-3000:]
    steps = [entry["step"] for entry in metrics(folder)]
    assert steps == list(range(8))
