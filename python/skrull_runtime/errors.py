"""What a user can act on, as opposed to faults of ours."""

from __future__ import annotations


class UserError(Exception):
    """A mistake by the user, or a state of the machine that the user can change: shown as a line, without a traceback.

    Any other exception is a fault of ours or of a library, whose traceback matters.
    """


class ToldByAnother(UserError):
    """What another rank has failed with and reports itself: here it is only a symptom."""


class FaultElsewhere(Exception):
    """A fault in another process, with its traceback there; without one where that process reports it itself."""

    def __init__(self, reason: str, trace: str, primary: bool = True):
        super().__init__(reason)
        self.trace, self.primary = trace, primary
