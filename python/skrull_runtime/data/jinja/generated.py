"""Where in a rendered text a template's generation tags are."""

from __future__ import annotations

from typing import NamedTuple


class Generated(NamedTuple):
    """What a generation tag encloses, in characters; ``revindex`` where the tag names its message."""

    start: int
    end: int
    revindex: int | None
