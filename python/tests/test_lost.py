"""What a row says is trained, or told to be lost; never the one in the other's place."""

from __future__ import annotations

from typing import Any

import pytest

from skrull_runtime.data.layouts import Ledger, layout_of, read_sample
from skrull_runtime.data.samples.sample import Encoded, RowProblem, Sample
from skrull_runtime.data.templating import Renderer, load_tokenizer

ASK = {"role": "user", "content": "ask"}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {}}}
PLAIN = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
WITH_ALL = (
    "{% if tools %}{{ tools | tojson }}\n{% endif %}{% for m in messages %}{{ m.role }}: "
    "{% if m.reasoning_content %}({{ m.reasoning_content }}) {% endif %}{{ m.content }}\n{% endfor %}"
)
TAGGED = (
    "{% for m in messages %}{% if m.role == 'assistant' %}"
    "{% if m.thought %}{% generation %}<{{ m.thought }}>{% endgeneration %}{% endif %}"
    "{% if m.content %}{% generation %}{{ m.content }}!{% endgeneration %}{% else %}call{% endif %}"
    "{% else %}{{ m.content }}?{% endif %}{% endfor %}"
)


def encoded(sample: Sample, template: str | None = None) -> Encoded:
    rendering = {} if template is None else {"template": {"type": "jinja", "text": template}}
    (parts,) = Renderer(load_tokenizer("bytes"), rendering).encode([sample], keep_text=True)
    if isinstance(parts, RowProblem):
        raise parts
    return parts[0]


def talk(answer: dict[str, Any], **more: Any) -> Sample:
    messages = [ASK, {"role": "assistant", "content": "answer", **answer}]
    return Sample("conversation", messages, [None, None], **more)


@pytest.mark.parametrize(
    ("sample", "lost"),
    [
        (talk({"reasoning_content": "because"}), ("reasoning_content",)),
        (talk({}, tools=[TOOL]), ("tools",)),
        (talk({"reasoning_content": "because"}, tools=[TOOL]), ("reasoning_content", "tools")),
        (talk({}), ()),
    ],
)
def test_what_a_template_does_not_write_is_told(sample: Sample, lost: tuple[str, ...]):
    assert encoded(sample, PLAIN).lost == lost
    assert encoded(sample, WITH_ALL).lost == ()


def test_arguments_of_a_declared_template_are_lost():
    assert encoded(talk({}, arguments={"enable_thinking": False})).lost == ("chat_template_kwargs",)


def test_a_tag_belongs_to_the_turn_that_it_stands_in():
    """Two tags and two answers: both are of the second."""
    messages = [
        ASK,
        {"role": "assistant", "content": ""},
        ASK,
        {"role": "assistant", "content": "answer", "thought": "why"},
    ]
    made = encoded(Sample("conversation", messages, [None, False, None, None]), TAGGED)
    texts = [
        (made.text[made.offsets[s.start][0] : made.offsets[s.end - 1][1]], s.turn, s.trained)
        for s in made.spans
    ]
    assert texts == [("<why>", 3, True), ("answer!", 3, True)]


def test_tokens_that_the_tokenizer_has_not_are_refused():
    with pytest.raises(RowProblem, match="has the token 258, and the tokenizer only 258"):
        encoded(Sample("tokens", ids=[1, 258], counted=[False, True]))


def test_training_of_a_question_is_told():
    ledger = Ledger()
    row = b'{"messages": [{"role": "user", "content": "a", "train": true}, {"role": "assistant", "content": "b"}]}'
    read_sample(row, layout_of({}), ledger, 1)
    assert [finding.name for finding in ledger.findings()] == [
        "training of a turn that is no answer"
    ]
