"""One long sequence over all ranks of a group, and nothing beside it: what hides its communication?"""

from __future__ import annotations

from typing import Any

from extended import Extended
from plain import blank
from step import sums

from skrull_runtime.batches.layout import Layout, ShardGroup
from skrull_runtime.batches.segments import windows_in


def alone(subject: Extended, length: int) -> dict[str, Any] | None:
    """Of its first rank. None where the run shares no sequences."""
    run = subject.run
    degree = run.scheduling.context_parallel
    if degree == 1:
        return None
    chunk = -(-length // (2 * degree))
    layout = Layout(0, (), (), (ShardGroup(0, degree, (0,), (chunk,)),))
    counted = max(1, round(2 * chunk * run.plan["demand"]["target_share"]))
    windows = windows_in(run.path / "config.json")
    subject.forget_gradients()
    batch = blank(layout, 2 * chunk, counted, windows)
    cell = subject.run_once(batch, 0)
    forward, most = subject.attention_bytes(batch, 0)
    collectives = [len([s for s in tally.spans if s.received]) for tally in cell.tallies]
    return {
        "tokens": length,
        "degree": degree,
        **sums([cell]),
        "collectives": {"forward": collectives[0], "backward": collectives[1]},
        "peak_bytes": cell.peak,
        "at_peak": cell.at_peak,
        "attention": {"forward_bytes": forward, "transient_bytes": most},
    }
