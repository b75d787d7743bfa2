"""Packages that only some formats need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import UserError


def pyarrow(path: Path) -> Any:
    """pyarrow, with its submodules for files. Raises UserError, with what to install, where it is not installed."""
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError as error:
        raise UserError(
            f'{path}: reading it needs pyarrow: pip install "pyarrow>=17" ({error})'
        ) from None
    return pyarrow


def parquet(path: Path) -> Any:
    """pyarrow's reader of Parquet. Raises UserError where it is not installed."""
    pyarrow(path)
    from pyarrow import parquet

    return parquet
