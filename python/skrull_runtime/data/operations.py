"""What the engine can be asked for: each operation takes a request and gives JSON."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .measure import Part, TableMissing, Throttle, fill_store, measurement
from .readers import data_files, hub
from .show import show
from .tokenised.files import mark_of
from .tokenised.store import ENGINE_VERSION, HUB
from .tokenised.work import Pool, Work
from .view import View

Request = dict[str, Any]
Tell = Callable[[dict[str, Any]], None]
SMALL = 4 << 20  # bytes of data that are not worth a second process

_temporary: list[
    tempfile.TemporaryDirectory
] = []  # where nothing is to be kept, until the engine ends


def forget() -> None:
    """Removes what is not to be kept."""
    while _temporary:
        _temporary.pop().cleanup()


def hello(_: Request, __: Tell) -> Any:
    """Which engine this is."""
    return {"version": ENGINE_VERSION, "python": platform.python_version()}


def measure(request: Request, tell: Tell) -> Any:
    """Tables of the samples of data files, made where the cache has none.

    ``files``: absolute paths; ``part``: ``[index, count]`` of the machines that share the work, which then gives no
    tables.
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
        data_files(file)  # says what is wrong with one that is no data set
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


def _facts(tools: Any) -> Any:
    found = tools.renderer.facts()
    ends = found["ends"] or _declared_ends(getattr(tools.renderer.template, "template", {}))
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


def _declared_ends(template: dict[str, Any]) -> list[str]:
    """What ends an answer by a declared template, although it is no token of the tokenizer."""
    roles = template.get("roles", {})
    return list(roles.get("assistant", roles.get("*", {})).get("end", []))


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
