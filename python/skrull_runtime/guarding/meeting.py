"""Ranks meet: first under the guard, which says which ranks are missing and why one fails, then as a process group."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
from dataclasses import asdict
from datetime import timedelta

import torch.distributed as dist

from ..errors import UserError
from . import place
from .guard import Guard
from .watch import Server, Timing, Watch

# Seconds that a collective waits beyond the time within which the guard names the cause.
MARGIN = 5.0
# Seconds for ranks to arrive, whatever the time-out; for tests on busy machines.
START_AT_LEAST = 0.0
TAKEN = re.compile(r"EADDRINUSE|address already in use|failed to listen", re.IGNORECASE)


def meet(rank: int, ranks: int, timeout: float) -> dist.Store:
    """Returns once every rank is under the guard. The store that it returns is for the process group.

    Raises UserError where rank 0 cannot be reached or cannot listen. Where another rank does not arrive within
    ``timeout`` seconds, the guard ends all ranks.
    """
    timing = Timing(timeout, max(timeout, START_AT_LEAST), ranks)
    place.at("the meeting of all ranks")
    store = _store(rank, ranks, timing.start)
    if rank == 0:
        token = secrets.token_hex(16)
        watch = Watch(_ranks_per_node(ranks), timing, token)
        own = Server(_address(), watch.port, token, socket.gethostname(), os.getpid())
        store.set("guard", json.dumps(asdict(own)))
        server = Server(**{**asdict(own), "address": "127.0.0.1"})
    else:
        server = _announced(store, timing.start)
    try:
        guard = Guard(rank, server, timing)
    except OSError as error:
        raise UserError(
            f"rank 0 on {server.host} cannot be reached at {server.address}, port {server.port} ({error}): ranks must"
            " reach each other on all ports"
        ) from error
    guard.wait_for_all()
    return store


def group_timeout(timeout: float) -> timedelta:
    """How long a collective waits: a little longer than the guard, which knows which rank is late."""
    return timedelta(seconds=timeout + MARGIN)


def _store(rank: int, ranks: int, seconds: float) -> dist.Store:
    """The store at MASTER_ADDR, served by rank 0, or by torchrun's agent where that says so."""
    address, port = _address(), int(os.environ["MASTER_PORT"])
    agent = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    try:
        store = dist.TCPStore(
            address,
            port,
            ranks,
            is_master=rank == 0 and not agent,
            timeout=timedelta(seconds=seconds),
            wait_for_workers=False,
            multi_tenant=True,
        )
    except dist.DistNetworkError as error:
        raise UserError(_why_not(rank, address, port, seconds, error)) from error
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    return dist.PrefixStore(f"skrull/{attempt}", store)


def _why_not(rank: int, address: str, port: int, seconds: float, error: Exception) -> str:
    if TAKEN.search(str(error)):
        return (
            f"port {port} of {socket.gethostname()} is taken: set MASTER_PORT to a free one, the same on every node,"
            " or end the process that holds it"
        )
    return (
        f"rank 0 did not answer at {address}, port {port}, within {seconds:g} s: start every node, with MASTER_ADDR the"
        " address of node 0 and the same MASTER_PORT, and see that it can be reached"
    )


def _announced(store: dist.Store, seconds: float) -> Server:
    try:
        return Server(**json.loads(store.get("guard")))
    except dist.DistError as error:
        raise UserError(
            f"rank 0 did not come within {seconds:g} s: start every node once, each with its own NODE_RANK and the same"
            " MASTER_ADDR and MASTER_PORT"
        ) from error


def _address() -> str:
    return os.environ.get("MASTER_ADDR", "127.0.0.1")


def _ranks_per_node(ranks: int) -> int:
    """The ranks of a node, as torchrun or DeepSpeed states them."""
    found = os.environ.get("LOCAL_WORLD_SIZE") or os.environ.get("LOCAL_SIZE")
    return max(1, int(found)) if found else ranks


def limit_groups(timeout: float) -> None:
    """Gives process groups that libraries made the same time-out as ours; their default is torch's half hour."""
    for group in list(dist.distributed_c10d._world.pg_map):
        dist.distributed_c10d._set_pg_timeout(group_timeout(timeout), group)
