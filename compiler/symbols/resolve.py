"""Which definition each name of a file stands for, found in the text alone.

    names = resolve(file)               # never raises; a file with mistakes is welcome
    names.definitions                   # every block, net, let, parameter, label, tensor, …
    names.uses                          # every other place where a name stands, with what it means
    names.at(offset)                    # the definition or use that covers an offset
    names.uses_of(definition)           # the places that mean it
    names.visible(offset)               # what a new line at this offset could name

What a name means where it stands `compiler.symbols.scope` decides, as it does where nets are
unrolled. A keyword of a block that is passed as an argument means that parameter of every block
that some call passes. A label with an interpolation is a `pattern`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import field
from typing import TypeAlias

from compiler.ops import OPS
from compiler.ops.base import is_join
from compiler.symbols.keywords import KeywordCall, keyword_uses
from compiler.symbols.names import (
    Kind,
    NameDefinition,
    Names,
    Reference,
    Role,
    children,
    literal,
    unquoted,
)
from compiler.symbols.scope import NameScope
from grammar import syntax as s
from grammar.records import dataclass
from grammar.source import Span

KINDS: dict[str, Kind] = {"block": "block", "net": "net", "train": "train"}


def resolve(file: s.File) -> Names:
    """The names of a file."""
    return _Resolver(file).run()


Found: TypeAlias = tuple[NameDefinition, ...]  # several where the branches of an `if` define a name


@dataclass
class TextScope(NameScope[Found, Found]):
    """Names between a pair of braces that end at offset `end`; `patterns` are labels with `{…}`."""

    end: int = 0
    patterns: list[NameDefinition] = field(default_factory=list)


class _Resolver:
    def __init__(self, file: s.File) -> None:
        self.file = file
        self.definitions: list[NameDefinition] = []
        self.uses: list[Reference] = []
        self.parameters: dict[NameDefinition, dict[str, NameDefinition]] = {}
        self.calls: list[KeywordCall] = []
        self.top = TextScope(end=len(file.source.text))
        self.scope = self.top
        self.owner: NameDefinition | None = None
        self.contracts: list[s.Expect] = []

    def run(self) -> Names:
        bodies: list[tuple[NameDefinition, s.Definition]] = []
        functions: list[tuple[NameDefinition, s.Function]] = []
        for item in self.file.items:
            match item:
                case s.Use():
                    for name in item.names:
                        self.define("used", name, item, self.top.values, start=0)
                case s.Let():
                    for name in s.names_in(item.names):
                        self.define("let", name, item, self.top.values, start=0)
                case s.Function():
                    made = self.define("let", item.name, item, self.top.values, start=0)
                    functions.append((made, item))
                case s.Definition():
                    kind = KINDS[item.kind]
                    made = self.define(kind, item.name, item, self.top.values, start=0)
                    bodies.append((made, item))
        for item in self.file.items:
            if isinstance(item, s.Let):
                self.expressions(item.value)
        for made, function in functions:
            self.function(made, function)
        for made, definition in bodies:
            self.body_of(made, definition)
        self.uses += keyword_uses(self.calls, self.parameters)
        self.definitions.sort(key=lambda d: d.span.start)
        self.uses.sort(key=lambda u: u.span.start)
        return Names(tuple(self.definitions), tuple(self.uses))

    # ── keeping ──────────────────────────────────────────────────────────────────────────────

    def define(
        self,
        kind: Kind,
        name: s.Name | s.Text,
        node: s.Syntax,
        names: dict[str, Found] | None,
        *,
        start: int | None = None,
    ) -> NameDefinition:
        """Keep a definition, to be seen from `start` (by default its node's end) to its scope's."""
        span = name.span if isinstance(name, s.Name) else unquoted(name)
        text = name.id if isinstance(name, s.Name) else literal(name)
        scope = self.scope.body() if kind in ("label", "pattern") else self.scope
        begin = node.span.end if start is None else start
        visible = Span(span.source, begin, max(begin, scope.end))
        word = span.text if text is None else text
        made = NameDefinition(kind, word, span, visible, node, self.owner)
        self.definitions.append(made)
        if text is None:
            self.scope.body().patterns.append(made)
        if names is not None:
            names[made.name] = (*names.get(made.name, ()), made)
        return made

    def use(self, name: s.Name, role: Role, definitions: Found | None) -> None:
        self.uses.append(Reference(name.id, name.span, role, definitions or ()))

    def use_text(self, text: s.Text, definitions: Found | None) -> None:
        """A string that names a tensor or layer; one that names nothing is no use."""
        if definitions:
            self.uses.append(Reference(definitions[0].name, unquoted(text), "text", definitions))

    # ── bodies ───────────────────────────────────────────────────────────────────────────────

    def body_of(self, made: NameDefinition, definition: s.Definition) -> None:
        """A block or net: parameters and inputs first, what a contract says of it last."""
        self.owner, end = made, definition.body.span.end
        self.scope = TextScope(self.top, end=end)
        known = self.parameters.setdefault(made, {})
        for parameter in definition.parameters:
            if parameter.default is not None:
                self.expressions(parameter.default)
            known[parameter.name.id] = self.define(
                "parameter", parameter.name, parameter, self.scope.values
            )
        statements = definition.body.statements
        inputs = [self.input(st) for st in statements if isinstance(st, s.InputDeclaration)]
        if len(inputs) == 1:
            self.scope.tensors["in"] = tuple(inputs)
        self.contracts = []
        self.statements(statements)
        for contract in self.contracts:
            for condition in contract.conditions:
                self.expressions(condition, contract=True)
        self.scope = self.top
        self.owner = None

    def input(self, statement: s.InputDeclaration) -> NameDefinition:
        """`input image: f32[3, H, W]`: sizes that nothing defines become symbols."""
        start = statement.name.span.end
        made = self.define("input", statement.name, statement, self.scope.tensors, start=start)
        if statement.outside is not None:
            self.expressions(statement.outside)
        for size in statement.shape.sizes:
            if isinstance(size, s.Name) and not self.scope.value(size.id):
                self.define("symbol", size, statement, self.scope.values, start=start)
            else:
                self.expressions(size)
        if statement.origin is not None:
            for argument in statement.origin.arguments:
                self.expressions(argument.value)
        return made

    def statements(self, statements: Iterable[s.Statement]) -> None:
        for statement in statements:
            match statement:
                case s.Flow():
                    self.chain(statement.chain)
                case s.Bind():
                    self.chain(statement.chain)
                    for name in statement.names:
                        self.define("tensor", name, statement, self.scope.tensors)
                case s.OutputDeclaration():
                    if statement.chain is not None:
                        self.chain(statement.chain)
                    self.assertion(statement.shape)
                    if statement.outside is not None:
                        self.expressions(statement.outside)
                    if statement.labels is not None and statement.labels.condition is not None:
                        self.expressions(statement.labels.condition)
                    if isinstance(statement.name, s.Text):
                        self.expressions(statement.name)
                    names = None if literal_name(statement.name) is None else self.scope.tensors
                    self.define("output", statement.name, statement, names)
                case s.Let():
                    self.expressions(statement.value)
                    for name in s.names_in(statement.names):
                        self.define("let", name, statement, self.scope.values)
                case s.Function():
                    made = self.define("let", statement.name, statement, self.scope.values)
                    self.function(made, statement)
                case s.Expect():
                    self.contracts.append(statement)
                case s.For() | s.Repeat() | s.Step():
                    self.loop(statement)
                case s.DataDeclaration() | s.NoiseDeclaration() | s.Augment() | s.Assign():
                    self.learning(statement)
                case s.Objective() | s.Report() | s.Update() | s.Setting() | s.Show():
                    self.expressions(statement)
                case s.If():
                    self.expressions(statement.condition)
                    for body in (statement.then, statement.otherwise):
                        if body is not None:
                            self.statements(body.statements)
                    self.assertion(statement.shape)
                case s.Assert():
                    self.expressions(statement)

    def learning(
        self, statement: s.DataDeclaration | s.NoiseDeclaration | s.Augment | s.Assign
    ) -> None:
        """What a training says of its samples, and what it names."""
        match statement:
            case s.DataDeclaration():
                for part in statement.parts:
                    self.expressions(part.shape)
                    for argument in part.origin.arguments if part.origin else ():
                        self.expressions(argument.value)
                    self.define("data", part.name, part, self.scope.tensors)
            case s.NoiseDeclaration():
                self.expressions(statement.shape)
                self.define("noise", statement.name, statement, self.scope.tensors)
            case s.Augment():
                for name in statement.names:
                    self.use(name, "name", self.scope.tensor(name.id))
                for stage in statement.stages:
                    self.expressions(stage)
            case s.Assign():
                for stage in statement.stages:
                    self.expressions(stage)
                self.define("tensor", statement.name, statement, self.scope.tensors)

    def loop(self, statement: s.For | s.Repeat | s.Step) -> None:
        if not isinstance(statement, s.Step):
            values = statement.values if isinstance(statement, s.For) else statement.count
            self.expressions(values)
        outer, self.scope = self.scope, TextScope(self.scope, end=statement.body.span.end)
        if isinstance(statement, s.For):
            start = statement.body.span.start
            for name in s.names_in(statement.names):
                self.define("loop", name, statement, self.scope.values, start=start)
        self.statements(statement.body.statements)
        self.scope = outer
        if not isinstance(statement, s.Step):
            self.assertion(statement.shape)

    # ── flow ─────────────────────────────────────────────────────────────────────────────────

    def chain(self, chain: s.Chain) -> None:
        for index, stage in enumerate(chain.stages):
            self.stage(stage, first=index == 0)

    def stage(self, stage: s.Stage, *, first: bool) -> None:
        callee = () if stage.callee is None else self.callee(stage, stage.callee, first=first)
        if stage.source is not None:
            self.source(stage.source)
        if stage.callee is not None and stage.arguments:
            self.arguments(stage.callee, stage.arguments, callee)
        if stage.body is not None:
            outer, self.scope = self.scope, TextScope(self.scope, end=stage.body.span.end)
            self.statements(stage.body.statements)
            self.scope = outer
        if stage.like is not None:
            name = literal(stage.like)
            self.use_text(stage.like, () if name is None else self.scope.body().tensor(name))
            self.expressions(stage.like)
        self.assertion(stage.shape)
        if stage.label is not None and stage.label.parts != ("",):
            fixed = literal(stage.label) is not None
            names = self.scope.body().tensors if fixed else None
            self.define("label" if fixed else "pattern", stage.label, stage, names)
            self.expressions(stage.label)

    def assertion(self, shape: s.ShapePattern | None) -> None:
        if shape is not None:
            self.expressions(shape)

    def source(self, source: s.Expression) -> None:
        """`"p{l}"`, `taps[i]`, `t.low`: where a chain begins."""
        self.expressions(source)
        if isinstance(source, s.Text) and (name := literal(source)) is not None:
            self.use_text(source, self.scope.tensor(name))
        elif isinstance(source, s.Text):
            self.use_pattern(source)

    def use_pattern(self, text: s.Text) -> None:
        """A string with interpolations: every tensor here that it may name."""
        skeleton = tuple(part if isinstance(part, str) else None for part in text.parts)
        wanted = re.compile("".join(".*" if p is None else re.escape(p) for p in skeleton))
        found = [d for d in self.scope.body().patterns if skeleton_of(d) == skeleton]
        scope: TextScope | None = self.scope
        while scope is not None:
            named = (ds for name, ds in scope.tensors.items() if wanted.fullmatch(name))
            found += [d for ds in named for d in ds]
            scope = scope.parent
        if found:
            name = unquoted(text)
            self.uses.append(Reference(name.text, name, "text", tuple(dict.fromkeys(found))))

    def function(self, made: NameDefinition, statement: s.Function) -> None:
        """`let divisible(v, d=8) = …`: its parameters are seen in it alone."""
        owner, self.owner = self.owner, made
        known = self.parameters.setdefault(made, {})
        for parameter in statement.parameters:
            if parameter.default is not None:
                self.expressions(parameter.default)
        outer, self.scope = self.scope, TextScope(self.scope, end=statement.value.span.end)
        for parameter in statement.parameters:
            known[parameter.name.id] = self.define(
                "parameter",
                parameter.name,
                parameter,
                self.scope.values,
                start=statement.value.span.start,
            )
        self.expressions(statement.value)
        self.scope, self.owner = outer, owner

    def callee(self, stage: s.Stage, name: s.Name, *, first: bool) -> Found:
        """What a stage names: at the beginning of a chain a tensor wins."""
        bare = stage.arguments is None and stage.body is None
        found = self.scope.at_head(name.id, bare=bare, first=first) or ()
        self.use(name, "callee", found)
        return found

    def arguments(self, name: s.Name, arguments: tuple[s.Argument, ...], callee: Found) -> None:
        for argument in arguments:
            value = argument.value
            text = literal(value) if isinstance(value, s.Text) and not argument.keyword else None
            if isinstance(value, s.Text) and not argument.keyword and not callee and joins(name.id):
                if text:
                    self.use_text(value, self.scope.tensor(text))
                elif text is None:
                    self.use_pattern(value)
            self.expressions(value)
        self.keywords(callee, arguments)

    def called(self, name: s.Name, arguments: tuple[s.Argument, ...]) -> None:
        """A call inside an expression: of a function, or of a block that is bound as a value."""
        callee = self.scope.value(name.id) or ()
        if callee:
            self.keywords(callee, arguments)

    def keywords(self, callee: Found, arguments: tuple[s.Argument, ...]) -> None:
        """Keep a call, whose keywords mean parameters."""
        values = (a.value for a in arguments)
        named = ((self.scope.value(v.id) or ()) if isinstance(v, s.Name) else () for v in values)
        self.calls.append(KeywordCall(callee, arguments, tuple(named)))

    # ── expressions ──────────────────────────────────────────────────────────────────────────

    def expressions(self, root: s.Syntax, *, contract: bool = False) -> None:
        """Every name below a node; in a contract the strings that `rf` takes are names too."""
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if isinstance(node, s.Comprehension):
                self.comprehension(node)
                continue
            if isinstance(node, s.Name):
                self.use(node, "name", self.scope.in_expression(node.id))
            elif isinstance(node, s.CallExpression) and isinstance(node.function, s.Name):
                self.called(node.function, node.arguments)
            if contract and isinstance(node, s.CallExpression):
                for argument in node.arguments:
                    if isinstance(argument.value, s.Text):
                        name = literal(argument.value)
                        self.use_text(argument.value, self.scope.tensor(name or ""))
            waiting += children(node)

    def comprehension(self, node: s.Comprehension) -> None:
        """`[f(c) for c in widths if c > 8]`: its names are seen in what follows them and before."""
        outer = self.scope
        for clause in node.clauses:
            self.expressions(clause.values)
            self.scope = TextScope(self.scope, end=node.span.end)
            for name in s.names_in(clause.names):
                start = node.item.span.start
                self.define("loop", name, clause, self.scope.values, start=start)
            if clause.condition is not None:
                self.expressions(clause.condition)
        self.expressions(node.item)
        self.scope = outer


def skeleton_of(definition: NameDefinition) -> tuple[str | None, ...]:
    """The pieces of a name that interpolates, None for each interpolation."""
    node = definition.node
    text = node.name if isinstance(node, s.OutputDeclaration) else None
    text = node.label if isinstance(node, s.Stage) else text
    assert isinstance(text, s.Text)
    return tuple(part if isinstance(part, str) else None for part in text.parts)


def literal_name(name: s.Name | s.Text) -> str | None:
    """What an output is called, None when that interpolates."""
    return name.id if isinstance(name, s.Name) else literal(name)


def joins(name: str) -> bool:
    """Whether an op of this name takes tensors by their names."""
    return name in OPS and is_join(OPS[name])
