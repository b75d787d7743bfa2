"""Chat templates of strangers: each ends in a clear error, in bounded time and memory."""

from __future__ import annotations

import resource
import threading
from dataclasses import replace

import pytest

from skrull_runtime.data.jinja import guard
from skrull_runtime.data.samples.sample import RowProblem, Sample
from skrull_runtime.data.templating import Renderer, load_tokenizer
from skrull_runtime.errors import UserError

SAMPLE = Sample(
    "conversation",
    [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
    [None, None],
)
GROWING = "{% set n = namespace(x='xxxxxxxx') %}{% for i in range(60) %}{% set n.x = STEP %}{% endfor %}{{ n.x|length }}"


def run(template: str):
    return Renderer(
        load_tokenizer("bytes"), {"template": {"type": "jinja", "text": template}}
    ).encode([SAMPLE])[0]


def refusal(template: str) -> str:
    with pytest.raises(UserError) as raised:
        run(template)
    return str(raised.value)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "SECONDS", 0.3)


LOOPS = "{% for a in range(99999) %}" * 3 + "{% endfor %}" * 3


@pytest.mark.usefixtures("impatient")
def test_a_template_that_loops_is_stopped():
    assert "does it loop for ever?" in refusal(LOOPS)


@pytest.mark.usefixtures("impatient")
def test_a_template_that_loops_is_stopped_in_another_thread_too():
    told: list[str] = []
    thread = threading.Thread(target=lambda: told.append(refusal(LOOPS)))
    thread.start()
    thread.join()
    assert "does it loop for ever?" in told[0]


def test_a_template_whose_text_has_no_end_is_stopped():
    endless = "{% for a in range(99999) %}{% for b in range(999) %}xxxxxxxxxxxxxxxx{% endfor %}{% endfor %}"
    assert "characters of one conversation and was stopped" in refusal(endless)


@pytest.mark.parametrize(
    "template",
    [
        GROWING.replace("STEP", "n.x + n.x"),
        GROWING.replace("STEP", "n.x ~ n.x"),
        GROWING.replace("STEP", "n.x.replace('x', n.x)"),
        "{{ '%10000000000d' % 1 }}",
        "{{ 'a'|center(100000000000) }}",
        "{{ messages|tojson(indent=100000000000) }}",
    ],
)
def test_a_template_that_takes_all_memory_is_stopped(template: str):
    before = resource.getrlimit(resource.RLIMIT_AS)
    assert "takes more memory" in refusal(template)
    assert resource.getrlimit(resource.RLIMIT_AS) == before


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ ''.__class__ }}", "'__class__' of a str is out of bounds"),
        ("{{ ''|attr('__class__') }}", "'__class__' of a str is out of bounds"),
        ("{{ cycler.__init__.__globals__.os }}", "'__init__' of a type is out of bounds"),
        ("{{ strftime_now.__self__ }}", "is out of bounds"),
        ("{{ messages.append(1) }}", "'append' of a list is out of bounds"),
        ("{% set n = namespace() %}{% set n.__class__ = 1 %}", "'__class__'"),
        ("{{ 'a' * 10000000000 }}", "a repeat of too many elements"),
        ("{{ 99999 ** 99999999 }}", "a power of too many digits"),
    ],
)
def test_what_no_template_may_do(template: str, reason: str):
    told = refusal(template)
    assert told.startswith("the chat template does what no template may: ")
    assert reason in told


@pytest.mark.parametrize(
    "template",
    [
        "{% include '/etc/passwd' %}",
        "{% extends 'x' %}",
        "{% import 'x' as y %}",
        "{% from 'x' import y %}",
    ],
)
def test_there_are_no_other_files(template: str):
    assert refusal(f"a\n{template}") == "chat template, line 2: reaches for another file"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (
            "a\n{% if %}",
            "chat template, line 2: Expected an expression, got 'end of statement block'",
        ),
        ("{{ 1|nosuch }}", "chat template, line 1: No filter named 'nosuch'."),
        ("{% generation %}", "chat template, line 1: Unexpected end of template"),
        *[
            (deep, "chat template: is nested too deep")
            for deep in (
                "{% if true %}" * 10_000 + "{% endif %}" * 10_000,
                "{% for a in [1] %}" * 10_000 + "{% endfor %}" * 10_000,
                "{% if true %}" * 150 + "{% endif %}" * 150,
                "{{ " + "(" * 10_000 + "1" + ")" * 10_000 + " }}",
                "{{ " + "not " * 10_000 + "1 }}",
                "{{ messages" + ".a" * 10_000 + " }}",
            )
        ],
    ],
)
def test_what_cannot_be_compiled_is_told_with_its_line(template: str, reason: str):
    assert refusal(template).startswith(reason)


@pytest.mark.parametrize(
    "template",
    [
        "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}",
        "{% for m in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    ],
)
def test_endless_recursion_ends(template: str):
    result = run(template)
    assert isinstance(result, RowProblem)
    assert "nested too deep" in str(result)


def test_what_a_template_refuses_is_the_rows_problem_in_its_own_words():
    result = run("{{ raise_exception('Roles must\n alternate') }}")
    assert str(result) == "is refused by the chat template: Roles must alternate"


@pytest.mark.parametrize("declared", [True, False])
def test_rows_of_no_characters_or_without_bottom_are_problems_of_their_own(declared: bool):
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    template = "{{ messages }}<|im_start|>" if not declared else None
    rendering = {} if declared else {"template": {"type": "jinja", "text": template}}
    half = replace(SAMPLE, messages=[{"role": "user", "content": "\ud800"}], trained=[None])
    nested = replace(SAMPLE, messages=[{"role": "user", "content": "<|im_end|>", "x": deep}])
    text = Sample("text", completion="a\udfff")
    results = Renderer(load_tokenizer("bytes"), rendering).encode([half, nested, text, SAMPLE])
    problems = [str(result) for result in results[:3] if isinstance(result, RowProblem)]
    assert "half of a character" in problems[-1]
    assert "nested too deep" in problems[1 if declared else 0]
