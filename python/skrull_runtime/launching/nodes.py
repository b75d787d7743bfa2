"""Which node of a run this is, and where the nodes meet: from ``NODE_RANK`` and ``MASTER_ADDR``, or from the variables of
Slurm, of Kubeflow's TrainJob and torchrun (``PET_*``), or of SkyPilot. Nothing here imports torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..errors import UserError

DEFAULT_PORT = 29500
LOCAL = "127.0.0.1"


@dataclass(frozen=True)
class Place:
    """A node's own place among the nodes of a run."""

    node: int  # from 0
    nodes: int
    address: str  # of node 0
    port: int | None  # at that address; None on a single node: any free port


@dataclass(frozen=True)
class Source:
    """A system that may state a node's place, and its variables. Of several variables, the first that is set counts."""

    who: str
    node: str
    nodes: tuple[str, ...]
    port: str | None
    address: Callable[[Mapping[str, str]], str | None]


def first_host(nodes: str) -> str | None:
    """The first host of a list as Slurm writes it: ``gpu007-ib`` for ``gpu[007-010,12]-ib,login1``; None if it is empty."""
    first = re.match(r"(?:[^,\[]|\[[^\]]*\])+", nodes)
    return None if first is None else re.sub(r"\[([^\],-]*)[^\]]*\]", r"\1", first[0])


def _slurm_address(environ: Mapping[str, str]) -> str | None:
    for name in ("SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST"):
        if environ.get(name):
            return first_host(environ[name])
    return environ.get("SLURM_LAUNCH_NODE_IPADDR") or None


def _first_line(name: str) -> Callable[[Mapping[str, str]], str | None]:
    return lambda environ: next(iter(environ.get(name, "").split()), None)


OWN = Source("", "NODE_RANK", (), "MASTER_PORT", _first_line("MASTER_ADDR"))
SLURM_NODES = ("SLURM_STEP_NUM_NODES", "SLURM_NNODES", "SLURM_JOB_NUM_NODES")
SOURCES = (
    OWN,
    Source("Slurm", "SLURM_NODEID", SLURM_NODES, None, _slurm_address),
    Source(
        "torchrun's variables",
        "PET_NODE_RANK",
        ("PET_NNODES",),
        "PET_MASTER_PORT",
        _first_line("PET_MASTER_ADDR"),
    ),
    Source(
        "SkyPilot",
        "SKYPILOT_NODE_RANK",
        ("SKYPILOT_NUM_NODES",),
        None,
        _first_line("SKYPILOT_NODE_IPS"),
    ),
)


def is_told(environ: Mapping[str, str]) -> bool:
    """Whether any system states which node this is."""
    return any(environ.get(source.node) for source in SOURCES)


def place_of(environ: Mapping[str, str], nodes: int, gpus: int) -> Place:
    """This node's place in a run of ``nodes`` nodes with ``gpus`` ranks each.

    Raises UserError where the variables contradict each other or the run, or do not state enough.
    """
    _check_counts(environ, nodes, gpus)
    node = _node(environ, nodes)
    if nodes == 1:
        return Place(0, 1, LOCAL, _port(environ, OWN))
    told = [source for source in SOURCES if environ.get(source.node)]
    address = next(filter(None, (source.address(environ) for source in (OWN, *told))), None)
    if address is None:
        raise UserError("MASTER_ADDR is not set: set it to the address of node 0, on every node")
    port = next(filter(None, (_port(environ, source) for source in (OWN, *told))), DEFAULT_PORT)
    return Place(node, nodes, address, port)


def _node(environ: Mapping[str, str], nodes: int) -> int:
    told = {
        source.node: _number(environ, source.node, 0, nodes - 1)
        for source in SOURCES
        if environ.get(source.node)
    }
    if len(set(told.values())) > 1:
        said = " and ".join(f"{name} is {node}" for name, node in told.items())
        raise UserError(
            f"{said}: they say which node this is, and have to agree; unset the wrong one"
        )
    if told:
        return next(iter(told.values()))
    if nodes == 1:
        return 0
    raise UserError(
        f"NODE_RANK is not set: set it to 0 .. {nodes - 1}, a different one on every node, and"
        " MASTER_ADDR to the address of node 0"
    )


def _check_counts(environ: Mapping[str, str], nodes: int, gpus: int) -> None:
    for source in SOURCES:
        name = next((name for name in source.nodes if environ.get(name)), None)
        if name is None or not environ.get(source.node):
            continue
        lowest, _, highest = environ[name].partition(":")  # PET_NNODES may be a range
        if not {lowest, highest or lowest} <= {str(nodes)}:
            raise UserError(
                f"this run was compiled for {_count(nodes, 'node')}, and {name} is {environ[name]!r}:"
                f" start it on {_count(nodes, 'node')}, or change `cluster {{ nodes }}` and compile again"
            )
    if environ.get("SLURM_NODEID") and environ.get("SLURM_LOCALID", "0") != "0":
        raise UserError(
            "Slurm has started more than one launch.sh on this node: launch.sh starts all ranks of a node;"
            " use srun --ntasks-per-node=1"
        )
    ranks = environ.get("PET_NPROC_PER_NODE", "")
    if ranks.isdecimal() and int(ranks) != gpus:
        raise UserError(
            f"this run was compiled for {_count(gpus, 'rank')} on a node, and PET_NPROC_PER_NODE is {ranks}:"
            " they have to agree; change `cluster { gpus }` and compile again, or the job"
        )


def _port(environ: Mapping[str, str], source: Source) -> int | None:
    if source.port is None or not environ.get(source.port):
        return None
    return _number(environ, source.port, 1, 65535)


def _number(environ: Mapping[str, str], name: str, lowest: int, highest: int) -> int:
    text = environ[name]
    if text.isascii() and text.isdecimal() and lowest <= int(text) <= highest:
        return int(text)
    allowed = str(lowest) if lowest == highest else f"{lowest} .. {highest}"
    raise UserError(f"{name} is {text!r}, and has to be {allowed}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
