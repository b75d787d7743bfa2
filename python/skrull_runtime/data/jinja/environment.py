"""The sandbox that chat templates run in; see :mod:`.template`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NoReturn


def environment(date: datetime) -> Any:
    """The environment of one template, whose ``strftime_now`` formats a fixed date. It has the attribute ``tracking`` that
    :class:`.classes.Generation` adds, which jinja2's type lacks."""
    from jinja2.exceptions import TemplateError
    from jinja2.ext import loopcontrols

    from .classes import Dict, Generation, Sandbox, TemplateNamespace

    def raise_exception(message: str) -> NoReturn:
        raise TemplateError(message)

    made = Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = raise_exception
    made.globals["strftime_now"] = date.strftime
    made.globals["dict"] = Dict()
    made.globals["namespace"] = TemplateNamespace
    return made


def tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """As in transformers: without HTML escapes, with the options of ``json.dumps``."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )
