"""The command line of a program that runs on every rank."""

from __future__ import annotations

import argparse
from typing import NoReturn

from ..errors import UserError


class Parser(argparse.ArgumentParser):
    """A mistake in the command line is the user's like any other, and ends all ranks alike."""

    def error(self, message: str) -> NoReturn:
        """Raises UserError."""
        raise UserError(f"{message}; --help lists the options")
