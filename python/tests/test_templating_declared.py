"""Declared templates: what the run rendered so far, and the same in Jinja."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conversations import KINDS, sample
from pieces import render_conversation

from skrull_runtime.data.samples.sample import Encoded, RowProblem
from skrull_runtime.data.templating import Renderer, jinja_of, load_tokenizer
from skrull_runtime.errors import UserError

yaml = pytest.importorskip("yaml")
CATALOGUE = Path(__file__).parents[2] / "catalogue/templates"
NAMES = [file.stem for file in sorted(CATALOGUE.glob("*.yaml"))]
ODD: dict[str, Any] = {
    "begin": ["<b>'\\n"],
    "roles": {
        "user": {"before": ["{role}: "], "after": ["\n'{role}'\\"]},
        "assistant": {"header": "\u00e9\U0001f642 {{ x }} ", "trim": True, "end": ["{end}"]},
    },
}
PLAIN = [
    kind
    for kind, (messages, tools, _) in KINDS.items()
    if tools is None
    and kind != "parts"
    and all(set(message) <= {"role", "content", "name", "id"} for message in messages)
]


@cache
def declared(name: str) -> dict[str, Any]:
    return ODD if name == "odd" else yaml.safe_load((CATALOGUE / f"{name}.yaml").read_text())


def made(template: dict[str, Any], kind: str, newline: bool = False) -> Encoded | RowProblem:
    tokenizer = load_tokenizer("bytes")
    tokenizer.end = "<eos>"
    rendering = {"template": template, "markers": "tokens", "train_newline": newline}
    result = Renderer(tokenizer, rendering).encode([sample(kind)], keep_text=True)[0]
    return result if isinstance(result, RowProblem) else result[0]


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("name", [*NAMES, "odd"])
def test_a_declared_template_is_the_same_in_jinja(name: str, kind: str):
    template = declared(name)
    own = made({"type": "declared", **template}, kind)
    jinja = made({"type": "jinja", "text": jinja_of(template, "<eos>")}, kind)
    if isinstance(own, RowProblem):
        assert isinstance(jinja, RowProblem)
        return
    assert isinstance(jinja, Encoded)
    assert (jinja.text, jinja.ids, jinja.spans) == (own.text, own.ids, own.spans)


@pytest.mark.parametrize("kind", [kind for kind in PLAIN if kind != "another role"])
@pytest.mark.parametrize("name", ["chatml", "llama3", "mistral"])
def test_a_declared_template_makes_the_text_that_it_made(name: str, kind: str):
    template = declared(name)
    whole = {
        role: {"before": [], "header": "", "trim": False, "end": [], "after": [], **own}
        if "into" not in own
        else own
        for role, own in template["roles"].items()
    }
    own = {"begin": template.get("begin", []), "roles": whole}
    pieces = render_conversation(sample(kind).messages, own)
    encoded = made({"type": "declared", **template}, kind)
    assert isinstance(encoded, Encoded)
    assert encoded.text == "".join(piece.text for piece in pieces)
    trained = "".join(
        piece.text[len(piece.header.rstrip(" ")) :] for piece in pieces if piece.trained
    )
    spans = [
        (encoded.offsets[span.start][0], encoded.offsets[span.end - 1][1]) for span in encoded.spans
    ]
    assert "".join(encoded.text[start:end] for start, end in spans) == trained


def test_a_role_that_a_template_has_not_is_the_rows_problem():
    problem = made({"type": "declared", **declared("alpaca")}, "another role")
    assert str(problem) == "message 1 has role 'narrator', which the template has not"


def test_a_template_of_another_type_is_refused():
    with pytest.raises(UserError, match="none of auto, jinja, declared"):
        Renderer(load_tokenizer("bytes"), {"template": {"type": "go"}})


def test_the_facts_of_a_declared_template_have_its_end():
    made = Renderer(
        load_tokenizer("bytes"), {"template": {"type": "declared", **declared("llama3")}}
    )
    assert made.facts()["ends"] == ["<|eot_id|>"]
    assert made.facts()["template"] == "declared"
