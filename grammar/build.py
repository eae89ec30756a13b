"""Lark's tree to our frozen syntax tree: files, bodies, statements and flow."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice, pairwise, takewhile
from typing import Any

from lark import Token

from grammar import syntax as s
from grammar.build_expressions import ExpressionBuilder, Parse, Unbuildable
from grammar.diagnostics import Diagnostic
from grammar.lexemes import RESERVED, scan
from grammar.source import Source, Span

MOST_WORDS = 1000  # of a broken statement, looked at for names


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
    return s.Broken(span, keyword, frozenset(words.union(re.findall(r"[A-Za-z_]\w*", strings))))


def _with_stray(definition: s.Definition, after: s.Broken) -> s.Definition:
    """The definition with the indented text after it, which a `}` too many has cut off."""
    if after.span.column == 1:
        return definition
    statements = (*definition.body.statements, after)
    return replace(definition, body=replace(definition.body, statements=statements))


class Builder(ExpressionBuilder):
    """Builds the syntax tree of a source; `diagnostics` gathers what its statements get wrong."""

    def __init__(self, source: Source, parse: Parse) -> None:
        super().__init__(source, parse)
        self.diagnostics: list[Diagnostic] = []

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
        given = [] if parameters is None else [p for p in parameters.children if p is not None]
        span = self.span(tree)
        return s.Definition(
            span,
            str(kind),
            self.name(name),
            tuple(map(self.parameter, given)),
            self.body(body),
            doc_above(span),
        )

    _training = _definition

    def parameter(self, tree: Any) -> s.Parameter:
        """`stride=1`"""
        name, default = tree.children
        value = None if default is None else self.expression(default)
        return s.Parameter(self.span(tree), self.name(name), value)

    # ── statements ───────────────────────────────────────────────────────────────────────────

    def _flow(self, tree: Any) -> s.Flow:
        return s.Flow(self.span(tree), self.chain(tree.children[0]))

    def _bind(self, tree: Any) -> s.Bind:
        name, chain = tree.children
        return s.Bind(self.span(tree), self.name(name), self.chain(chain))

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
            self.name(name),
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
            self.name(name),
            self.optional_text(outside),
            self.labels(before or after),
            self.chain(chain),
            None,
        )

    def optional_text(self, token: Any) -> s.Text | None:
        """A string, if there is one."""
        return None if token is None else self.text(token)

    def labels(self, tree: Any) -> s.Text | None:
        """`labels "names.txt"`"""
        return None if tree is None else self.text(tree.children[0])

    def _let(self, tree: Any) -> s.Let:
        name, value = tree.children
        return s.Let(self.span(tree), self.name(name), self.expression(value))

    def _assert(self, tree: Any) -> s.Assert:
        condition, message = tree.children
        why = None if message is None else self.expression(message)
        return s.Assert(self.span(tree), self.expression(condition), why)

    def _expect(self, tree: Any) -> s.Expect:
        return s.Expect(self.span(tree), self.several(tree.children))

    def _for(self, tree: Any) -> s.For:
        *names, values, body, pattern = tree.children
        return s.For(
            self.span(tree),
            tuple(map(self.name, names)),
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
                case "label" | "like" if (label if child.data == "label" else like) is not None:
                    raise Unbuildable("E101", "a stage has one label", self.span(child))
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
