"""The operations of the engine: each takes a request and returns JSON."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..shapes import JsonObject
from .measure import Part, TableMissing, Throttle, fill_store, measurement
from .readers import data_files, hub
from .show import show
from .templating.choice import Template
from .templating.declared import DeclaredTemplate
from .tokenised.files import mark_of
from .tokenised.store import ENGINE_VERSION, HUB
from .tokenised.work import Pool, Tools, Work
from .view import View

Request = JsonObject  # with keys that depend on its operation
Tell = Callable[[JsonObject], None]
SMALL = 4 << 20  # bytes of data that are not worth a second process

# Used as the cache, until the engine ends, where nothing is to be kept.
_temporary: list[tempfile.TemporaryDirectory[str]] = []


def forget() -> None:
    """Removes what is not to be kept."""
    while _temporary:
        _temporary.pop().cleanup()


def hello(_: Request, __: Tell) -> Any:
    """Which engine this is."""
    return {"version": ENGINE_VERSION, "python": platform.python_version()}


def measure(request: Request, tell: Tell) -> Any:
    """Tables of the samples of data files, made where the cache has none.

    ``files``: absolute paths; ``part``: ``[index, count]`` where machines share the work, which then returns no tables.
    """
    files, view = [Path(name) for name in request["files"]], View.of(request["view"])
    part = Part(*request.get("part", (0, 1)))
    pool = Pool(_work(request), _processes(files, request["processes"]))
    try:
        made = [_measured(pool, n, file, view, part, tell) for n, file in enumerate(files)]
        return {"measurements": made, "facts": _facts(pool.tools)}
    finally:
        pool.close()


def _measured(
    pool: Pool, number: int, file: Path, view: View, part: Part, tell: Tell
) -> str | None:
    if file.is_dir():
        data_files(file)  # reports what is wrong with a folder that is not a data set
    total = max(1, _size(file))
    progress = Throttle(lambda done: tell({"file": number, "done": done, "total": total}))
    known = fill_store(file, pool, progress, part)
    if part.count > 1:
        return None
    try:
        return str(measurement(file, known, pool, view))
    except TableMissing:
        return str(measurement(file, fill_store(file, pool, progress), pool, view))


def _size(path: Path) -> int:
    return sum(size for size, _, _ in mark_of(path))


def _processes(files: list[Path], most: int) -> int:
    return 1 if sum(_size(file) for file in files) <= SMALL else most


def _work(request: Request) -> Work:
    return Work(request["tokenizer"], request["rendering"], _cache(request))


def _cache(request: Request) -> Path:
    cache = request["cache"]
    if cache is None:
        if not _temporary:
            _temporary.append(tempfile.TemporaryDirectory(prefix="skrull-"))
        cache = _temporary[0].name
    return Path(cache)


def _facts(tools: Tools) -> JsonObject:
    found = tools.renderer.facts()
    ends = found["ends"] or _declared_ends(tools.renderer.template)
    counts = [len(encoded.ids) for encoded in tools.tokenizer.encode_batch(ends)]
    return {
        "template": found["template"],
        "template_sha256": found["sha256"],
        "reads_date": found["reads_date"],
        "begin": tools.tokenizer.begin,
        "end": tools.tokenizer.end or "",
        "ends": list(zip(ends, counts, strict=True)),
        "settings": tools.settings,
    }


def _declared_ends(template: Template) -> list[str]:
    """What ends an answer by a declared template, although it is not a token of the tokenizer."""
    if not isinstance(template, DeclaredTemplate):
        return []
    roles = template.template["roles"]
    own = roles.get("assistant", roles.get("*"))
    return [] if own is None else list(own["end"])


def materialise(request: Request, _: Tell) -> Any:
    """The file with the rows of a data set of a hub."""
    folder = _cache(request) / HUB
    folder.mkdir(parents=True, exist_ok=True)
    return {"path": str(hub.materialise(request["reference"], folder))}


HANDLERS: dict[str, Callable[[Request, Tell], Any]] = {
    "hello": hello,
    "measure": measure,
    "materialise": materialise,
    "show": lambda request, _: show(request, _work(request)),
}
