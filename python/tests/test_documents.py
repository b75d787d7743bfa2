"""Files of a run are believed or refused with a reason, whatever lies in them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from document_fuzz import DEEPSPEED, KINDS, MAX_LENGTH, fuzz, index_document
from parity_worker import ds_config

from skrull_runtime import contract
from skrull_runtime.contract import document
from skrull_runtime.data.index import read_index
from skrull_runtime.documents import parsed, read_document
from skrull_runtime.errors import UserError
from skrull_runtime.schema import ANNOTATIONS, CHECKS
from skrull_runtime.training.start import DEEPSPEED_SCHEMA

SCHEMAS = sorted(
    path.name
    for path in Path(contract.__file__).parent.glob("*.schema.json")
    if path.name != DEEPSPEED_SCHEMA
)
COUNTS = {
    "data_index.json": 400,
    "schedules.bin": 400,
    "metrics.jsonl": 200,
    "ds_config.json": 400,
    "checkpoint": 150,
}


@pytest.mark.filterwarnings("ignore")  # torch's, of pickles of other protocols
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_but_belief_or_a_reason(kind: str, tmp_path: Path):
    figures = fuzz(kind, COUNTS[kind], 7, tmp_path)
    assert figures["believed"] > 0
    assert figures["refused"] > 0 or kind == "metrics.jsonl"  # whose lines are left out one by one


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"length": [0] * 11}, "/samples/length/0 is 0, not at least 1"),
        ({"length": [True] * 11}, "/samples/length/0 is true, not of type integer"),
        ({"length": [2000] * 11}, f"has 2000 tokens, max_length is {MAX_LENGTH}"),
        ({"line": [1]}, "/samples/line has 1 rows, /samples/length 11"),
        ({"supervised": [500] * 11}, "more targets than the sample has tokens"),
        ({"block": [3] * 11}, "names block 3 of 3"),
        ({"row": [-1] * 11}, "/samples/row/0 is -1, not at least 0"),
        ({"check": [2**32] * 11}, "/samples/check/0 is 4294967296, not at most 4294967295"),
        ({"weight": [1] * 11}, 'has a key that is not known: "weight"'),
        ({"length": []}, "/samples/length has 0, not at least 1"),
    ],
)
def test_an_index_that_makes_no_sense_is_refused_at_its_place(
    change: dict, reason: str, tmp_path: Path
):
    index = index_document()
    index["samples"] |= change
    (tmp_path / "data_index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match=f"data_index.json: .*{re.escape(reason)}; compile again"):
        read_index(tmp_path / "data_index.json", MAX_LENGTH)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"blocks": [{"key": "0" * 64, "file": 2}] * 3}, "names a file behind the last of 2"),
        ({"table": {"file": "data_index.safetensors", "count": 11, "sha256": "0" * 64}}, "or both"),
        (
            {"table": {"file": "../other.safetensors", "count": 11, "sha256": "0" * 64}},
            "/table/file",
        ),
    ],
)
def test_blocks_and_tables_of_an_index_make_sense(change: dict, reason: str, tmp_path: Path):
    (tmp_path / "data_index.json").write_text(json.dumps(index_document() | change))
    with pytest.raises(UserError, match=f"data_index.json: .*{re.escape(reason)}"):
        read_index(tmp_path / "data_index.json", MAX_LENGTH)


@pytest.mark.parametrize("path", ["/etc/passwd", "../other/x.jsonl", "a\0b", ""])
def test_an_index_names_files_inside_of_the_data_root(path: str, tmp_path: Path):
    index = index_document()
    index["files"][0]["path"] = path
    (tmp_path / "data_index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match="compile again"):
        read_index(tmp_path / "data_index.json", MAX_LENGTH)


@pytest.mark.parametrize(
    "content", ["", "{", "[" * 10**6, "NaN", "1" * 10**5, '{"a": 1e999}', "\0"]
)
def test_what_is_no_json_is_refused_in_a_line(content: str):
    found, problem = parsed(content, "data-index.schema.json")
    assert found is None and problem is not None and len(problem) < 300 and "\n" not in problem


def test_configurations_of_deepspeed_are_checked(tmp_path: Path):
    file = tmp_path / "ds_config.json"
    for stage in range(4):
        file.write_text(json.dumps(ds_config(stage, "all" if stage == 3 else "none", 1.0)))
        assert read_document(file, DEEPSPEED_SCHEMA)["zero_optimization"]["stage"] == stage
    file.write_text(json.dumps(DEEPSPEED))
    # DeepSpeed takes a number written so for a float, and its bucket for nothing.
    assert (
        read_document(file, DEEPSPEED_SCHEMA)["zero_optimization"]["reduce_bucket_size"]
        == 5 * 10**8
    )
    file.write_text(json.dumps(DEEPSPEED | {"zero_optimisation": {"stage": 2}}))
    with pytest.raises(UserError, match='a key that is not known: "zero_optimisation"'):
        read_document(file, DEEPSPEED_SCHEMA)


@pytest.mark.parametrize("name", [*SCHEMAS, DEEPSPEED_SCHEMA])
def test_a_schema_of_the_contract_uses_what_the_runtime_checks(name: str):
    def keywords(schema: object) -> set[str]:
        if not isinstance(schema, dict):
            return set()
        found = set(schema)
        for key in ("properties", "definitions", "$defs"):
            found |= {word for own in schema.get(key, {}).values() for word in keywords(own)}
        for key in ("items", "additionalProperties"):
            found |= keywords(schema.get(key))
        return found | {word for own in schema.get("anyOf", []) for word in keywords(own)}

    assert keywords(document(name)) <= set(CHECKS) | ANNOTATIONS
