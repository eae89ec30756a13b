"""Lark's tree to our frozen syntax tree.

Each rule of the grammar has the method of its name. What the grammar cannot say (how many digits,
how deep, what stands between the braces of a string) is checked here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice, pairwise, takewhile
from typing import Any, TypeAlias
from unicodedata import normalize

from lark import Token

from grammar import syntax as s
from grammar.diagnostics import Diagnostic
from grammar.lexemes import RESERVED, scan
from grammar.source import Source, Span

MOST_WORDS = 1000  # of a broken statement, looked at for names
MOST_DEPTH = 120  # statements and expressions inside each other; later stages recurse over them
MOST_DIGITS = 300
MOST_PIECES = 2000
ESCAPES = {"n": "\n", "t": "\t"}

Parse: TypeAlias = Callable[[str], Any]  # an expression's text to Lark's tree; ValueError if broken

_PIECE = re.compile(
    r"\\(?P<escaped>.)|(?P<brace>\{\{|\}\})|\{(?P<inner>[^}]*+)\}|(?P<open>\{.*)", re.S
)


def plain(operator: Token) -> str:
    """A sign or word between two operands; between `not` and `in` may be space and comments."""
    return "not in" if operator.startswith("not") else str(operator)


class Unbuildable(Exception):
    """Something that parses and yet cannot be: its diagnostic."""

    def __init__(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic.of(code, message, span, help=help)


def doc_above(span: Span) -> str:
    """The comment lines right above the line on which `span` begins, without their marks."""
    lines: list[str] = []
    number = span.line - 1
    while number >= 1 and span.source.line(number).lstrip().startswith("#"):
        lines.append(span.source.line(number).lstrip().lstrip("#").strip())
        number -= 1
    return "\n".join(reversed(lines))


def broken(span: Span) -> s.Broken:
    """A broken statement or item; of a definition only the head can name what others use."""
    lexemes = takewhile(lambda lexeme: lexeme.start < span.end, scan(span.source.text, span.start))
    first = list(islice(lexemes, MOST_WORDS))
    opening = [lexeme.text for lexeme in first[:2]] or [""]
    if opening[0] in ("block", "net", "train"):
        first = first[1:2]
    words = {lexeme.text for lexeme in first if lexeme.kind == "word"} - RESERVED
    strings = " ".join(lexeme.text for lexeme in first if lexeme.kind == "text")
    keyword = "=" if opening[1:] == ["="] else opening[0]
    return s.Broken(span, keyword, frozenset(words.union(re.findall(r"[^\W\d]\w*", strings))))


def _with_stray(definition: s.Definition, after: s.Broken) -> s.Definition:
    """The definition with the indented text after it, which a `}` too many has cut off."""
    if after.span.column == 1:
        return definition
    statements = (*definition.body.statements, after)
    return replace(definition, body=replace(definition.body, statements=statements))


class TreeBuilder:
    """Builds the syntax tree of a source, or of a piece of it that begins at `shift`.

    `diagnostics` gathers what its statements get wrong.
    """

    def __init__(self, source: Source, parse: Parse, shift: int = 0) -> None:
        self.source = source
        self.parse = parse
        self.shift = shift
        self.depth = 0
        self.pieces = 0
        self.diagnostics: list[Diagnostic] = []

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
        text = str(token)
        return s.Name(self.span(token), text if text.isascii() else normalize("NFC", text))

    def target(self, tree: Any) -> s.Target:
        """A name that a value gets, or `(c, stride)` that takes it apart."""
        if tree.data == "name":
            return self.name(tree)
        self.enter(tree)
        group = s.NameGroup(self.span(tree), self.targets(tree))
        self.depth -= 1
        return group

    def targets(self, tree: Any) -> tuple[s.Target, ...]:
        """`i, (c, stride)`"""
        return tuple(map(self.target, tree.children))

    # ── files and bodies ─────────────────────────────────────────────────────────────────────

    def file(self, tree: Any) -> s.File:
        """A whole file."""
        items = [self.item(t) for t in tree.children if t is not None]
        for index, (item, after) in enumerate(pairwise(items)):
            if isinstance(item, s.Definition) and isinstance(after, s.Broken):
                items[index] = _with_stray(item, after)
        return s.File(self.source, tuple(items))

    def item(self, tree: Any) -> s.Item:
        """`use`, `let`, `block` or `net`."""
        item: s.Item = self.whole(tree)
        return item

    def statement(self, tree: Any) -> s.Statement:
        """Any statement of a body."""
        statement: s.Statement = self.whole(tree)
        return statement

    def whole(self, tree: Any) -> Any:
        """An item or statement; one that cannot be is noted in `diagnostics` and is `Broken`."""
        depth = self.depth
        try:
            self.enter(tree)
            return getattr(self, f"_{tree.data}")(tree)
        except Unbuildable as error:
            self.diagnostics.append(error.diagnostic)
            return broken(self.span(tree))
        finally:
            self.depth = depth

    def body(self, tree: Any) -> s.Body:
        """`{ … }`; an `else if` is a body that holds one `if`"""
        inner = [tree] if tree.data in ("else_if", "else_choice") else tree.children
        return s.Body(self.span(tree), tuple([self.statement(t) for t in inner if t is not None]))

    def _broken(self, tree: Any) -> s.Broken:
        return broken(self.span(tree.children[0]))

    def _use(self, tree: Any) -> s.Use:
        *names, path = tree.children
        return s.Use(self.span(tree), tuple(map(self.name, names)), self.text(path))

    def _definition(self, tree: Any) -> s.Definition:
        kind, name, parameters, body = tree.children
        span = self.span(tree)
        return s.Definition(
            span,
            str(kind),
            self.name(name),
            self.parameters(parameters),
            self.body(body),
            doc_above(span),
        )

    _training = _definition

    def parameters(self, tree: Any) -> tuple[s.Parameter, ...]:
        """`(c, kernel, stride=1)`; none where there are no parentheses"""
        given = () if tree is None else tree.children
        return tuple([self.parameter(each) for each in given if each is not None])

    def parameter(self, tree: Any) -> s.Parameter:
        """`stride=1`"""
        name, default = tree.children
        value = None if default is None else self.expression(default)
        return s.Parameter(self.span(tree), self.name(name), value)

    # ── statements ───────────────────────────────────────────────────────────────────────────

    def _flow(self, tree: Any) -> s.Flow:
        return s.Flow(self.span(tree), self.chain(tree.children[0]))

    def _bind(self, tree: Any) -> s.Bind:
        *names, chain = tree.children
        return s.Bind(self.span(tree), tuple(map(self.name, names)), self.chain(chain))

    def _input(self, tree: Any) -> s.InputDeclaration:
        name, outside, dtype, pattern, origin = tree.children
        return s.InputDeclaration(
            self.span(tree),
            self.name(name),
            self.optional_text(outside),
            self.name(dtype),
            self.pattern(pattern),
            None if origin is None else self._call(origin),
        )

    def _output_flow(self, tree: Any) -> s.OutputDeclaration:
        name, outside, labels, pattern = tree.children
        return s.OutputDeclaration(
            self.span(tree),
            self.output_name(name),
            self.optional_text(outside),
            self.labels(labels),
            None,
            self.optional_pattern(pattern),
        )

    def _output_chain(self, tree: Any) -> s.OutputDeclaration:
        name, outside, before, chain, after = tree.children
        if before is not None and after is not None:
            raise Unbuildable("E101", "an output has one `labels`", self.span(after))
        return s.OutputDeclaration(
            self.span(tree),
            self.output_name(name),
            self.optional_text(outside),
            self.labels(before or after),
            self.chain(chain),
            None,
        )

    def output_name(self, node: Any) -> s.Name | s.Text:
        """`logits`, `"logits{l}"`"""
        return self.text(node) if isinstance(node, Token) else self.name(node)

    def optional_text(self, token: Any) -> s.Text | None:
        """A string, if there is one."""
        return None if token is None else self.text(token)

    def labels(self, tree: Any) -> s.ClassNames | None:
        """`labels "imagenet.txt" if classes == 1000`"""
        if tree is None:
            return None
        path, condition = tree.children
        wanted = None if condition is None else self.expression(condition)
        return s.ClassNames(self.span(tree), self.text(path), wanted)

    def _let(self, tree: Any) -> s.Let:
        names, value = tree.children
        return s.Let(self.span(tree), self.targets(names), self.expression(value))

    def _function(self, tree: Any) -> s.Function:
        name, parameters, value = tree.children
        return s.Function(
            self.span(tree), self.name(name), self.parameters(parameters), self.expression(value)
        )

    def _assert(self, tree: Any) -> s.Assert:
        condition, message = tree.children
        why = None if message is None else self.expression(message)
        return s.Assert(self.span(tree), self.expression(condition), why)

    def _expect(self, tree: Any) -> s.Expect:
        return s.Expect(self.span(tree), self.several(tree.children))

    def _for(self, tree: Any) -> s.For:
        names, values, body, pattern = tree.children
        return s.For(
            self.span(tree),
            self.targets(names),
            self.expression(values),
            self.body(body),
            self.optional_pattern(pattern),
        )

    def _repeat(self, tree: Any) -> s.Repeat:
        count, body, pattern = tree.children
        shape = self.optional_pattern(pattern)
        return s.Repeat(self.span(tree), self.expression(count), self.body(body), shape)

    def _if(self, tree: Any) -> s.If:
        condition, then, otherwise, *pattern = tree.children
        return s.If(
            self.span(tree),
            self.expression(condition),
            self.body(then),
            None if otherwise is None else self.body(otherwise),
            self.optional_pattern(*pattern),
        )

    _else_if = _if

    # ── training ─────────────────────────────────────────────────────────────────────────────

    def _data(self, tree: Any) -> s.DataDeclaration:
        return s.DataDeclaration(self.span(tree), tuple(map(self.declared, tree.children)))

    def declared(self, tree: Any) -> s.Declared:
        """`image: f32[1, 28, 28] from picture(…)`"""
        name, kind, pattern, origin = tree.children
        call = None if origin is None else self._call(origin)
        return s.Declared(
            self.span(tree), self.name(name), self.name(kind), self.pattern(pattern), call
        )

    def _noise(self, tree: Any) -> s.NoiseDeclaration:
        name, kind, pattern, distribution = tree.children
        return s.NoiseDeclaration(
            self.span(tree),
            self.name(name),
            self.name(kind),
            self.pattern(pattern),
            self.name(distribution),
        )

    def _augment(self, tree: Any) -> s.Augment:
        names, *stages = tree.children
        return s.Augment(
            self.span(tree), tuple(map(self.name, names.children)), self.several(stages)
        )

    def _assign(self, tree: Any) -> s.Assign:
        name, *stages = tree.children
        return s.Assign(self.span(tree), self.name(name), self.several(stages))

    def _objective(self, tree: Any) -> s.Objective:
        word, value = tree.children
        return s.Objective(self.span(tree), word == "maximize", self.expression(value))

    def _report(self, tree: Any) -> s.Report:
        return s.Report(self.span(tree), tuple(map(self.reported, tree.children)))

    def reported(self, tree: Any) -> s.Reported:
        """`accuracy(logits, label) as top1`"""
        value, label = tree.children
        name = None if label is None else self.label(label.children[0])
        return s.Reported(self.span(tree), self.expression(value), name)

    def _update(self, tree: Any) -> s.Update:
        *nets, only, optimiser = tree.children
        patterns = [] if only is None else only.children
        return s.Update(
            self.span(tree),
            tuple(map(self.name, nets)),
            tuple(map(self.text, patterns)),
            self.expression(optimiser),
        )

    def _setting(self, tree: Any) -> s.Setting:
        word, value = tree.children
        return s.Setting(self.span(tree), str(word), self.expression(value))

    def _step(self, tree: Any) -> s.Step:
        return s.Step(self.span(tree), self.body(tree.children[0]))

    def _turns(self, tree: Any) -> s.Repeat:
        count, body = tree.children
        return s.Repeat(self.span(tree), self.expression(count), self.body(body), None)

    def _choice(self, tree: Any) -> s.If:
        condition, then, otherwise = tree.children
        return s.If(
            self.span(tree),
            self.expression(condition),
            self.body(then),
            None if otherwise is None else self.body(otherwise),
            None,
        )

    _else_choice = _choice

    def _show(self, tree: Any) -> s.Show:
        value, grid, label = tree.children
        return s.Show(
            self.span(tree), self.expression(value), self.grid(grid), self.label(label.children[0])
        )

    def grid(self, token: Token) -> s.SizeLiteral:
        """`8x8`"""
        extents = self.digits(token).split("x")
        return s.SizeLiteral(self.span(token), tuple(map(int, extents)))

    # ── flow ─────────────────────────────────────────────────────────────────────────────────

    def chain(self, tree: Any) -> s.Chain:
        """`a -> b -> c`"""
        return s.Chain(self.span(tree), tuple(map(self.stage, tree.children)))

    def stage(self, tree: Any) -> s.Stage:
        """One stage of a chain with all that may follow it."""
        callee = arguments = body = label = like = shape = source = None
        for child in tree.children:
            if child is None:
                continue
            match str(child.data):
                case "name" | "in_name":
                    callee = self.name(child)
                case "text" | "index" | "attribute":
                    source = self.expression(child)
                case "arguments":
                    arguments = self.arguments(child)
                case "body":
                    body = self.body(child)
                case "label" | "like" if (label if child.data == "label" else like) is not None:
                    raise Unbuildable("E101", "a stage has one label", self.span(child))
                case "label":
                    label = self.label(child.children[0])
                case "like":
                    like = self.label(child.children[0])
                case "pattern":
                    shape = self.pattern(child)
        return s.Stage(self.span(tree), callee, arguments, body, label, like, shape, source)

    def label(self, node: Any) -> s.Text:
        """A label: a bare name means the same as the string."""
        if isinstance(node, Token):
            return self.text(node)
        name = self.name(node)
        return s.Text(name.span, (name.id,))

    def optional_pattern(self, tree: Any = None) -> s.ShapePattern | None:
        """The shape that is asserted, if one is."""
        return None if tree is None else self.pattern(tree)

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

    def _comprehension(self, tree: Any) -> s.Comprehension:
        item, *clauses = tree.children
        return s.Comprehension(
            self.span(tree), self.expression(item), tuple(map(self.clause, clauses))
        )

    def clause(self, tree: Any) -> s.Clause:
        """`for c in widths if c > 8`"""
        names, values, condition = tree.children
        kept = None if condition is None else self.expression(condition)
        return s.Clause(self.span(tree), self.targets(names), self.expression(values), kept)

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
        return s.Comparison(self.span(tree), self.several(operands), tuple(map(plain, operators)))

    def _conditional(self, tree: Any) -> s.Conditional:
        return s.Conditional(self.span(tree), *self.several(tree.children))

    def _index(self, tree: Any) -> s.Index:
        return s.Index(self.span(tree), *self.several(tree.children))

    def _slice(self, tree: Any) -> s.Slice:
        value, *ends = tree.children
        given = [None if end is None else self.expression(end) for end in ends]
        return s.Slice(self.span(tree), self.expression(value), *given)

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
