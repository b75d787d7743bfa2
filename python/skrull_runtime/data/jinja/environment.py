"""The sandbox that chat templates run in; see :mod:`.template`."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

LARGEST_NUMBER = 4096  # bits
METHODS_OF_DICT = frozenset(dir(dict))
LONGEST_REPEAT = 10_000_000  # elements of a text or list times a number


class Generated(NamedTuple):
    """What a generation tag encloses, in characters; ``revindex`` where the tag says which message it is of."""

    start: int
    end: int
    revindex: int | None


@lru_cache(1)
def _classes():
    """Classes over jinja2's, which is imported where a template is met."""
    from jinja2 import nodes, pass_eval_context
    from jinja2.exceptions import SecurityError
    from jinja2.ext import Extension
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from jinja2.utils import Namespace

    class Sandbox(ImmutableSandboxedEnvironment):
        """Also bounds what one operation, which nothing can interrupt, may take."""

        intercepted_binops = frozenset({"*", "**"})

        def getattr(self, obj, attribute):
            """What jinja2's own finds too, after an exception or two."""
            if type(obj) is not dict or attribute in METHODS_OF_DICT:
                return super().getattr(obj, attribute)
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)

        def call_binop(self, context, operator, left, right):
            limit_operation(operator, left, right)
            return super().call_binop(context, operator, left, right)

        def unsafe_undefined(self, obj, attribute):
            """jinja2's own is an undefined value, which prints as nothing."""
            raise SecurityError(f"{attribute!r} of a {type(obj).__name__} is out of bounds")

    class Generation(Extension):
        """``{% generation %}``: keeps where in the text what it encloses lies.

        Ours may name its message, counted from the end: ``{% generation loop.revindex %}``.
        """

        tags = {"generation"}  # noqa: RUF012

        def __init__(self, environment):
            super().__init__(environment)
            environment.extend(tracking=self.tracking)
            self._pieces = self._generated = None

        def parse(self, parser):
            line = next(parser.stream).lineno
            tells = parser.stream.current.type != "block_end"
            arguments = [parser.parse_expression()] if tells else []
            body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
            call = self.call_method("_generation", arguments)
            return nodes.CallBlock(call, [], [], body).set_lineno(line)

        @pass_eval_context
        def _generation(self, _context, revindex=None, *, caller):
            text = caller()
            if self._pieces is not None:
                start = sum(map(len, self._pieces))
                self._generated.append(Generated(start, start + len(text), revindex))
            return text

        @contextmanager
        def tracking(self, pieces, generated):
            self._pieces, self._generated = pieces, generated
            try:
                yield
            finally:
                self._pieces = self._generated = None

    class Dict:
        """``dict`` without what leads out of the sandbox."""

        def __call__(self, *args, **kwargs):
            return dict(*args, **kwargs)

        def fromkeys(self, *args, **kwargs):
            return dict.fromkeys(*args, **kwargs)

    class TemplateNamespace(Namespace):
        """``namespace`` without names that begin with an underscore."""

        def __init__(*args, **kwargs):
            self, args = args[0], args[1:]
            attributes = dict(*args, **kwargs)
            for name in attributes:
                TemplateNamespace._check(name)
            Namespace.__init__(self, attributes)

        def __setitem__(self, name, value):
            TemplateNamespace._check(name)
            Namespace.__setitem__(self, name, value)

        @staticmethod
        def _check(name):
            if isinstance(name, str) and name.startswith("_"):
                raise SecurityError(f"a namespace cannot have {name!r}, which begins with '_'")

    return Sandbox, Generation, Dict, TemplateNamespace


def environment(date: datetime) -> Any:
    """The environment of one template, whose ``strftime_now`` knows one date."""
    from jinja2.exceptions import TemplateError
    from jinja2.ext import loopcontrols

    Sandbox, Generation, Dict, TemplateNamespace = _classes()

    def raise_exception(message):
        raise TemplateError(message)

    made = Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = raise_exception
    made.globals["strftime_now"] = date.strftime
    made.globals["dict"] = Dict()
    made.globals["namespace"] = TemplateNamespace
    return made


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    """As transformers': without the escapes of HTML, with the options of ``json.dumps``."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def limit_operation(operator: str, left: Any, right: Any) -> None:
    """Raises SecurityError for a repeat or a power of a size that no template needs."""
    from jinja2.exceptions import SecurityError

    if operator == "**":
        base = left.bit_length() if isinstance(left, int) else 0
        if isinstance(right, int) and base * abs(right) > LARGEST_NUMBER:
            raise SecurityError("a power of too many digits")
        return
    for repeated, times in ((left, right), (right, left)):
        if isinstance(repeated, (str, list, tuple)) and isinstance(times, int):
            if len(repeated) * times > LONGEST_REPEAT:
                raise SecurityError("a repeat of too many elements")
        elif isinstance(repeated, int) and repeated.bit_length() > LARGEST_NUMBER:
            raise SecurityError("a number of too many digits")
