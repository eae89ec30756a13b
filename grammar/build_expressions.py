"""Lark's tree to our frozen syntax tree: the expressions.

Each rule of the grammar has the method of its name. What the grammar cannot say (how many digits,
how deep, what stands between the braces of a string) is checked here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from lark import Token

from grammar import syntax as s
from grammar.diagnostics import Diagnostic
from grammar.source import Source, Span

MOST_DEPTH = 120  # statements and expressions inside each other; later stages recurse over them
MOST_DIGITS = 300
MOST_PIECES = 2000
ESCAPES = {"n": "\n", "t": "\t"}

Parse: TypeAlias = Callable[[str], Any]  # an expression's text to Lark's tree; ValueError if broken

_PIECE = re.compile(
    r"\\(?P<escaped>.)|(?P<brace>\{\{|\}\})|\{(?P<inner>[^}]*+)\}|(?P<open>\{.*)", re.S
)


class Unbuildable(Exception):
    """Something that parses and yet cannot be: its diagnostic."""

    def __init__(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(code, message, span, help=help)


class ExpressionBuilder:
    """Builds the expressions of one source; `shift` is where the parsed piece begins in it."""

    def __init__(self, source: Source, parse: Parse, shift: int = 0) -> None:
        self.source = source
        self.parse = parse
        self.shift = shift
        self.depth = 0
        self.pieces = 0

    def span(self, node: Any) -> Span:
        """The place of a tree or token."""
        if isinstance(node, Token):
            start, end = node.start_pos or 0, node.end_pos or 0
        elif node.meta.empty:
            start = end = 0
        else:
            start, end = node.meta.start_pos, node.meta.end_pos
        return Span(self.source, start + self.shift, end + self.shift)

    def expression(self, tree: Any) -> s.Expression:
        """Any expression; raises `Unbuildable` when it is nested beyond reason."""
        self.enter(tree)
        build: Callable[[Any], s.Expression] = getattr(self, f"_{tree.data}")
        result = build(tree)
        self.depth -= 1
        return result

    def enter(self, tree: Any) -> None:
        """One level deeper; raises `Unbuildable` (E104) below `MOST_DEPTH`."""
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise Unbuildable(
                "E104",
                f"this is nested more than {MOST_DEPTH} deep",
                self.span(tree),
                help="name a part of it with `let`, or put it in a block",
            )

    def several(self, trees: Iterable[Any]) -> tuple[s.Expression, ...]:
        """The expressions among `trees`."""
        return tuple([self.expression(tree) for tree in trees if tree is not None])

    def name(self, tree: Any) -> s.Name:
        """`classes`"""
        token = tree.children[0]
        return s.Name(self.span(token), str(token))

    # ── literals ─────────────────────────────────────────────────────────────────────────────

    def _name(self, tree: Any) -> s.Name:
        return self.name(tree)

    _in_name = _name

    def _number(self, tree: Any) -> s.Number:
        """`61_706` is an int; a point or an exponent makes a float."""
        token = tree.children[0]
        text = self.digits(token).replace("_", "")
        value = float(text) if re.search(r"[.eE]", text) else int(text)
        if value == math.inf:
            raise Unbuildable("E104", "a number is larger than 1.8e308", self.span(token))
        return s.Number(self.span(tree), value)

    def _size_literal(self, tree: Any) -> s.SizeLiteral:
        extents = self.digits(tree.children[0]).split("x")
        return s.SizeLiteral(self.span(tree), tuple(map(int, extents)))

    def digits(self, token: Token) -> str:
        """The text of a number or size; raises `Unbuildable` (E104) beyond `MOST_DIGITS`."""
        if len(token) > MOST_DIGITS:
            raise Unbuildable(
                "E104", f"a number has more than {MOST_DIGITS} digits", self.span(token)
            )
        return str(token)

    def _truth(self, tree: Any) -> s.Truth:
        return s.Truth(self.span(tree), tree.children[0] == "true")

    def _text(self, tree: Any) -> s.Text:
        return self.text(tree.children[0])

    def text(self, token: Token) -> s.Text:
        """A string; `{expression}` interpolates, `{{` and `}}` are braces, `\\` escapes."""
        span = self.span(token)
        body = str(token)[1:-1]
        parts: list[str | s.Expression] = []
        literal: list[str] = []
        end = 0
        for found in _PIECE.finditer(body):
            literal.append(body[end : found.start()])
            end = found.end()
            if (escaped := found["escaped"]) is not None:
                literal.append(ESCAPES.get(escaped, escaped))
            elif (brace := found["brace"]) is not None:
                literal.append(brace[0])
            else:
                if text := "".join(literal):
                    parts.append(text)
                literal = []
                parts.append(self.inner(found["inner"], span.start + found.start() + 2, found))
        literal.append(body[end:])
        if (text := "".join(literal)) or not parts:
            parts.append(text)
        return s.Text(span, tuple(parts))

    def inner(self, text: str | None, start: int, found: re.Match[str]) -> s.Expression:
        """The expression between two braces of a string; raises `Unbuildable` (E105, E104)."""
        end = start + max(1, len(found.group()) - 2)
        self.pieces += 1
        if self.pieces > MOST_PIECES:
            raise Unbuildable(
                "E104",
                f"strings hold more than {MOST_PIECES} expressions between braces",
                Span(self.source, start, end),
            )
        help = "a brace itself is written twice: {{ and }}"
        if text is None:
            message, place = "this `{` in a string is never closed", (start - 1, start)
        elif not text.strip():
            message, place = "there is no expression between these braces", (start - 1, end)
        else:
            try:
                tree = self.parse(text)
            except ValueError:
                message, place = "the expression between braces is broken", (start, end)
            else:
                outer, self.shift = self.shift, start
                result = self.expression(tree)
                self.shift = outer
                return result
        raise Unbuildable("E105", message, Span(self.source, *place), help)

    def _list(self, tree: Any) -> s.ListDisplay:
        return s.ListDisplay(self.span(tree), self.several(tree.children))

    def _tuple(self, tree: Any) -> s.TupleDisplay:
        return s.TupleDisplay(self.span(tree), self.several(tree.children))

    # ── operators, parts and calls ───────────────────────────────────────────────────────────

    def _unary(self, tree: Any) -> s.Unary:
        sign, operand = tree.children
        return s.Unary(self.span(tree), str(sign), self.expression(operand))

    def _not_(self, tree: Any) -> s.Unary:
        return s.Unary(self.span(tree), "not", self.expression(tree.children[0]))

    def _binary(self, tree: Any) -> s.Binary:
        left, operator, right = tree.children
        sides = self.expression(left), self.expression(right)
        return s.Binary(self.span(tree), str(operator), *sides)

    def _both(self, tree: Any) -> s.Logical:
        return s.Logical(self.span(tree), "and", self.several(tree.children))

    def _either(self, tree: Any) -> s.Logical:
        return s.Logical(self.span(tree), "or", self.several(tree.children))

    def _comparison(self, tree: Any) -> s.Comparison:
        operands, operators = tree.children[::2], tree.children[1::2]
        return s.Comparison(self.span(tree), self.several(operands), tuple(map(str, operators)))

    def _conditional(self, tree: Any) -> s.Conditional:
        return s.Conditional(self.span(tree), *self.several(tree.children))

    def _index(self, tree: Any) -> s.Index:
        return s.Index(self.span(tree), *self.several(tree.children))

    def _attribute(self, tree: Any) -> s.Attribute:
        value, name = tree.children
        return s.Attribute(self.span(tree), self.expression(value), str(name))

    def _call(self, tree: Any) -> s.CallExpression:
        function, arguments = tree.children
        return s.CallExpression(
            self.span(tree), self.expression(function), self.arguments(arguments)
        )

    def arguments(self, tree: Any) -> tuple[s.Argument, ...]:
        """What stands between the parentheses of a call."""
        found = []
        for child in tree.children:
            if child is not None:
                keyword, value = child.children
                word = None if keyword is None else self.name(keyword).id
                found.append(s.Argument(self.span(child), word, self.expression(value)))
        return tuple(found)
