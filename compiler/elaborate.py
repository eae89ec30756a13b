"""Syntax tree to graph: blocks, loops and branches unrolled, each node's shape inferred at once.

Elaboration goes on after a mistake: what depends on it is poisoned and stays silent, the rest is
still checked, and an asserted shape of plain numbers takes the place of a shape that is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from compiler.bind import bind_block, bind_op, bind_picture
from compiler.dims import Dim, Size, symbol
from compiler.domain import Contradiction, Facts, valid_domain
from compiler.evaluate import POISON, Evaluator, Mistake, Scope, Silenced, Tensor
from compiler.graph import Call, Graph, Input, Node
from compiler.modules import Block, diagnostic
from compiler.ops import OPS
from compiler.ops.arguments import show
from compiler.ops.base import Op, Shape, ShapeError, show_shape
from compiler.shapes import infer
from compiler.suggest import backwards
from grammar import syntax as s
from grammar.diagnostics import Diagnostic, TrailStep, deduplicate, did_you_mean
from grammar.source import Span

MOST_NODES = 200_000
MOST_CALLS = 60
DTYPES = ("f32",)


@dataclass
class Frame:
    """One call of a block (or the net itself): where its layers' names begin, what entered it."""

    path: str
    entered: Tensor | None
    trail: tuple[Call, ...]
    definition: s.Definition
    inner: bool
    like: str | None = None
    outputs: dict[str, Tensor] = field(default_factory=dict)

    def name(self, local: str) -> str:
        """The full name of a label in this call."""
        return f"{self.path}.{local}" if self.path else local


@dataclass(frozen=True)
class Elaborated:
    """The graph, the contracts still to be checked with the scope they stand in, the mistakes."""

    graph: Graph
    contracts: tuple[s.Expect, ...]
    scope: Scope
    diagnostics: tuple[Diagnostic, ...]


def elaborate(net: Block, overrides: Mapping[str, Any] | None = None) -> Elaborated:
    """Unroll a net; `overrides` are values for its parameters."""
    return Elaborator(net).run(overrides or {})


class Elaborator:
    """One network being unrolled."""

    def __init__(self, net: Block) -> None:
        self.net = net
        self.facts = Facts()
        self.evaluate = Evaluator(self.facts)
        self.graph = Graph(net.name, facts=self.facts)
        self.outputs: dict[str, str] = {}
        self.labels: dict[str, tuple[str, ...]] = {}
        self.scopes_used: dict[str, Span] = {}
        self.counts: dict[tuple[str, str], int] = {}
        self.conditions: list[tuple[Size, int]] = []
        self.symbols: list[str] = []
        self.contracts: list[s.Expect] = []
        self.diagnostics: list[Diagnostic] = []

    def run(self, overrides: Mapping[str, Any]) -> Elaborated:
        """The whole net."""
        definition = self.net.definition
        frame = Frame("", None, (), definition, inner=False)
        scope = Scope(self.net.scope)
        try:
            self.bind_parameters(definition, overrides, scope)
            flow = self.begin(definition, frame, scope)
            self.body(definition.body, frame, scope, flow)
            if not self.outputs and not self.diagnostics:
                raise Mistake(
                    "E501",
                    f"net {self.net.name} has no output",
                    definition.name.span,
                    help="end it with `output name`",
                )
        except Mistake as mistake:
            self.report(mistake, frame)
        except Silenced:
            pass
        graph = Graph(self.net.name, self.graph.digraph, self.outputs, self.labels, self.facts)
        try:
            domain = valid_domain(self.facts, self.conditions, self.symbols)
            graph = graph.with_domain(domain)
        except Contradiction as error:
            self.diagnostics.append(
                Diagnostic("E308", f"no input size is valid: {error}", definition.name.span)
            )
        return Elaborated(graph, tuple(self.contracts), scope, tuple(deduplicate(self.diagnostics)))

    def bind_parameters(
        self, definition: s.Definition, overrides: Mapping[str, Any], scope: Scope
    ) -> None:
        """The net's own parameters: overridden, or by default."""
        for parameter in definition.parameters:
            name = parameter.name.id
            if name in overrides:
                scope.values[name] = overrides[name]
            elif parameter.default is not None:
                scope.values[name] = self.evaluate(parameter.default, scope)
            else:
                raise Mistake(
                    "E202",
                    f"net {self.net.name} needs a value for `{name}`",
                    parameter.span,
                    help=f"give a default, or --set {name}=…",
                )

    def begin(self, definition: s.Definition, frame: Frame, scope: Scope) -> Tensor | None:
        """Declare the inputs, learn what the asserts say of their symbols; the flow's beginning."""
        inputs = [st for st in definition.body.statements if isinstance(st, s.InputDeclaration)]
        for statement in inputs:
            self.guarded(lambda st=statement: self.declare_input(st, frame, scope), frame)
        for assertion in definition.body.statements:
            if isinstance(assertion, s.Assert):
                try:
                    self.assume(assertion, assertion.condition, scope)
                except (Mistake, Silenced):
                    continue  # said when its turn comes
        if not inputs:
            raise Mistake(
                "E502",
                f"net {self.net.name} has no input",
                definition.name.span,
                help="declare one: input image: f32[3, 224, 224]",
            )
        flow = scope.tensor(inputs[0].name.id) if len(inputs) == 1 else None
        frame.entered = flow
        if flow is not None:
            scope.tensors["in"] = flow
        return flow

    # ── mistakes ─────────────────────────────────────────────────────────────────────────────

    def report(self, mistake: Mistake, frame: Frame) -> None:
        """Keep a mistake as a diagnostic with the calls that led to it."""
        trail = tuple(TrailStep(call.block, call.span) for call in frame.trail)
        self.diagnostics.append(diagnostic(mistake, trail))

    def guarded(self, action: Any, frame: Frame) -> Any:
        """Run `action`; a mistake is reported and gives the poisoned tensor."""
        try:
            return action()
        except Mistake as mistake:
            self.report(mistake, frame)
        except Silenced:
            pass
        except RecursionError:
            self.report(
                Mistake("E209", "this is nested too deeply", frame.definition.name.span), frame
            )
        return POISON

    # ── statements ───────────────────────────────────────────────────────────────────────────

    def body(self, body: s.Body, frame: Frame, scope: Scope, flow: Tensor | None) -> Tensor | None:
        """Run the statements in order; returns what flows out."""
        for statement in body.statements:
            if isinstance(statement, s.Flow):
                made: Tensor = self.guarded(
                    lambda st=statement, f=flow: self.chain(st.chain, frame, scope, f), frame
                )
                flow = made
            elif isinstance(statement, s.For | s.Repeat | s.If):
                flow = self.control(statement, frame, scope, flow)
            else:
                self.guarded(lambda st=statement, f=flow: self.aside(st, frame, scope, f), frame)
        return flow

    def control(
        self, statement: s.For | s.Repeat | s.If, frame: Frame, scope: Scope, flow: Tensor | None
    ) -> Tensor | None:
        """A loop or condition in a pipeline: its bodies one after the other."""
        bodies = self.guarded(lambda: self.bodies(statement, scope), frame)
        if bodies is POISON:
            return POISON
        result: Tensor | None = flow
        for body, inner in bodies:
            result = self.body(body, frame, inner, result)
        return result

    def bodies(self, statement: s.For | s.Repeat | s.If, scope: Scope) -> list[Any]:
        """The bodies that a loop or condition unrolls to, each with its scope."""
        if isinstance(statement, s.If):
            chosen = (
                statement.then
                if self.evaluate.truth(statement.condition, scope)
                else statement.otherwise
            )
            return [] if chosen is None else [(chosen, scope)]
        if isinstance(statement, s.Repeat):
            count = self.evaluate.whole(statement.count, scope, "a number of repetitions")
            if not 0 <= count <= MOST_NODES:
                raise Mistake(
                    "E209",
                    f"a loop runs at most {MOST_NODES} times",
                    statement.count.span,
                    label=str(count),
                )
            return [(statement.body, Scope(scope)) for _ in range(count)]
        values = self.evaluate(statement.values, scope)
        if not isinstance(values, list | tuple):
            raise Mistake(
                "E205", "`for` runs over a list", statement.values.span, label=show(values)
            )
        if len(values) > MOST_NODES:
            raise Mistake("E209", f"a loop runs at most {MOST_NODES} times", statement.values.span)
        bodies = []
        for value in values:
            inner = Scope(scope)
            if len(statement.names) == 1:
                inner.values[statement.names[0].id] = value
            elif isinstance(value, list | tuple) and len(value) == len(statement.names):
                inner.values.update(zip((n.id for n in statement.names), value, strict=True))
            else:
                raise Mistake(
                    "E205",
                    f"`for` with {len(statement.names)} names needs pairs",
                    statement.values.span,
                    label=f"an item is {show(value)}",
                )
            bodies.append((statement.body, inner))
        return bodies

    def aside(self, statement: Any, frame: Frame, scope: Scope, flow: Tensor | None) -> None:
        """A statement after which the flow is where it was."""
        match statement:
            case s.Let():
                if statement.name.id in scope.values:
                    raise Mistake(
                        "E204",
                        f"`{statement.name.id}` is already defined here",
                        statement.name.span,
                    )
                scope.values[statement.name.id] = self.evaluate(statement.value, scope)
            case s.Bind():
                self.check_new_tensor(statement.name, scope)
                scope.tensors[statement.name.id] = POISON
                scope.tensors[statement.name.id] = self.chain(statement.chain, frame, scope, flow)
            case s.Assert():
                self.check_assert(statement, scope)
            case s.Expect():
                if not frame.inner:
                    self.contracts.append(statement)
            case s.OutputDeclaration():
                self.declare_output(statement, frame, scope, flow)
            case s.InputDeclaration():
                if statement not in frame.definition.body.statements:
                    raise Mistake(
                        "E503", "an input stands directly in a net's body", statement.span
                    )
                if frame.definition.kind == "block":
                    raise Mistake(
                        "E503",
                        "a block has no inputs of its own",
                        statement.span,
                        help="what flows in is called `in`",
                    )

    def check_new_tensor(self, name: s.Name, scope: Scope) -> None:
        """Raise E204 when the name is taken in this scope."""
        if name.id in scope.tensors and name.id != "in":
            raise Mistake("E204", f"the name `{name.id}` is used twice in this scope", name.span)

    def declare_input(self, statement: s.InputDeclaration, frame: Frame, scope: Scope) -> None:
        """`input image: f32[3, H, W]`: names that nothing defines become symbols."""
        if statement.dtype.id not in DTYPES:
            raise Mistake(
                "E203",
                "an input's type must be f32",
                statement.dtype.span,
                help="other precisions are chosen when compiling",
            )
        self.check_new_tensor(statement.name, scope)
        scope.tensors[statement.name.id] = POISON
        shape: list[Size] = []
        for size in statement.shape.sizes:
            if isinstance(size, s.Wildcard):
                raise Mistake(
                    "E203",
                    "an input's sizes are numbers or symbols",
                    size.span,
                    help="name a size that may vary: [3, H, W]",
                )
            if isinstance(size, s.Name) and not scope.has_value(size.id):
                if size.id not in self.symbols:
                    self.symbols.append(size.id)
                scope.values[size.id] = symbol(size.id)
            value = self.evaluate(size, scope)
            if isinstance(value, bool) or not isinstance(value, int | Dim):
                raise Mistake("E203", "a size is a whole number", size.span, label=show(value))
            if isinstance(value, int) and value < 1:
                raise Mistake("E203", "a size is at least 1", size.span, label=str(value))
            shape.append(value)
        if not 1 <= len(shape) <= 4:
            raise Mistake(
                "E305",
                "an input has 1 to 4 sizes: channels, then up to three axes",
                statement.shape.span,
                help="the batch is not written",
            )
        picture = None
        if statement.origin is not None:
            picture = bind_picture(statement.origin, self.evaluate, scope)
            if len(shape) != 3 or shape[0] not in (1, 3, 4):
                raise Mistake(
                    "E305", "a picture is [1, H, W], [3, H, W] or [4, H, W]", statement.shape.span
                )
        name = statement.name.id
        self.graph.add(
            Node(name, Input(statement.dtype.id, picture), (), tuple(shape), statement.name.span)
        )
        self.conditions += [(size, 1) for size in shape if isinstance(size, Dim)]
        scope.tensors[name] = Tensor(name, tuple(shape))

    def declare_output(
        self, statement: s.OutputDeclaration, frame: Frame, scope: Scope, flow: Tensor | None
    ) -> None:
        """`output probs = softmax`, `output features : [64, 56, 56]`"""
        if frame.definition.kind == "block":
            raise Mistake(
                "E503",
                "only a net has outputs",
                statement.span,
                help="a block's result is what flows out of it",
            )
        name = statement.name.id
        if name in frame.outputs:
            raise Mistake("E204", f"the output `{name}` is declared twice", statement.name.span)
        frame.outputs[name] = POISON
        if statement.chain is not None:
            tensor = self.chain(statement.chain, frame, scope, flow)
        elif flow is None:
            raise nothing_flows(statement.span)
        else:
            tensor = flow
        if statement.shape is not None:
            tensor = self.check_shape(tensor, statement.shape, scope, None)
        frame.outputs[name] = tensor
        if name not in scope.tensors:
            scope.tensors[name] = tensor
        if frame.inner or tensor.node is None:
            return
        if statement.labels is not None:
            self.labels[name] = read_labels(statement.labels, tensor)
        self.outputs[name] = tensor.node

    # ── assertions ───────────────────────────────────────────────────────────────────────────

    def check_assert(self, statement: s.Assert, scope: Scope) -> None:
        """`assert condition, "why"`"""
        if self.assume(statement, statement.condition, scope):
            return
        why = self.evaluate(statement.message, scope) if statement.message else "it does not hold"
        raise Mistake(
            "E401",
            f"assertion failed: {why}",
            statement.condition.span,
            notes=self.operand_notes(statement.condition, scope),
        )

    def assume(self, statement: s.Assert, condition: s.Expression, scope: Scope) -> bool:
        """Whether a condition holds; what it says of symbolic sizes is learned."""
        if isinstance(condition, s.Logical) and condition.operator == "and":
            # Every operand is looked at, for what it teaches.
            return not [c for c in condition.operands if not self.assume(statement, c, scope)]
        if not isinstance(condition, s.Comparison):
            return self.evaluate.truth(condition, scope)
        values = [self.evaluate(operand, scope) for operand in condition.operands]
        for left, operator, right in zip(values, condition.operators, values[1:], strict=False):
            symbolic = isinstance(left, Dim) or isinstance(right, Dim)
            sizes = all(isinstance(v, int | Dim) and not isinstance(v, bool) for v in (left, right))
            if symbolic and sizes and self.facts.decide(left, operator, right) is None:
                try:
                    self.facts.assume(left, operator, right)
                except Contradiction as error:
                    raise Mistake(
                        "E401", f"assertion contradicts what is known: {error}", condition.span
                    ) from None
            elif not self.evaluate.compare(left, operator, right, condition.span):
                return False
        return True

    def operand_notes(self, condition: s.Expression, scope: Scope) -> list[str]:
        """What the sides of a failed comparison were."""
        if not isinstance(condition, s.Comparison):
            return []
        return [
            f"{operand.span.text} is {show(self.evaluate(operand, scope))}"
            for operand in condition.operands
            if not isinstance(operand, s.Number | s.SizeLiteral)
        ]

    def check_shape(
        self, tensor: Tensor, pattern: s.ShapePattern, scope: Scope, stage: s.Stage | None
    ) -> Tensor:
        """A shape assertion; after a mistake its plain numbers take over as the shape."""
        wanted = [
            size if isinstance(size, s.Wildcard) else self.evaluate(size, scope)
            for size in pattern.sizes
        ]
        plain = tuple(w for w in wanted if isinstance(w, int | Dim) and not isinstance(w, bool))
        for size, value in zip(pattern.sizes, wanted, strict=True):
            if not isinstance(value, s.Wildcard | int | Dim) or isinstance(value, bool):
                raise Mistake("E203", "a size is a whole number", size.span, label=show(value))
        if tensor.node is None:
            return Tensor(None, plain) if len(plain) == len(wanted) else tensor
        runs = [i for i, w in enumerate(wanted) if isinstance(w, s.Wildcard) and w.run]
        if len(runs) > 1:
            raise Mistake("E203", "a shape has at most one `...`", pattern.span)
        expected: list[Any] = list(wanted)
        if runs:
            missing = max(len(tensor.shape) - len(wanted) + 1, 0)
            expected[runs[0] : runs[0] + 1] = [s.Wildcard(pattern.span, False)] * missing
        fits = len(expected) == len(tensor.shape)
        unproved = None
        for have, want in zip(tensor.shape, expected, strict=False):
            if not isinstance(want, s.Wildcard) and not self.facts.equal(have, want):
                fits, unproved = False, unproved or (have, want)
        if fits:
            return tensor
        node = self.graph[tensor.node]
        help = None
        if unproved and any(isinstance(x, Dim) for x in unproved):
            hint = self.facts.suggest_equal(*unproved)
            counter = self.facts.counterexample(*unproved)
            if hint:
                help = f"`{hint}` would prove it"
            elif counter:
                help = "they differ at " + ", ".join(f"{k} = {v}" for k, v in counter.items())
        elif len(plain) == len(wanted) == len(tensor.shape):
            help = backwards(node.op, self.graph.input_shapes(node), plain, self.facts)
        raise Mistake(
            "E301",
            "the shape is not the asserted one",
            pattern.span,
            label=f"the tensor is {show_shape(tensor.shape)}",
            notes=[f"made by {describe(node)}"],
            help=help,
        )

    # ── chains and stages ────────────────────────────────────────────────────────────────────

    def chain(self, chain: s.Chain, frame: Frame, scope: Scope, flow: Tensor | None) -> Tensor:
        """`a -> b -> c`: returns what the last stage makes."""
        for index, stage in enumerate(chain.stages):
            flow = self.guarded(
                lambda st=stage, f=flow, i=index: self.stage(st, frame, scope, f, first=i == 0),
                frame,
            )
            if stage.shape is not None and flow is not None:
                flow = self.guarded(
                    lambda st=stage, f=flow: self.check_shape(f, st.shape, scope, st), frame
                )
            if stage.label is not None and flow is not None:
                local = self.guarded(lambda st=stage: self.evaluate(st.label, scope), frame)
                if isinstance(local, str) and local:
                    scope_of_labels(scope).tensors[local] = flow
        assert flow is not None
        return flow

    def stage(
        self, stage: s.Stage, frame: Frame, scope: Scope, flow: Tensor | None, *, first: bool
    ) -> Tensor:
        """One stage: a tensor's name, a group, a join, an op or a block."""
        if stage.callee is None:
            assert stage.body is not None
            result = self.body(stage.body, frame, Scope(scope), flow)
            if result is None:
                raise nothing_flows(stage.span)
            return result
        name = stage.callee.id
        if stage.arguments is None and stage.body is None:
            tensor = frame.entered if name == "in" else scope.tensor(name)
            if tensor is not None and (first or name not in OPS):
                if not first:
                    raise Mistake(
                        "E202",
                        "a tensor's name can only begin a chain",
                        stage.span,
                        help=f"join them: concat(…, {name}), add(…, {name})",
                    )
                return tensor
        target = scope.value(name)
        if isinstance(target, type) or (target is None and name in OPS):
            return self.call_op(stage, target or OPS[name], frame, scope, flow)
        if isinstance(target, Block):
            if stage.body is not None:
                raise Mistake("E202", f"block `{name}` takes no braces", stage.body.span)
            return self.call_block(stage, target, frame, scope, flow)
        if name in OPS:
            return self.call_op(stage, OPS[name], frame, scope, flow)
        if target is not None:
            raise Mistake(
                "E201",
                f"`{name}` is no layer or block",
                stage.callee.span,
                label=f"its value is {show(target)}",
            )
        known = set(OPS) | scope.names()
        raise Mistake(
            "E201",
            f"unknown layer, block or tensor `{name}`",
            stage.callee.span,
            help=did_you_mean(name, known),
        )

    def call_op(
        self, stage: s.Stage, op_type: type[Op], frame: Frame, scope: Scope, flow: Tensor | None
    ) -> Tensor:
        """A layer: its inputs, its arguments, its node."""
        op, tensors, places = bind_op(stage, op_type, self.evaluate, scope, self.named_tensor)
        joins = op_type.most_inputs != 1
        if stage.body is not None:
            if not joins:
                raise Mistake(
                    "E202",
                    f"`{op_type.name}` takes no braces",
                    stage.body.span,
                    help="only joins do: concat, add, mul, sub, max, mean",
                )
            tensors = self.branches(stage.body, frame, scope, flow)
        elif joins and not tensors:
            raise Mistake(
                "E202",
                f"`{op_type.name}` joins several tensors",
                stage.span,
                help=f"{op_type.name} {{ … }} with a branch a line, or {op_type.name}(a, b)",
            )
        elif not joins:
            if flow is None:
                raise nothing_flows(stage.span)
            tensors = [flow]
        if any(tensor.node is None for tensor in tensors):
            raise Silenced
        least, most = op_type.least_inputs, op_type.most_inputs
        if len(tensors) < least or (most is not None and len(tensors) > most):
            raise Mistake(
                "E202",
                f"`{op_type.name}` joins {least} tensors",
                stage.span,
                label=f"here are {len(tensors)}",
            )
        return self.add_layer(stage, op, tensors, places, frame, scope)

    def named_tensor(self, value: Any, scope: Scope) -> Tensor | None:
        """A tensor argument: a tensor, or a string that is the label of one."""
        if isinstance(value, str):
            return scope.tensor(value)
        return value if isinstance(value, Tensor) else None

    def add_layer(
        self,
        stage: s.Stage,
        op: Op,
        tensors: list[Tensor],
        places: dict[str, Span],
        frame: Frame,
        scope: Scope,
    ) -> Tensor:
        """Put the layer into the graph with its inferred shape."""
        assert stage.callee is not None
        if len(self.graph) >= MOST_NODES:
            raise Mistake("E209", f"a net has at most {MOST_NODES} layers", stage.span)
        sources = tuple(t.node for t in tensors if t.node is not None)
        shapes = tuple(t.shape for t in tensors)
        try:
            shape = infer(op, shapes, self.facts)
            self.conditions += [(size, 1) for size in shape if isinstance(size, Dim)]
            asked = op.conditions(shapes, self.facts)
            self.conditions += [(size, least) for size, least in asked if isinstance(size, Dim)]
        except ShapeError as error:
            span = places.get(error.argument or "", stage.callee.span)
            inputs = [
                f"input: {show_shape(self.graph[name].shape)}, from {describe(self.graph[name])}"
                for name in dict.fromkeys(sources)
            ]
            raise Mistake(
                error.code,
                error.message,
                span,
                label=error.label,
                notes=[*inputs[:8], *error.notes],
                help=error.help,
            ) from None
        local = self.local_name(stage, op.name, frame, scope)
        name = frame.name(local)
        node = Node(
            name,
            op,
            sources,
            shape,
            stage.span,
            frame.trail,
            self.owner(stage, name, op, shapes, frame, scope),
        )
        self.graph.add(node)
        return Tensor(name, shape)

    def local_name(self, stage: s.Stage, word: str, frame: Frame, scope: Scope) -> str:
        """The label, or the op's name and a count within its block."""
        if stage.label is not None:
            local = self.evaluate(stage.label, scope)
            assert isinstance(local, str)
            if not local:
                raise Mistake(
                    "E204", "only a block call can have the empty label", stage.label.span
                )
            self.claim(frame.name(local), stage.label.span)
            return local
        while True:
            count = self.counts.get((frame.path, word), 0) + 1
            self.counts[frame.path, word] = count
            name = frame.name(f"{word}{count}")
            if name not in self.graph and name not in self.scopes_used:
                return f"{word}{count}"

    def claim(self, name: str, span: Span) -> None:
        """Take a full name for a label; raises E204 when it is taken, or cannot be one."""
        if any(ord(c) < 32 or c in "/\\" for c in name) or ".." in f".{name}.":
            raise Mistake("E204", "a label has no slashes and no empty parts", span, label=name)
        if name in self.scopes_used or name in self.graph:
            first = self.scopes_used.get(name)
            first = self.graph[name].span if first is None else first
            raise Mistake(
                "E204",
                f"the label `{name}` is used twice in this scope",
                span,
                label=f"first at line {first.line}",
                help='make labels of a loop differ: as "stage{i}"',
            )
        self.scopes_used[name] = span

    def owner(
        self,
        stage: s.Stage,
        name: str,
        op: Op,
        shapes: tuple[Shape, ...],
        frame: Frame,
        scope: Scope,
    ) -> str:
        """The layer whose parameters this one uses, checked to be of the same kind and shape."""
        if stage.like is not None:
            owner = frame.name(str(self.evaluate(stage.like, scope)))
            place = stage.like.span
        elif frame.like is not None:
            owner = frame.like + name.removeprefix(frame.path)
            place = stage.span
        else:
            return ""
        weights = op.weights(shapes)
        if not weights and stage.like is None:
            return ""
        if owner not in self.graph:
            raise Mistake(
                "E206",
                f"`like` finds no layer `{owner}`",
                place,
                help=did_you_mean(owner, self.scopes_used),
            )
        other = self.graph[owner]
        theirs = {w.name: w.shape for w in self.graph.weights(other)}
        ours = {w.name: w.shape for w in weights}
        notes = []
        if other.op.name != op.name:
            notes.append(f"{owner} is a {other.op.name}, this is a {op.name}")
        for key in dict.fromkeys([*theirs, *ours]):
            if theirs.get(key) != ours.get(key):
                a, b = theirs.get(key), ours.get(key)
                notes.append(
                    f"{key}: {show_shape(a) if a else 'none'} there, "
                    f"{show_shape(b) if b else 'none'} here"
                )
        if notes:
            raise Mistake(
                "E206", f"`like {owner}` needs the same op and parameter shapes", place, notes=notes
            )
        return other.parameters_of

    # ── joins ────────────────────────────────────────────────────────────────────────────────

    def branches(
        self, body: s.Body, frame: Frame, scope: Scope, flow: Tensor | None
    ) -> list[Tensor]:
        """Each chain or group in the braces is a branch fed by what flows."""
        found: list[Tensor] = []
        inner = Scope(scope)
        for statement in body.statements:
            if isinstance(statement, s.Flow):
                found.append(
                    self.guarded(
                        lambda st=statement: self.chain(st.chain, frame, inner, flow), frame
                    )
                )
            elif isinstance(statement, s.For | s.Repeat | s.If):
                bodies = self.guarded(lambda st=statement: self.bodies(st, inner), frame)
                if bodies is POISON:
                    found.append(POISON)
                    continue
                for chosen, its_scope in bodies:
                    found += self.branches(chosen, frame, its_scope, flow)
            else:
                self.guarded(lambda st=statement: self.aside(st, frame, inner, flow), frame)
        return found

    # ── blocks ───────────────────────────────────────────────────────────────────────────────

    def call_block(
        self, stage: s.Stage, block: Block, frame: Frame, scope: Scope, flow: Tensor | None
    ) -> Tensor:
        """A block (or a net with one input and one output) in place of a layer."""
        definition = block.definition
        names = [call.block for call in frame.trail]
        if definition is self.net.definition or block.name in names:
            start = names.index(block.name) if block.name in names else 0
            cycle = " -> ".join([*names[start:], block.name])
            raise Mistake("E210", f"block `{block.name}` reaches itself", stage.span, label=cycle)
        if len(frame.trail) >= MOST_CALLS:
            raise Mistake("E209", f"blocks are nested more than {MOST_CALLS} deep", stage.span)
        inner = Scope(block.scope)
        inner.values.update(bind_block(stage, definition, self.evaluate, scope, inner))
        if flow is None:
            raise nothing_flows(stage.span)
        path = frame.path
        label = None if stage.label is None else self.evaluate(stage.label, scope)
        if label != "":
            path = frame.name(self.local_name(stage, block.name, frame, scope))
            self.scopes_used.setdefault(path, stage.span)
        like = None
        if stage.like is not None:
            like = frame.name(str(self.evaluate(stage.like, scope)))
            if like not in self.scopes_used:
                raise Mistake(
                    "E206",
                    f"`like` finds no block `{like}`",
                    stage.like.span,
                    help=did_you_mean(like, self.scopes_used),
                )
        elif frame.like is not None:
            like = frame.like + path.removeprefix(frame.path)
        call = Frame(
            path,
            flow,
            (*frame.trail, Call(block.name, stage.span)),
            definition,
            inner=True,
            like=like,
        )
        inner.tensors["in"] = flow
        before = len(self.diagnostics)
        if definition.kind == "net":
            self.enter_net(stage, definition, call, inner, flow)
        result = self.body(definition.body, call, inner, flow)
        if definition.kind == "net":
            if len(call.outputs) != 1:
                raise Mistake(
                    "E504",
                    "a net called like a block has one output",
                    stage.span,
                    label=f"{block.name} has {len(call.outputs)}",
                )
            result = next(iter(call.outputs.values()))
        if like is not None and result is not None and stage.like is not None:
            self.check_all_shared(stage, path, like)
        if len(self.diagnostics) > before and result is not None and result.node is None:
            raise Silenced
        assert result is not None
        return result

    def check_all_shared(self, stage: s.Stage, path: str, like: str) -> None:
        """Raise E206 when the other block has layers with parameters that this one lacks."""
        assert stage.like is not None
        used = {
            node.parameters_of for node in self.graph.nodes() if node.name.startswith(path + ".")
        }
        left = [
            node.name
            for node in self.graph.nodes()
            if node.name.startswith(like + ".")
            and self.graph.weights(node)
            and node.parameters_of not in used
        ]
        if left:
            raise Mistake(
                "E206",
                f"`like {like}` needs the same layers",
                stage.like.span,
                notes=[f"{name} has no counterpart here" for name in left[:8]],
            )

    def enter_net(
        self, stage: s.Stage, definition: s.Definition, frame: Frame, scope: Scope, flow: Tensor
    ) -> None:
        """Bind a called net's single input to what flows; its symbols become the actual sizes."""
        inputs = [st for st in definition.body.statements if isinstance(st, s.InputDeclaration)]
        if len(inputs) != 1:
            raise Mistake(
                "E504",
                "a net called like a block has one input",
                stage.span,
                label=f"{definition.name.id} has {len(inputs)}",
            )
        if flow.node is None:
            raise Silenced
        sizes = inputs[0].shape.sizes
        fits = len(sizes) == len(flow.shape)
        for size, have in zip(sizes, flow.shape, strict=False):
            if isinstance(size, s.Name) and not scope.has_value(size.id):
                scope.values[size.id] = have
            elif not isinstance(size, s.Wildcard):
                fits = fits and self.facts.equal(have, self.evaluate(size, scope))
        if not fits:
            raise Mistake(
                "E301",
                f"net {definition.name.id} takes {inputs[0].shape.span.text}",
                stage.span,
                label=f"but {show_shape(flow.shape)} flows here",
            )
        scope.tensors[inputs[0].name.id] = flow


def scope_of_labels(scope: Scope) -> Scope:
    """Labels live in the call's outermost braces, so that a later part of it can join them."""
    while (
        scope.parent is not None and "in" not in scope.tensors and scope.parent.parent is not None
    ):
        scope = scope.parent
    return scope


def nothing_flows(span: Span) -> Mistake:
    """The mistake of a stage that is fed by nothing."""
    return Mistake(
        "E504",
        "nothing flows here yet",
        span,
        help="with several inputs a chain begins with a tensor's name: left -> conv(…)",
    )


def describe(node: Node) -> str:
    """A node for a note: its source text and line."""
    if isinstance(node.op, Input):
        return f"input {node.name} at line {node.span.line}"
    text = " ".join(node.span.text.split())
    text = text if len(text) <= 40 else f"{node.op.name}(…)"
    return f"{text} at line {node.span.line}"


def read_labels(path: s.Text, tensor: Tensor) -> tuple[str, ...]:
    """The class names of an output, one a line, as many as the output has numbers."""
    text = "".join(part for part in path.parts if isinstance(part, str))
    here = path.span.source.path
    file = here.resolve().parent / text if here else None
    if file is None or not file.resolve().is_relative_to(file.parent.resolve()) or ".." in text:
        raise Mistake("E207", "class names lie beside the definition", path.span)
    try:
        names = tuple(file.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise Mistake("E207", f"the class names cannot be read: {error}", path.span) from None
    if len(tensor.shape) != 1 or tensor.shape[0] != len(names):
        raise Mistake(
            "E207",
            "there must be one class name for each number of the output",
            path.span,
            label=f"{len(names)} names for {show_shape(tensor.shape)}",
        )
    return names
