"""A declared template written in Jinja, for the folder of an exported model; it renders every conversation alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .declared import (
    ASSISTANT,
    HEAD,
    TAIL,
    WHITE_SPACE,
    DeclaredRole,
    Part,
    asked_by,
    filled,
    named,
)

ROLE = "{role}"


def jinja_of(declared: Mapping[str, Any], end: str | None = None) -> str:
    """The template in Jinja. ``end``: the text of the tokenizer's end token, where the template leaves it open."""
    template = filled(declared, end)
    roles = template["roles"]
    named_roles = {name: own for name, own in roles.items() if name != "*"}
    lines = [_text("".join(template["begin"])), "{%- set ns = namespace(waiting='') -%}"]
    lines += ["{%- for message in messages -%}"]
    word = "if"
    for name, own in named_roles.items():
        lines += [f"{{%- {word} message['role'] == {_literal(name)} -%}}", *_message(own, name)]
        word = "elif"
    lines += _others(roles.get("*"), word)
    lines += ["{%- endfor -%}", *_request(roles)]
    return "\n".join(line for line in lines if line) + "\n"


def _others(own: DeclaredRole | None, word: str) -> list[str]:
    """The branch for roles that the template does not name."""
    if own is None:
        refusal = "{{- raise_exception('the template has no role ' ~ message['role']) -}}"
        return ["{%- else -%}", refusal, "{%- endif -%}"]
    body = _message(own, None)
    return body if word == "if" else ["{%- else -%}", *body, "{%- endif -%}"]


def _message(own: DeclaredRole, role: str | None) -> list[str]:
    """``role``: None where it is known only when the template runs."""
    content = "message['content']"
    if own["into"] is not None:
        more = f"{{%- set ns.waiting = ns.waiting ~ {content} ~ {_literal(own['separator'])} -%}}"
        return [more]
    if own["trim"]:
        content += f".strip({_literal(WHITE_SPACE)})"
    return [
        _named(own, HEAD, role),
        f"{{{{- ns.waiting ~ {content} -}}}}",
        _named(own, TAIL, role),
        "{%- set ns.waiting = '' -%}",
    ]


def _request(roles: Mapping[str, DeclaredRole]) -> list[str]:
    """What comes before an answer's content."""
    own = roles.get(ASSISTANT, roles.get("*"))
    if own is None or own["into"] is not None:
        return []
    head = "".join(named(own, name, ASSISTANT) for name in HEAD)
    text = _text(asked_by(head))
    return ["{%- if add_generation_prompt -%}", text, "{%- endif -%}"] if text else []


def _named(own: DeclaredRole, names: tuple[Part, ...], role: str | None) -> str:
    if role is not None:
        return _text("".join(named(own, name, role) for name in names))
    whole = "".join(named(own, name, ROLE) for name in names)
    parts = [_literal(part) for part in whole.split(ROLE)]
    joined = " ~ message['role'] ~ ".join(parts)
    return f"{{{{- {joined} -}}}}" if whole else ""


def _text(text: str) -> str:
    return f"{{{{- {_literal(text)} -}}}}" if text else ""


def _literal(text: str) -> str:
    """A Jinja string; its escapes are Python's."""
    escaped = text.encode("unicode_escape").decode("ascii").replace("'", "\\'")
    return f"'{escaped}'"
