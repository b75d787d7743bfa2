"""Rows of a kind that is not trained on, recognised by their columns (``contract/data-names.json``)."""

from __future__ import annotations

from functools import cache
from typing import Any

from ..samples.names import Layout, RefusedRows, contract
from ..samples.sample import RowProblem
from .columns import Columns


@cache
def _refusable() -> frozenset[str]:
    known = contract()
    named = {name for entry in known["refused"] for name in entry["columns"]}
    return frozenset(named | {known["judged"]["columns"][-1]})


def refuse_kinds(columns: Columns, layout: Layout) -> None:
    """Raises RowProblem for preferences, judged answers and rows of more than text.

    Columns that the user names or ignores do not count.
    """
    row = columns.row
    if _refusable().isdisjoint(row):
        return
    known = contract()
    for entry in known["refused"]:
        names = entry["columns"]
        found = [name for name in names if name not in layout.named and _holds(row.get(name))]
        if found and (entry["needs"] == "any" or len(found) == len(names)):
            _refuse(found, entry)
    judged = known["judged"]
    verdict = judged["columns"][-1]
    together = all(name in row for name in judged["columns"])
    if together and isinstance(row[verdict], bool) and verdict not in layout.named:
        _refuse([verdict], judged)


def _holds(value: Any) -> bool:
    return value is not None and value != "" and value != [] and value != {}


def _refuse(names: list[str], entry: RefusedRows) -> None:
    quoted = " and ".join(f'"{name}"' for name in names)
    raise RowProblem(f"has {quoted}: it {entry['reason']}; {entry['help']}")
