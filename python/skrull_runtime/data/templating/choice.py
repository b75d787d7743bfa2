"""Which template a rendering asks for: the tokenizer's own, another one in Jinja, or a declared one."""

from __future__ import annotations

from typing import get_args

from ...contract.records import Rendering
from ...contract.vocabularies import Rewritten
from ...errors import UserError
from ..masking.masks import MaskedTemplate
from ..tokenizers.tokenizer import LoadedTokenizer
from .declared import CHATML, DeclaredTemplate, filled

DATE = "2024-07-26"  # fixed, so that equal inputs give equal bytes on any day
Template = DeclaredTemplate | MaskedTemplate


def chosen(tokenizer: LoadedTokenizer, rendering: Rendering) -> Template:
    """The template, compiled. Raises UserError where there is none, or it cannot be compiled.

    ``auto`` is ChatML where the tokenizer has no template, as with ``bytes`` or a base model's.
    """
    template = rendering.get("template") or {"type": "auto"}
    kind = template.get("type")
    if kind == "jinja":
        return _jinja("jinja", template["text"], template["text"], tokenizer, rendering)
    if kind == "auto" and (tokenizer.chat_template or tokenizer.tool_template):
        if tokenizer.chat_template is None:
            raise UserError(
                f"{tokenizer.path}: has several chat templates and none of them is named 'default'"
            )
        plain, for_tools = tokenizer.chat_template, tokenizer.tool_template
        return _jinja("own", plain, plain if for_tools is None else for_tools, tokenizer, rendering)
    if kind not in ("auto", "declared"):
        raise UserError(f"template of type {kind!r} is none of auto, jinja, declared")
    declared = template if kind == "declared" else CHATML
    return DeclaredTemplate(filled(declared, tokenizer.end))


def _jinja(
    kind: str, text: str, tool_text: str, tokenizer: LoadedTokenizer, rendering: Rendering
) -> MaskedTemplate:
    rewritten = rendering.get("rewritten") or "split"
    if rewritten not in get_args(Rewritten):
        raise UserError(f"rewritten {rewritten!r} is none of {', '.join(get_args(Rewritten))}")
    return MaskedTemplate(
        kind,
        (text, tool_text),
        rendering.get("date") or DATE,
        tokenizer.special,
        rendering.get("arguments") or {},
        split=rewritten == "split",
        ends=list({*tokenizer.added, *tokenizer.special.values(), tokenizer.end or ""}),
    )
