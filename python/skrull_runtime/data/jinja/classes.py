"""Classes over those of jinja2 that bound what a chat template may do. Imported only where there is a template."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2 import nodes, pass_eval_context
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from .generated import Generated

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.nodes import EvalContext, Node
    from jinja2.parser import Parser
    from jinja2.runtime import Context

LARGEST_NUMBER = 4096  # bits
LONGEST_REPEAT = 10_000_000  # elements of a text or list times a number
METHODS_OF_DICT = frozenset(dir(dict))


class Sandbox(ImmutableSandboxedEnvironment):
    """Also bounds what one operation, which nothing can interrupt, may take."""

    intercepted_binops = frozenset({"*", "**"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Finds the same as jinja2's own, which raises an exception or two on the way."""
        if type(obj) is not dict or attribute in METHODS_OF_DICT:
            return super().getattr(obj, attribute)
        return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        limit_operation(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def unsafe_undefined(self, obj: Any, attribute: str) -> NoReturn:
        """jinja2's own returns an undefined value, which prints as nothing."""
        raise SecurityError(f"{attribute!r} of a {type(obj).__name__} is out of bounds")


class Generation(Extension):
    """``{% generation %}``: notes where in the text its contents are.

    Our templates may name the message, counted from the end: ``{% generation loop.revindex %}``.
    """

    tags = {"generation"}  # noqa: RUF012

    def __init__(self, environment: Environment):
        super().__init__(environment)
        environment.extend(tracking=self.tracking)
        self._pieces: list[str] | None = None
        self._generated: list[Generated] = []

    def parse(self, parser: Parser) -> Node:
        line = next(parser.stream).lineno
        tells = parser.stream.current.type != "block_end"
        arguments = [parser.parse_expression()] if tells else []
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        call = self.call_method("_generation", arguments)
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    @pass_eval_context
    def _generation(
        self, _context: EvalContext, revindex: int | None = None, *, caller: Callable[[], str]
    ) -> str:
        text = caller()
        if self._pieces is not None:
            start = sum(map(len, self._pieces))
            self._generated.append(Generated(start, start + len(text), revindex))
        return text

    @contextmanager
    def tracking(self, pieces: list[str], generated: list[Generated]) -> Iterator[None]:
        self._pieces, self._generated = pieces, generated
        try:
            yield
        finally:
            self._pieces, self._generated = None, []


class Dict:
    """``dict`` without what leads out of the sandbox."""

    def __call__(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict(*args, **kwargs)

    def fromkeys(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict.fromkeys(*args, **kwargs)


class TemplateNamespace(Namespace):
    """``namespace`` without names that begin with an underscore."""

    def __init__(*args: Any, **kwargs: Any):
        self, given = args[0], args[1:]
        attributes = dict(*given, **kwargs)
        for name in attributes:
            TemplateNamespace._check(name)
        Namespace.__init__(self, attributes)

    def __setitem__(self, name: str, value: Any) -> None:
        TemplateNamespace._check(name)
        Namespace.__setitem__(self, name, value)

    @staticmethod
    def _check(name: object) -> None:
        if isinstance(name, str) and name.startswith("_"):
            raise SecurityError(f"a namespace cannot have {name!r}, which begins with '_'")


def limit_operation(operator: str, left: Any, right: Any) -> None:
    """Raises SecurityError for a repeat or a power of a size that no template needs."""
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
