"""Names of columns, keys and speakers: what a rendering says, else what the usual tools write
(``contract/data-names.json``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ...contract import document
from ...errors import UserError

CALL = "call"  # the role, in the contract, of a turn that is a tool call written by the model


def contract() -> dict[str, Any]:
    """The names that both programs know."""
    return document("data-names.json")


@dataclass(frozen=True)
class Layout:
    """How rows are laid out: which names to look for, in this order."""

    type: str
    names: Mapping[str, tuple[str, ...]]  # of the row's columns and the messages' keys
    roles: Mapping[str, str]  # of speakers; ``CALL`` for a turn that calls tools
    ignored: frozenset[str]
    named: frozenset[str]  # columns that the user has named
    known: frozenset[str]  # all columns that are looked for
    plain_roles: Mapping[str, str]  # roles of speakers of texts

    def role(self, speaker: str) -> str | None:
        """The role of a speaker, None where nobody knows it. Capitals do not matter."""
        return self.roles.get(speaker) or self.roles.get(speaker.lower())


def layout_of(rendering: Mapping[str, Any]) -> Layout:
    """The layout that a rendering asks for. Raises UserError where it is of a type that is not known."""
    given = dict(rendering.get("format") or {"type": "auto"})
    kind = given.pop("type", "auto")
    formats = contract()["formats"]
    if kind not in formats:
        raise UserError(f"format {kind!r} is not one of {', '.join(formats)}; compile again")
    chosen = {
        _concept(formats[kind], key): name for key, name in given.items() if name != key
    } | dict(rendering.get("columns") or {})
    names = {**_usual_names(kind), **{concept: (name,) for concept, name in chosen.items()}}
    roles = _roles(rendering.get("roles") or {})
    return Layout(
        type=kind,
        names=names,
        roles=roles,
        ignored=frozenset(rendering.get("ignore") or ()),
        named=frozenset(chosen.values()),
        known=frozenset(name for key in contract()["columns"] for name in names[key]),
        plain_roles={speaker: role for speaker, role in roles.items() if role != CALL},
    )


def _concept(columns: Mapping[str, Mapping[str, str]], key: str) -> str:
    """What a column of a format is about."""
    return columns[key]["concept"] if key in columns else key


@cache
def _usual_names(kind: str) -> dict[str, tuple[str, ...]]:
    """Names by what they mean. Those that the format has by itself come first."""
    known = contract()
    names = {**known["columns"], **known["message_keys"]}
    own = {column["concept"]: key for key, column in known["formats"][kind].items()}
    return {
        concept: tuple(dict.fromkeys([own[concept], *usual] if concept in own else usual))
        for concept, usual in names.items()
    }


def _roles(given: Mapping[str, str]) -> dict[str, str]:
    """The user's roles before the usual ones; a user's role may be one of the usual speakers itself."""
    usual = contract()["roles"]
    return {**usual, **{speaker: usual.get(role, role) for speaker, role in given.items()}}
