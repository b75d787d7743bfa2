"""The token store: equal content is tokenised once, and a run never trains on other tokens than were compiled."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
from array import array
from pathlib import Path

import pytest
from run_data import chatml, write_index

from skrull_runtime.config import DataConfig
from skrull_runtime.data import operations
from skrull_runtime.data.filling import StoreFilling
from skrull_runtime.data.index import SampleIndex
from skrull_runtime.data.measure import Part, fill_store, measurement
from skrull_runtime.data.readers import Row
from skrull_runtime.data.tokenised import blocks as blocks_module
from skrull_runtime.data.tokenised.blocks import blocks_of
from skrull_runtime.data.tokenised.columns import DamagedTable, Table, write_table
from skrull_runtime.data.tokenised.work import Pool, Work
from skrull_runtime.data.tokens import SampleTokens
from skrull_runtime.data.view import View
from skrull_runtime.errors import UserError

DATA = DataConfig(".", "bytes", "assistant", 4096, "drop")


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of some kilobytes."""
    monkeypatch.setattr(blocks_module, "LEAST", 2048)
    monkeypatch.setattr(blocks_module, "BEYOND", 4096)
    monkeypatch.setattr(blocks_module, "MOST", 12288)


def messages_of(number: int) -> list[dict[str, str]]:
    chance = random.Random(number)
    return [
        {"role": "user", "content": f"question {number} " + "x" * chance.randrange(200)},
        {"role": "assistant", "content": f"answer {number}"},
    ]


def write_data(folder: Path, numbers: list[int]) -> Path:
    lines = [json.dumps({"messages": messages_of(number)}) for number in numbers]
    path = folder / "data.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.fixture
def run(tmp_path: Path, small_blocks: None) -> SampleIndex:
    """A run of 300 samples in many blocks, whose tokens are in the store beside it."""
    write_data(tmp_path, list(range(300)))
    document = write_index(tmp_path)
    assert len(document["blocks"]) > 5
    return SampleIndex(tmp_path / "data_index.json", DATA, tmp_path)


def tokens_of(index: SampleIndex) -> SampleTokens:
    return SampleTokens(index, StoreFilling(index, index.root))


def assert_right(index: SampleIndex) -> None:
    source = tokens_of(index)
    for sample in range(len(index)):
        expected, found = chatml(messages_of(sample)), source.tokens(sample)
        assert list(found.ids) == expected.ids
        assert list(found.labels) == expected.labels


def made_tables(folder: Path) -> set[Path]:
    return set((folder / "token_store" / "tokens").rglob("*.safetensors"))


def test_the_tokens_of_a_run_are_those_of_its_rows(run: SampleIndex):
    assert_right(run)


def test_limits_of_blocks_are_where_the_content_says(small_blocks: None):
    def rows(numbers: list[int]) -> list[Row]:
        contents = [json.dumps(messages_of(number)).encode() for number in numbers]
        return [Row(at, content, None) for at, content in enumerate(contents, 1)]

    def shas(numbers: list[int]) -> list[str]:
        return [block.sha256 for block in blocks_of(rows(numbers))]

    whole = list(range(1000))
    before = shas(whole)
    assert sum(len(block.rows) for block in blocks_of(rows(whole))) == 1000
    appended, inserted = shas([*whole, 1000, 1001]), shas([*whole[:500], 7000, *whole[500:]])
    assert len(set(appended) - set(before)) == 1
    assert 1 <= len(set(inserted) - set(before)) <= 2


def test_a_gap_between_rows_is_a_part_of_a_block():
    def digest(numbers: list[int]) -> str:
        (block,) = blocks_of([Row(number, b"{}", None) for number in numbers])
        return block.sha256

    assert digest([1, 2]) == digest([5, 6]) != digest([1, 3])


def test_only_new_blocks_are_tokenised(tmp_path: Path, small_blocks: None):
    work = Work("bytes", {}, tmp_path / "cache")
    path = write_data(tmp_path, list(range(500)))
    fill_store(path, Pool(work, 1), lambda _: None)
    before = set((tmp_path / "cache" / "tokens").rglob("*.safetensors"))
    stamps = {table: table.stat().st_mtime_ns for table in before}
    write_data(tmp_path, [*range(250), 9000, *range(250, 500)])
    fill_store(path, Pool(work, 1), lambda _: None)
    after = set((tmp_path / "cache" / "tokens").rglob("*.safetensors"))
    assert 1 <= len(after - before) <= 2
    assert {table: table.stat().st_mtime_ns for table in before} == stamps


def test_the_tables_of_several_processes_are_those_of_one(tmp_path: Path, small_blocks: None):
    path = write_data(tmp_path, list(range(400)))
    tables = []
    for processes in (1, 2):
        cache = tmp_path / f"cache{processes}"
        pool = Pool(Work("bytes", {}, cache), processes)
        known = fill_store(path, pool, lambda _: None)
        place = measurement(path, known, pool, View())
        pool.close()
        tables.append([p.read_bytes() for p in sorted((cache / "tokens").rglob("*.safetensors"))])
        tables[-1].append(place.read_bytes())
    assert tables[0] == tables[1]


def test_parts_make_together_what_one_machine_makes(tmp_path: Path, small_blocks: None):
    path = write_data(tmp_path, list(range(400)))
    work = Work("bytes", {}, tmp_path / "cache")
    for index in range(3):
        before = len(list((tmp_path / "cache").rglob("tokens/*/*")))
        known = fill_store(path, Pool(work, 1), lambda _: None, Part(index, 3))
        assert len(list((tmp_path / "cache").rglob("tokens/*/*"))) > before
    pool = Pool(work, 1)
    assert all(pool.tools.has(block.sha256) for block in known.blocks)
    assert Table(measurement(path, known, pool, View()))["line"][399] == 400


@pytest.mark.parametrize("supervise", ["assistant", "last", "all"])
def test_a_view_counts_what_it_shows(supervise: str, tmp_path: Path):
    write_data(tmp_path, list(range(40)))
    for limit in (None, 60):
        write_index(tmp_path, supervise=supervise, limit=limit)
        overlong = "drop" if limit is None else "truncate"
        config = DataConfig(".", "bytes", supervise, limit or 4096, overlong)
        index = SampleIndex(tmp_path / "data_index.json", config, tmp_path)
        source = tokens_of(index)
        for sample in range(len(index)):
            tokens = source.tokens(sample)
            assert len(tokens.ids) == index.lengths[sample]
            assert (tokens.labels >= 0).sum() == index.supervised[sample]
            if supervise == "all":
                assert list(tokens.labels[:-1]) == list(tokens.ids[1:])


def damage_ids(table: Path) -> None:
    content = bytearray(table.read_bytes())
    content[-2000] ^= 1
    table.write_bytes(content)


def tear(table: Path) -> None:
    table.write_bytes(table.read_bytes()[:-100])


def empty(table: Path) -> None:
    table.write_bytes(b"")


@pytest.mark.parametrize("harm", [damage_ids, tear, empty, Path.unlink])
def test_a_harmed_table_is_made_again(harm, run: SampleIndex):
    before = {table: table.read_bytes() for table in made_tables(run.root)}
    for table in before:
        harm(table)
    assert_right(run)
    assert {table: table.read_bytes() for table in before} == before


def test_data_that_was_edited_is_never_trained(run: SampleIndex):
    path = run.root / "data.jsonl"
    text = path.read_text()
    path.write_text(text.replace("answer 7", "anSWer 7"))
    assert_right(run)  # the store still has what was compiled
    for table in made_tables(run.root):
        table.unlink()
    with pytest.raises(UserError, match=r"data\.jsonl: has changed since the run was compiled"):
        StoreFilling(run, run.root).fill()
    with pytest.raises(UserError, match="has changed since the run was compiled"):
        tokens_of(run).tokens(0)


def test_another_engine_is_refused(run: SampleIndex, monkeypatch: pytest.MonkeyPatch):
    for table in made_tables(run.root):
        table.unlink()
    monkeypatch.setattr("skrull_runtime.data.tokenised.store.ENGINE_VERSION", 99)
    with pytest.raises(UserError, match="makes other tokens than the run was compiled with"):
        StoreFilling(run, run.root).fill()


def test_ranks_share_what_is_missing(run: SampleIndex):
    tables = made_tables(run.root)
    for table in tables:
        table.unlink()
    filling = StoreFilling(run, run.root)
    missing = filling._missing()
    for member in range(2):
        filling._make(filling._work.tools(), 0, set(missing[member::2]))
        assert len(made_tables(run.root)) == len(missing[member::2]) + member * len(missing[0::2])
    assert made_tables(run.root) == tables


def test_a_full_disk_is_told(run: SampleIndex, monkeypatch: pytest.MonkeyPatch):
    for table in made_tables(run.root):
        table.unlink()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UserError, match=r"tokens cannot be written \(the disk is full"):
        StoreFilling(run, run.root).fill()
    assert not list((run.root / "token_store").rglob("*.tmp"))


def test_a_table_is_what_was_written(tmp_path: Path):
    columns = {"a": array("I", [1, 2, 3]), "b": array("Q", [2**60]), "c": array("B", [7])}
    write_table(tmp_path / "t", columns, {"name": "ü"})
    table = Table(tmp_path / "t")
    assert {name: list(table[name]) for name in columns} == {
        name: list(column) for name, column in columns.items()
    }
    assert table.description == {"name": "ü"}


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64, (8).to_bytes(8, "little") * 4])
def test_what_is_no_table_is_told(content: bytes, tmp_path: Path):
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(DamagedTable):
        Table(tmp_path / "t")


def test_many_samples_are_mapped_from_a_table_beside_the_index(run: SampleIndex):
    document = json.loads(run.file.read_text())
    columns = {name: array("I", values) for name, values in document.pop("samples").items()}
    write_table(run.root / "data_index.safetensors", columns, {})
    digest = hashlib.sha256((run.root / "data_index.safetensors").read_bytes()).hexdigest()
    document["table"] = {
        "file": "data_index.safetensors",
        "count": len(columns["length"]),
        "sha256": digest,
    }
    run.file.write_text(json.dumps(document))
    mapped = SampleIndex(run.file, DATA, run.root)
    assert isinstance(mapped.lengths, memoryview)
    assert_right(mapped)
    document["table"]["count"] += 1
    run.file.write_text(json.dumps(document))
    with pytest.raises(UserError, match=r"data_index\.safetensors: is not of 301 samples"):
        SampleIndex(run.file, DATA, run.root)


def test_many_tables_are_not_all_open_at_once(run: SampleIndex, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("skrull_runtime.data.tokens.MOST_OPEN", 2)
    source = tokens_of(run)
    for sample in random.Random(3).sample(range(len(run)), len(run)):
        assert list(source.tokens(sample).ids) == chatml(messages_of(sample)).ids
        assert len(source._tables) <= 2


def test_an_index_is_handed_to_another_process(run: SampleIndex):
    document = json.loads(run.file.read_text())
    columns = {name: array("I", values) for name, values in document.pop("samples").items()}
    table = run.root / "data_index.safetensors"
    write_table(table, columns, {})
    digest = hashlib.sha256(table.read_bytes()).hexdigest()
    entry = {"file": table.name, "count": len(columns["length"]), "sha256": digest}
    run.file.write_text(json.dumps({**document, "table": entry}))
    mapped = SampleIndex(run.file, DATA, run.root)
    other = pickle.loads(pickle.dumps(mapped))
    assert list(other.lengths) == list(mapped.lengths)
    table.write_bytes(table.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match="is not the one that was compiled"):
        SampleIndex(run.file, DATA, run.root)


@pytest.mark.parametrize("harm", [tear, empty, Path.unlink])
def test_what_was_harmed_is_measured_anew(harm, tmp_path: Path, small_blocks: None):
    path = write_data(tmp_path, list(range(200)))
    request = {
        "cache": str(tmp_path / "cache"),
        "tokenizer": "bytes",
        "rendering": {},
        "view": {"supervise": "assistant", "limit": None},
        "processes": 1,
        "files": [str(path)],
    }

    def measured() -> bytes:
        answer = operations.measure(request, lambda _: None)
        return Path(answer["measurements"][0]).read_bytes()

    before = measured()
    for kind in ("tokens", "measurements"):
        for table in (tmp_path / "cache" / kind).rglob("*.safetensors"):
            harm(table)
        assert measured() == before


def test_a_rank_makes_what_another_does_not(run: SampleIndex, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("skrull_runtime.data.filling.PATIENCE", 0.3)
    tables = made_tables(run.root)
    for table in tables:
        table.unlink()
    StoreFilling(run, run.root).fill(0, 2)
    assert made_tables(run.root) == tables


def test_lines_are_those_of_the_file_wherever_a_block_is(tmp_path: Path, small_blocks: None):
    lines = [json.dumps({"messages": messages_of(number)}) for number in range(400)]
    lines[300] = json.dumps({"messages": messages_of(300), "mood": "glad"})
    work = Work("bytes", {}, tmp_path / "cache")
    path = tmp_path / "data.jsonl"
    for start in (0, 150):
        path.write_text("".join(f"{line}\n" for line in lines[start:]))
        pool = Pool(work, 1)
        table = Table(measurement(path, fill_store(path, pool, lambda _: None), pool, View()))
        (finding,) = table.description["ledger"]
        assert (finding["name"], finding["first"]) == ("mood", 301 - start)


def test_ranks_that_start_one_after_another_leave_nothing_out(
    run: SampleIndex, monkeypatch: pytest.MonkeyPatch
):
    """Nor does one wait for the other's patience."""
    tables = made_tables(run.root)
    for table in tables:
        table.unlink()
    monkeypatch.setattr(StoreFilling, "_awaited", lambda *_: set())
    for member in range(3):
        StoreFilling(run, run.root).fill(member, 3)
    assert made_tables(run.root) == tables
