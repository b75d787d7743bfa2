"""Writing files: where the disk does not allow it, the user reads which disk and why."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import UserError
from .reasons import disk_problem

# torch's zip writer loses the system's reason; safetensors and DeepSpeed keep it in their messages.
LOST_REASON = re.compile(r"PytorchStreamWriter|inline_container|file write failed|unexpected pos")
PROBE = 1 << 20  # bytes


@contextmanager
def writing(folder: Path, what: str) -> Iterator[None]:
    """Raises UserError where ``what`` cannot be written to ``folder`` because of the disk or of permissions."""
    try:
        yield
    except Exception as error:
        reason = disk_problem(error)
        if reason is None and isinstance(error, OSError):
            reason = str(error)
        if reason is None and LOST_REASON.search(str(error)):
            reason = _probed(folder) or str(error).strip().splitlines()[0]
        if reason is None:
            raise
        raise UserError(f"{folder}: {what} cannot be written ({reason})") from error


def _probed(folder: Path) -> str | None:
    """Why nothing can be written there now; None where writing works."""
    path: str | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as probe:
            path = probe.name
            probe.write(bytes(PROBE))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        error.filename = None
        return disk_problem(error) or str(error)
    finally:
        if path is not None:
            with contextlib.suppress(OSError):
                os.unlink(path)
    return None
