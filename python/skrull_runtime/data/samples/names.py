"""Names of columns, keys and speakers: those that a rendering states, otherwise those that the usual tools write
(``contract/data-names.json``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypedDict

from ...contract import document
from ...contract.records import RENDERING_DEFAULTS, Rendering
from ...errors import UserError

CALL = "call"  # the role, in the contract, of a turn that is a tool call written by the model


class RefusedRows(TypedDict, total=False):
    """Rows that are not trained on; all but ``needs`` are always there."""

    columns: list[str]
    needs: str  # "any" or "all" of the columns
    reason: str
    help: str


class Unread(TypedDict):
    """Names, by place, of what is not read but known."""

    meaning: dict[str, list[str]]
    harmless: dict[str, list[str]]


class DataNames(TypedDict):
    """``contract/data-names.json``, as far as rows are concerned."""

    # Of each format, its columns with their "concept".
    formats: dict[str, dict[str, dict[str, str]]]
    columns: dict[str, list[str]]  # names by concept
    message_keys: dict[str, list[str]]
    roles: dict[str, str]  # by speaker
    text_parts: list[str]
    refused: list[RefusedRows]
    judged: RefusedRows
    unread: Unread


def contract() -> DataNames:
    """The names that both programs know."""
    known: DataNames = document("data-names.json")
    return known


@dataclass(frozen=True)
class Layout:
    """How rows are laid out: which names to look for, and in which order."""

    type: str
    names: Mapping[str, tuple[str, ...]]  # of the row's columns and the messages' keys
    roles: Mapping[str, str]  # by speaker; ``CALL`` for a turn that calls tools
    ignored: frozenset[str]
    named: frozenset[str]  # columns that the user has named
    known: frozenset[str]  # all columns that are looked for
    plain_roles: Mapping[str, str]  # by speaker, without ``CALL``

    def role(self, speaker: str) -> str | None:
        """The role of a speaker; None where it is not known. Case does not matter."""
        return self.roles.get(speaker) or self.roles.get(speaker.lower())


def layout_of(rendering: Rendering) -> Layout:
    """The layout that a rendering asks for. Raises UserError where its type is not known."""
    rendering = {**RENDERING_DEFAULTS, **rendering}
    given = dict(rendering["format"])
    kind = given.pop("type")
    formats = contract()["formats"]
    if kind not in formats:
        raise UserError(f"format {kind!r} is not one of {', '.join(formats)}; compile again")
    own = {_concept(formats[kind], key): name for key, name in given.items() if name != key}
    chosen = {**own, **rendering["columns"]}
    names = {**_usual_names(kind), **{concept: (name,) for concept, name in chosen.items()}}
    roles = _roles(rendering["roles"])
    return Layout(
        type=kind,
        names=names,
        roles=roles,
        ignored=frozenset(rendering["ignore"]),
        named=frozenset(chosen.values()),
        known=frozenset(name for key in contract()["columns"] for name in names[key]),
        plain_roles={speaker: role for speaker, role in roles.items() if role != CALL},
    )


def _concept(columns: Mapping[str, Mapping[str, str]], key: str) -> str:
    """What a column of a format is about."""
    return columns[key]["concept"] if key in columns else key


@cache
def _usual_names(kind: str) -> dict[str, tuple[str, ...]]:
    """Names by concept. The format's own names come first."""
    known = contract()
    names = {**known["columns"], **known["message_keys"]}
    own = {column["concept"]: key for key, column in known["formats"][kind].items()}
    return {
        concept: tuple(dict.fromkeys([own[concept], *usual] if concept in own else usual))
        for concept, usual in names.items()
    }


def _roles(given: Mapping[str, str]) -> dict[str, str]:
    """The user's roles before the usual ones; a role that the user states may itself be one of the usual speakers."""
    usual = contract()["roles"]
    return {**usual, **{speaker: usual.get(role, role) for speaker, role in given.items()}}
