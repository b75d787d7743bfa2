"""What a user can act on, told from faults of ours."""

from __future__ import annotations


class UserError(Exception):
    """A mistake of the user's, or a state of the machine that the user can change: shown as a line, without a traceback.

    Any other exception is a fault of ours or of a library, whose traceback matters.
    """
