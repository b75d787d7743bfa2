"""The time that a part may take, and what it left out for want of it."""

from __future__ import annotations

import time


class Budget:
    """Seconds from now on."""

    def __init__(self, seconds: float):
        self._started = time.monotonic()
        self._seconds = seconds
        self.left_out: list[str] = []

    def spent(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def allows(self, what: str, seconds: float = 0.0) -> bool:
        """Whether there are so many seconds left for something; notes it as left out where there are not."""
        if self.spent() + seconds < self._seconds:
            return True
        self.left_out.append(what)
        return False
