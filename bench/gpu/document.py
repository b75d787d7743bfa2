"""What every part hands over: one JSON document, and the table that is made of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

FORMAT_VERSION = 1
Row = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A figure of every row. In JSON its name is a key of the row; a row without it has None there."""

    name: str
    unit: str  # "" for words and plain numbers
    meaning: str
    digits: int | None = 3  # after the point, in the table; None for six in all
    shown: bool = True  # in the table


@dataclass
class Result:
    """Of a part."""

    columns: tuple[Column, ...]
    rows: list[Row]
    notes: list[str] = field(default_factory=list)
    figures: Row = field(default_factory=dict)  # that belong to no row, their units in their names
    off: list[str] = field(default_factory=list)  # what is not as it should be
    kernels: list[str] = field(default_factory=list)  # of attention, by name


def failed(what: str, error: Exception) -> str:
    """A line on something that could not be measured; the rest still can."""
    lines = str(error).splitlines()
    return f"{what}: {lines[0] if lines else type(error).__name__}"


def as_json(head: Row, result: Result) -> str:
    """The document: what was run on what, then every figure with its unit."""
    columns = [
        {"name": own.name, "unit": own.unit, "meaning": own.meaning} for own in result.columns
    ]
    names = [own.name for own in result.columns]
    rows = [{name: row.get(name) for name in names} for row in result.rows]
    body = {"columns": columns, "rows": rows, "figures": result.figures}
    told = {"notes": result.notes, "off": result.off, "kernels": result.kernels}
    return json.dumps({"format_version": FORMAT_VERSION, **head, **body, **told}, indent=1) + "\n"


def as_table(head: Row, result: Result) -> str:
    """For people, in Markdown."""
    shown = [own for own in result.columns if own.shown and _has(own, result.rows)]
    titles = [f"{own.name} [{own.unit}]" if own.unit else own.name for own in shown]
    lines = [titles, *([_cell(row.get(own.name), own) for own in shown] for row in result.rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    rule = ["-" * (width - 1) + ":" for width in widths]
    table = [_line(cells, widths) for cells in (lines[0], rule, *lines[1:])]
    figures = [
        f"- {name}: {_plain(value)}"
        for name, value in result.figures.items()
        if not isinstance(value, dict)
    ]
    told = [*result.notes, *(f"left out: {what}" for what in head["left_out"])]
    off = [f"- off: {what}" for what in result.off]
    title = f"{head['part']} ({', '.join(result.kernels)}) on {head['machine']['device']}, torch {head['machine']['torch']}"
    return (
        "\n".join([title, "", *table, "", *figures, *(f"- {note}" for note in told), *off]) + "\n"
    )


def _has(column: Column, rows: list[Row]) -> bool:
    return any(row.get(column.name) is not None for row in rows)


def _line(cells: list[str], widths: list[int]) -> str:
    padded = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def _cell(value: Any, column: Column) -> str:
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.6g}" if column.digits is None else f"{value:.{column.digits}f}"


def _plain(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
