"""Tokens kept on disk are those that would be made again, whatever happens to the file."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from skrull_runtime.config import DataConfig
from skrull_runtime.data.index import SampleIndex
from skrull_runtime.feed import TokenSource
from skrull_runtime.token_cache import TokenCache, cache_file
from skrull_runtime.tokenization import IGNORED, Tokens, bytes_encoder, tokenize

DATA = DataConfig(".", "bytes", "assistant", 10_000, "drop")
COUNT = 40


@pytest.fixture
def index(tmp_path: Path) -> SampleIndex:
    """Conversations of various lengths."""
    source = random.Random(3)
    samples: dict[str, list[int]] = {
        name: [] for name in ("file", "offset", "line", "length", "supervised")
    }
    content = b""
    for number in range(COUNT):
        answer = "".join(source.choice("añ b") for _ in range(source.randrange(300)))
        messages = [{"role": role, "content": answer} for role in ("user", "assistant")]
        tokens = tokenize(messages, bytes_encoder())
        targets = sum(label != IGNORED for label in tokens.labels)
        row = (0, len(content), number + 1, len(tokens.ids), targets)
        for column, value in zip(samples.values(), row, strict=True):
            column.append(value)
        content += json.dumps({"messages": messages}).encode() + b"\n"
    (tmp_path / "d.jsonl").write_bytes(content)
    data = {"path": "d.jsonl", "sha256": "0" * 64, "bytes": len(content)}
    document = {"format_version": 1, "files": [data], "samples": samples}
    (tmp_path / "data_index.json").write_text(json.dumps(document))
    return SampleIndex(tmp_path / "data_index.json", DATA, tmp_path)


@pytest.fixture
def file(index: SampleIndex, tmp_path: Path) -> Path:
    """Where the index's tokens are kept."""
    found = cache_file(tmp_path, tmp_path / "data_index.json", DATA, "bytes")
    assert found is not None
    return found


def assert_right(index: SampleIndex, file: Path) -> None:
    """Every sample comes out as it is made without a cache, written by who asks first or read."""
    source = TokenSource(index, "bytes", file)
    for sample in range(COUNT):
        made, found = index.tokens(sample, bytes_encoder()), source.tokens(sample)
        assert (list(found.ids), list(found.labels)) == (made.ids, made.labels)


def kept(index: SampleIndex, file: Path) -> int:
    """Samples that the file has."""
    cache = TokenCache(file, index.lengths)
    return sum(cache.get(sample) is not None for sample in range(COUNT))


def test_a_sample_is_tokenised_once(index: SampleIndex, file: Path, tmp_path: Path):
    assert_right(index, file)
    assert kept(index, file) == COUNT
    (tmp_path / "d.jsonl").unlink()  # nothing could be made any more
    source = TokenSource(index, "bytes", file)
    assert [len(source.tokens(sample).ids) for sample in range(COUNT)] == index.lengths
    assert source.seconds == 0


def test_what_is_torn_or_damaged_is_made_again(index: SampleIndex, file: Path):
    assert_right(index, file)
    whole = file.read_bytes()
    torn = whole[: len(whole) // 2] + bytes(len(whole) // 4)
    for damaged in (
        torn,
        whole[:100] + bytes([whole[100] ^ 1]) + whole[101:],
        b"",
        bytes(len(whole)),
    ):
        file.write_bytes(damaged)
        assert kept(index, file) < COUNT
        assert_right(index, file)
        assert file.read_bytes() == whole


def test_ranks_may_write_at_once(index: SampleIndex, file: Path):
    # Not forks of this process, which may have threads by now.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    ranks = [context.Process(target=assert_right, args=(index, file)) for _ in range(4)]
    for rank in ranks:
        rank.start()
    for rank in ranks:
        rank.join(300)
    assert [rank.exitcode for rank in ranks] == [0, 0, 0, 0]
    assert kept(index, file) == COUNT


@pytest.mark.parametrize("written", [0, 5000], ids=["at once", "in the middle"])
def test_a_full_disk_gets_its_room_back(
    written: int, index: SampleIndex, file: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    write = os.pwrite

    def full(handle: int, content: bytes, at: int) -> int:
        if at < written:
            return write(handle, content[: len(content) // 2], at)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    assert_right(index, file)
    assert file.stat().st_size == 0
    assert capsys.readouterr().out.count("tokens are not kept on disk") == 1


def test_a_place_that_cannot_be_written_does_not_matter(index: SampleIndex, tmp_path: Path):
    (tmp_path / "taken").write_text("")
    assert_right(index, tmp_path / "taken" / "data_index-1.tokens")


def test_it_takes_a_part_of_the_disk_only(
    index: SampleIndex, file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("skrull_runtime.token_cache.MOST_BYTES", 2000)
    assert_right(index, file)
    assert 0 < file.stat().st_size <= 2000


def test_other_settings_have_another_file_and_leave_one(
    index: SampleIndex, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def name_of(data: DataConfig = DATA, tokenizer: str = "bytes") -> Path | None:
        return cache_file(tmp_path, tmp_path / "data_index.json", data, tokenizer)

    assert name_of() == file
    tokenizer = tmp_path / "tokenizer.json"
    tokenizer.write_text("{}")
    names = {file, name_of(replace(DATA, supervise="all")), name_of(tokenizer=str(tokenizer))}
    tokenizer.write_text("{ }")
    names.add(name_of(tokenizer=str(tokenizer)))
    (tmp_path / "data_index.json").write_text("{}")
    names.add(name_of())
    assert len(names) == 5
    for name in names:
        TokenCache(name, index.lengths)
    assert len(list(file.parent.iterdir())) == 1
    monkeypatch.setenv("SKRULL_TOKEN_CACHE", "off")
    assert name_of() is None
    monkeypatch.setenv("SKRULL_TOKEN_CACHE", str(tmp_path / "elsewhere"))
    assert name_of().parents[1] == tmp_path / "elsewhere"
    other = cache_file(tmp_path / "other", tmp_path / "data_index.json", DATA, "bytes")
    assert other.parent != name_of().parent


@pytest.mark.parametrize(
    "tokens",
    [
        Tokens([1, 2], [7, IGNORED]),
        Tokens([1, 2], [2, 2]),
        Tokens([1, -2], [IGNORED, IGNORED]),
        Tokens([1], [IGNORED]),
    ],
)
def test_what_its_form_cannot_hold_is_not_kept(tokens: Tokens, tmp_path: Path):
    cache = TokenCache(tmp_path / "x-1.tokens", [2])
    cache.put(0, tokens)
    assert cache.get(0) is None
