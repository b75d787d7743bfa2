"""What both programs go by, as data: copies of the project's ``contract/``, kept in step by ``npm run generate``."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def document(name: str) -> Any:
    """A JSON document of the contract, by its file's name; not to be changed by who asks."""
    return json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
