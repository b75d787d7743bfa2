"""The token store: tables of tokens, keyed by what they were made from and shared by plans, runs and machines."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from ...contract.records import Rendering
from .columns import DamagedTable, Table, write_table
from .tokenise import TokenisedBlock

ENGINE_VERSION = 1  # changes when the same rows give other tokens
BESIDE = "token_store"  # in a run's folder, if there is no cache
HUB = "hub"  # folder of the cache: data sets
VARIABLE = "SKRULL_CACHE"  # another folder for the cache; empty for none


def cache_folder() -> Path | None:
    """Where skrull keeps what it can make again, the same as for the compiler; None where nothing is kept."""
    chosen = os.environ.get(VARIABLE)
    if chosen is not None:
        return Path(chosen) if chosen else None
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "skrull"


def store_folder(run_dir: Path) -> Path:
    """Where a run finds and keeps tokens."""
    return cache_folder() or run_dir / BESIDE


def digest(*parts: Any) -> str:
    """The SHA-256 of JSON values."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def settings_digest(tokenizer_sha256: str, template: str, rendering: Rendering) -> str:
    """The digest of everything that decides the tokens of a row besides the row itself."""
    return digest(ENGINE_VERSION, tokenizer_sha256, template, rendering)


class TokenStore:
    """A folder of tables. Writers need no lock: tables are written whole, and all writers write the same."""

    def __init__(self, folder: Path):
        self.folder = folder / "tokens"

    def key(self, block_sha256: str, settings: str) -> str:
        """The key of a block's table."""
        return digest(block_sha256, settings)

    def path(self, key: str) -> Path:
        """Where a table is, or would be."""
        return self.folder / key[:2] / f"{key}.safetensors"

    def has(self, key: str) -> bool:
        """Whether there is a file for the table, whole or not."""
        return self.path(key).is_file()

    def get(self, key: str) -> Table | None:
        """A table; None where it is missing or damaged."""
        try:
            return Table(self.path(key))
        except (FileNotFoundError, DamagedTable):
            return None

    def discard(self, key: str) -> None:
        """Removes a table, so that it is made again."""
        self.path(key).unlink(missing_ok=True)

    def put(self, key: str, made: TokenisedBlock) -> None:
        """Keeps a block's tokens. Raises UserError where the disk does not allow it."""
        write_table(self.path(key), made.columns, made.description())
