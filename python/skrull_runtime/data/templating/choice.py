"""Which template a rendering asks for: the tokenizer's own, another one in Jinja, or a declared one."""

from __future__ import annotations

from typing import get_args

from ...contract.records import Rendering
from ...contract.vocabularies import Rewritten
from ...errors import UserError
from ..masking.masks import MaskedTemplate
from ..tokenizers.tokenizer import LoadedTokenizer
from .declared import CHATML, DeclaredTemplate, filled

Template = DeclaredTemplate | MaskedTemplate


def chosen(tokenizer: LoadedTokenizer, rendering: Rendering) -> Template:
    """The template of a rendering that states everything, compiled. Raises UserError where there is none, or it cannot be
    compiled.

    ``auto`` is ChatML where the tokenizer has no template, as with ``bytes`` or a base model's.
    """
    template = rendering["template"]
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
    rewritten = rendering["rewritten"]
    if rewritten not in get_args(Rewritten):
        raise UserError(f"rewritten {rewritten!r} is none of {', '.join(get_args(Rewritten))}")
    return MaskedTemplate(
        kind,
        (text, tool_text),
        rendering["date"],
        tokenizer.special,
        rendering["arguments"],
        split=rewritten == "split",
        ends=list({*tokenizer.added, *tokenizer.special.values(), tokenizer.end or ""}),
    )
