"""Writing a profile for a spec's ``cluster { profile }``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError


def write_profile(path: Path, profile: dict[str, Any]) -> None:
    """Writes it as JSON. Raises UserError where the file cannot be written."""
    try:
        path.write_text(json.dumps(rounded(profile), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error


def rounded(value: Any) -> Any:
    """Floats to six digits: more were not measured."""
    if isinstance(value, dict):
        return {key: rounded(own) for key, own in value.items()}
    if isinstance(value, list):
        return [rounded(own) for own in value]
    return float(np.format_float_scientific(value, 5)) if isinstance(value, float) else value
