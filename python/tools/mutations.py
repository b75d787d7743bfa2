"""Places in Python files that can be mutated, as JSON: of every file named, mutations that replace the text from ``start``
to ``end``. Messages, annotations and imports are left alone."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OPERATORS: dict[type, tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
}
CALLS = {"min": "max", "max": "min", "ceil": "floor", "floor": "ceil", "any": "all", "all": "any"}
SAYING = ("print", "warn")


class Finder:
    """Collects the mutations of one file."""

    def __init__(self, source: str):
        self.source = source
        self.found: list[dict[str, Any]] = []
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def visit(self, node: ast.AST) -> None:
        """A node and what is in it."""
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.JoinedStr, ast.Assert)):
            return
        if isinstance(node, ast.Call) and _name(node.func) in SAYING:
            return
        for kind, start, end, text in self._of(node):
            self.found.append({"kind": kind, "start": start, "end": end, "text": text})
        if isinstance(node, ast.Raise):
            return
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    self.visit(child)

    def _of(self, node: ast.AST) -> Iterator[tuple[str, int, int, str]]:
        if isinstance(node, ast.Compare):
            values = [node.left, *node.comparators]
            for place, operator in enumerate(node.ops):
                yield from self._swap(values[place], values[place + 1], operator)
        elif isinstance(node, ast.BinOp) and not any(map(_is_text, (node.left, node.right))):
            yield from self._swap(node.left, node.right, node.op)
        elif isinstance(node, ast.BoolOp):
            for left, right in zip(node.values, node.values[1:], strict=False):
                yield from self._swap(left, right, node.op)
        elif isinstance(node, ast.AugAssign):
            yield from self._swap(node.target, node.value, node.op)
            yield from self._dropped(node)
        elif isinstance(node, ast.Constant):
            yield from self._constant(node)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
            yield "sign", self._start(node), self._start(node.operand), ""
        elif isinstance(node, ast.Call) and _name(node.func) in CALLS:
            end = self._end(node.func)
            name = _name(node.func)
            yield "call", end - len(name), end, CALLS[name]
        else:
            yield from self._of_statement(node)

    def _of_statement(self, node: ast.AST) -> Iterator[tuple[str, int, int, str]]:
        if isinstance(node, (ast.If, ast.IfExp)):
            yield from self._forced(node.test)
        elif isinstance(node, ast.comprehension):
            for condition in node.ifs:
                yield from self._forced(condition)
        elif (
            isinstance(node, (ast.Raise, ast.Continue))
            or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
            or (isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name))
        ):
            yield from self._dropped(node)
        elif isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body and not isinstance(body[0], ast.Expr):
                start = self._start(body[0])
                yield "returns at once", start, start, f"return\n{' ' * body[0].col_offset}"

    def _swap(
        self, left: ast.AST, right: ast.AST, operator: ast.AST
    ) -> Iterator[tuple[str, int, int, str]]:
        if type(operator) not in OPERATORS:
            return
        old, new = OPERATORS[type(operator)]
        start = self.source.index(old, self._end(left), self._start(right))
        yield "operator", start, start + len(old), new

    def _constant(self, node: ast.Constant) -> Iterator[tuple[str, int, int, str]]:
        place = self._start(node), self._end(node)
        if isinstance(node.value, bool):
            yield "boolean", *place, str(not node.value)
        elif isinstance(node.value, (int, float)):
            for value in (node.value + 1, node.value - 1):
                yield "constant", *place, str(value) if value >= 0 else f"({value})"

    def _forced(self, test: ast.AST) -> Iterator[tuple[str, int, int, str]]:
        for value in ("True", "False"):
            yield "condition", self._start(test), self._end(test), value

    def _dropped(self, node: ast.AST) -> Iterator[tuple[str, int, int, str]]:
        yield "dropped statement", self._start(node), self._end(node), "pass"

    def _start(self, node: Any) -> int:
        return self._place(node.lineno, node.col_offset)

    def _end(self, node: Any) -> int:
        return self._place(node.end_lineno, node.end_col_offset)

    def _place(self, line: int, column: int) -> int:
        """In characters; columns are bytes."""
        start = self._lines[line - 1]
        text = self.source[start : self._lines[line]].encode()
        return start + len(text[:column].decode())


def _name(function: ast.AST) -> str:
    name = getattr(function, "id", None) or getattr(function, "attr", "")
    return str(name)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def mutations_of(source: str) -> list[dict[str, Any]]:
    """Every mutation of a source's code."""
    finder = Finder(source)
    finder.visit(ast.parse(source))
    return finder.found


if __name__ == "__main__":
    print(json.dumps([mutations_of(Path(name).read_text("utf-8")) for name in sys.argv[1:]]))
