"""Puts the prepared wheels into a folder that the campaign reads, without network and without touching the machine's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from skrull_runtime.errors import UserError


def install(folder: Path, site: str) -> None:
    """From ``folder/wheels`` into ``folder/site``. Raises UserError where that cannot be done."""
    wheels = folder / "wheels"
    own = wheels / f"cp{sys.version_info.major}{sys.version_info.minor}"
    if not wheels.is_dir():
        raise UserError(f"{wheels} is missing: prepare it with 'npm run bench:gpu -- prepare'")
    if not own.is_dir():
        there = ", ".join(sorted(each.name for each in wheels.glob("cp*")))
        raise UserError(
            f"no wheels were prepared for this Python ({own.name}), but for {there}: prepare with --python"
        )
    files = sorted(map(str, [*(wheels / "any").glob("*.whl"), *own.glob("*.whl")]))
    target = folder / site
    options = ["--no-index", "--no-deps", "--no-compile", "--upgrade", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UserError(f"pip could not install the wheels: {_last_line(done.stderr)}")
    sys.stdout.write(f"{len(files)} packages are in {target}\n")


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it does not say why"
