"""Lark's tree to our frozen syntax tree."""

from __future__ import annotations

import re
from typing import Any

from lark import Token

from grammar import syntax as s
from grammar.source import Source, Span

MOST_DEPTH = 150
MOST_DIGITS = 300
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


class TooBig(Exception):
    """An expression nested too deeply, or a number with too many digits."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.span = span


class BadInterpolation(Exception):
    """An expression between braces in a string that does not parse."""

    def __init__(self, span: Span) -> None:
        super().__init__("the expression between braces is broken")
        self.span = span


def doc_above(span: Span) -> str:
    """The comment lines right above the line on which `span` begins, without their marks."""
    lines: list[str] = []
    number = span.line - 1
    while number >= 1 and span.source.line(number).lstrip().startswith("#"):
        lines.append(span.source.line(number).lstrip().lstrip("#").strip())
        number -= 1
    return "\n".join(reversed(lines))


class Builder:
    """Builds the syntax tree of one source; `shift` places a piece of text inside the source."""

    def __init__(self, source: Source, shift: int = 0) -> None:
        self.source = source
        self.shift = shift
        self.depth = 0

    def span(self, node: Any) -> Span:
        """The place of a tree or token."""
        if isinstance(node, Token):
            return Span(
                self.source, (node.start_pos or 0) + self.shift, (node.end_pos or 0) + self.shift
            )
        meta = node.meta
        if meta.empty:
            return Span(self.source, self.shift, self.shift)
        return Span(self.source, meta.start_pos + self.shift, meta.end_pos + self.shift)

    # ── files and bodies ─────────────────────────────────────────────────────────────────────

    def file(self, tree: Any) -> s.File:
        """A whole file."""
        return s.File(self.source, tuple(self.item(t) for t in tree.children if t is not None))

    def item(self, tree: Any) -> s.Item:
        """`use`, `let`, `block` or `net`."""
        if tree.data == "let":
            return self.let(tree)
        if tree.data == "use":
            *names, path = tree.children
            return s.Use(self.span(tree), tuple(map(self.name, names)), self.text(path))
        kind, name, parameters, body = tree.children
        given = (
            ()
            if parameters is None
            else tuple(self.parameter(p) for p in parameters.children if p is not None)
        )
        span = self.span(tree)
        return s.Definition(
            span, str(kind), self.name(name), given, self.body(body), doc_above(span)
        )

    def parameter(self, tree: Any) -> s.Parameter:
        """`stride=1`"""
        name, default = tree.children
        value = None if default is None else self.expression(default)
        return s.Parameter(self.span(tree), self.name(name), value)

    def body(self, tree: Any) -> s.Body:
        """`{ … }`; an `else if` is a body that holds one `if`"""
        if tree.data == "if":
            return s.Body(self.span(tree), (self.statement(tree),))
        return s.Body(
            self.span(tree), tuple(self.statement(t) for t in tree.children if t is not None)
        )

    def statement(self, tree: Any) -> s.Statement:
        """Any statement of a body."""
        span, children = self.span(tree), tree.children
        match str(tree.data):
            case "flow":
                return s.Flow(span, self.chain(children[0]))
            case "bind":
                return s.Bind(span, self.name(children[0]), self.chain(children[1]))
            case "input":
                name, dtype, pattern, origin = children
                return s.InputDeclaration(
                    span,
                    self.name(name),
                    self.name(dtype),
                    self.pattern(pattern),
                    None if origin is None else self.call(origin),
                )
            case "output_flow":
                name, labels, pattern = children
                return s.OutputDeclaration(
                    span,
                    self.name(name),
                    self.labels(labels),
                    None,
                    None if pattern is None else self.pattern(pattern),
                )
            case "output_chain":
                name, before, chain, after = children
                return s.OutputDeclaration(
                    span, self.name(name), self.labels(before or after), self.chain(chain), None
                )
            case "let":
                return self.let(tree)
            case "assert":
                condition, message = children
                return s.Assert(
                    span,
                    self.expression(condition),
                    None if message is None else self.expression(message),
                )
            case "expect":
                return s.Expect(span, tuple(map(self.expression, children)))
            case "for":
                *names, values, body = children
                return s.For(
                    span,
                    tuple(self.name(n) for n in names if n is not None),
                    self.expression(values),
                    self.body(body),
                )
            case "repeat":
                return s.Repeat(span, self.expression(children[0]), self.body(children[1]))
            case "if":
                condition, then, otherwise = children
                return s.If(
                    span,
                    self.expression(condition),
                    self.body(then),
                    None if otherwise is None else self.body(otherwise),
                )
        raise AssertionError(tree.data)

    def let(self, tree: Any) -> s.Let:
        """`let width = 64`"""
        return s.Let(
            self.span(tree), self.name(tree.children[0]), self.expression(tree.children[1])
        )

    def labels(self, tree: Any) -> s.Text | None:
        """`labels "names.txt"`"""
        return None if tree is None else self.text(tree.children[0])

    # ── flow ─────────────────────────────────────────────────────────────────────────────────

    def chain(self, tree: Any) -> s.Chain:
        """`a -> b -> c`"""
        return s.Chain(self.span(tree), tuple(map(self.stage, tree.children)))

    def stage(self, tree: Any) -> s.Stage:
        """One stage of a chain with all that may follow it."""
        callee = arguments = body = label = like = shape = None
        for child in tree.children:
            if child is None:
                continue
            match str(child.data):
                case "name" | "in_name":
                    callee = self.name(child)
                case "arguments":
                    arguments = self.arguments(child)
                case "body":
                    body = self.body(child)
                case "label":
                    label = self.label(child.children[0])
                case "like":
                    like = self.label(child.children[0])
                case "pattern":
                    shape = self.pattern(child)
        return s.Stage(self.span(tree), callee, arguments, body, label, like, shape)

    def label(self, node: Any) -> s.Text:
        """A label: a bare name means the same as the string."""
        if isinstance(node, Token):
            return self.text(node)
        name = self.name(node)
        return s.Text(name.span, (name.id,))

    def pattern(self, tree: Any) -> s.ShapePattern:
        """`[64, _, ...]`"""
        sizes: list[s.Expression | s.Wildcard] = []
        for child in tree.children:
            if child is None:
                continue
            if child.data == "run":
                sizes.append(s.Wildcard(self.span(child), True))
            elif child.data == "name" and child.children[0] == "_":
                sizes.append(s.Wildcard(self.span(child), False))
            else:
                sizes.append(self.expression(child))
        return s.ShapePattern(self.span(tree), tuple(sizes))

    def arguments(self, tree: Any) -> tuple[s.Argument, ...]:
        """What stands between the parentheses of a call."""
        found = []
        for child in tree.children:
            if child is not None:
                keyword, value = child.children
                found.append(
                    s.Argument(
                        self.span(child),
                        None if keyword is None else self.name(keyword).id,
                        self.expression(value),
                    )
                )
        return tuple(found)

    def call(self, tree: Any) -> s.CallExpression:
        """`picture(crop=224)`"""
        return s.CallExpression(
            self.span(tree), self.expression(tree.children[0]), self.arguments(tree.children[1])
        )

    # ── expressions ──────────────────────────────────────────────────────────────────────────

    def name(self, tree: Any) -> s.Name:
        """`classes`"""
        token = tree.children[0]
        return s.Name(self.span(token), str(token))

    def expression(self, tree: Any) -> s.Expression:
        """Any expression; raises `TooBig` when it is nested beyond reason."""
        self.depth += 1
        try:
            if self.depth > MOST_DEPTH:
                raise TooBig(
                    f"an expression is nested more than {MOST_DEPTH} deep", self.span(tree)
                )
            return self._expression(tree)
        finally:
            self.depth -= 1

    def _expression(self, tree: Any) -> s.Expression:
        span, children = self.span(tree), tree.children
        match str(tree.data):
            case "number":
                return s.Number(span, self.number(children[0]))
            case "size_literal":
                return s.SizeLiteral(span, tuple(map(int, str(children[0]).split("x"))))
            case "text":
                return self.text(children[0])
            case "truth":
                return s.Truth(span, children[0] == "true")
            case "name" | "in_name":
                return self.name(tree)
            case "list":
                return s.ListDisplay(span, self.several(children))
            case "tuple":
                return s.TupleDisplay(span, self.several(children))
            case "unary":
                return s.Unary(span, str(children[0]), self.expression(children[1]))
            case "not_":
                return s.Unary(span, "not", self.expression(children[0]))
            case "binary":
                left, operator, right = children
                return s.Binary(span, str(operator), self.expression(left), self.expression(right))
            case "both":
                return s.Logical(span, "and", self.several(children))
            case "either":
                return s.Logical(span, "or", self.several(children))
            case "comparison":
                return s.Comparison(
                    span, self.several(children[::2]), tuple(map(str, children[1::2]))
                )
            case "conditional":
                then, condition, otherwise = children
                return s.Conditional(
                    span,
                    self.expression(then),
                    self.expression(condition),
                    self.expression(otherwise),
                )
            case "index":
                return s.Index(span, self.expression(children[0]), self.expression(children[1]))
            case "attribute":
                return s.Attribute(span, self.expression(children[0]), str(children[1]))
            case "call":
                return self.call(tree)
        raise AssertionError(tree.data)

    def several(self, children: Any) -> tuple[s.Expression, ...]:
        """The expressions among `children`."""
        return tuple(self.expression(child) for child in children if child is not None)

    def number(self, token: Token) -> int | float:
        """`61_706` is an int; a point or an exponent makes a float."""
        text = str(token).replace("_", "")
        if len(text) > MOST_DIGITS:
            raise TooBig(f"a number has more than {MOST_DIGITS} digits", self.span(token))
        return float(text) if re.search(r"[.eE]", text) else int(text)

    def text(self, token: Token) -> s.Text:
        """A string; `{expression}` interpolates, `{{` and `}}` are braces."""
        from grammar.parse import parse_piece

        span = self.span(token)
        body = str(token)[1:-1]
        parts: list[str | s.Expression] = []
        literal = ""
        index = 0
        while index < len(body):
            character = body[index]
            if character == "\\" and index + 1 < len(body):
                literal += ESCAPES.get(body[index + 1], body[index + 1])
                index += 2
            elif body[index : index + 2] in ("{{", "}}"):
                literal += character
                index += 2
            elif character == "{":
                end = body.find("}", index)
                piece = body[index + 1 : end if end >= 0 else len(body)]
                start = span.start + 1 + index + 1
                place = Span(self.source, start, start + max(1, len(piece)))
                if end < 0 or not piece.strip():
                    raise BadInterpolation(place)
                if literal:
                    parts.append(literal)
                    literal = ""
                parts.append(parse_piece(self.source, piece, start))
                index = end + 1
            else:
                literal += character
                index += 1
        if literal or not parts:
            parts.append(literal)
        return s.Text(span, tuple(parts))
