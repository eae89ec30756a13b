"""The expressions of a training: numbers as anywhere else, and tensors that calls and signs join.

    lenet5(image)                a net called on tensors; scores.logits is a tensor named in it
    cross_entropy(scores.logits, label), mse(y, x)       losses
    log(D(x)), softmax(y), crop(y, 24, 24)               functions, layers without parameters
    a + 0.3 * b, a / b, a ** 2                           arithmetic, element by element

Schedules and optimisers, `cosine(0.1)` and `adam(1e-3)`, are values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields
from functools import partial
from typing import Any

from compiler.bind import convert, match, signature
from compiler.evaluate import Evaluator
from compiler.graph import Input, Node
from compiler.ops import OPS
from compiler.ops.activate import Sigmoid, Softmax
from compiler.ops.arguments import show
from compiler.ops.base import Op, ShapeError, is_required, show_shape
from compiler.ops.elementary import Power
from compiler.ops.joins import Add, Join, Mul, Sub
from compiler.ops.losses import (
    FUNCTIONS,
    AbsoluteError,
    Accuracy,
    Average,
    BinaryCrossEntropy,
    ClassLoss,
    CrossEntropy,
    Divergence,
    Hinge,
    Huber,
    Loss,
    SquaredError,
)
from compiler.ops.scale import Scale, Shift
from compiler.symbols.modules import Closure
from compiler.training.calls import bound_sizes, called_graph
from compiler.training.optimisers import OPTIMISERS
from compiler.training.schedules import SCHEDULES
from compiler.training.stable import is_never_negative, is_often_zero, logarithm
from compiler.training.whole import Called, UsedNet, Whole
from compiler.values import POISON, Mistake, Scope, Silenced, Tensor, kind_word, not_taken, unknown
from grammar import syntax as s
from grammar.diagnostics import Fix, nearest
from grammar.source import Span

LOSSES: dict[str, type[Loss]] = {
    op.name: op
    for op in (
        CrossEntropy,
        BinaryCrossEntropy,
        SquaredError,
        AbsoluteError,
        Huber,
        Hinge,
        Divergence,
        Accuracy,
    )
}
Given = list[tuple[s.Expression, Any]]


class Expressions(Evaluator):
    """Evaluates the expressions of one training; what they compute is added to `whole`."""

    def __init__(self, whole: Whole) -> None:
        super().__init__(whole.facts)
        self.built = whole

    # ── chains ───────────────────────────────────────────────────────────────────────────────

    def chain(self, stages: tuple[s.Expression, ...], scope: Scope) -> Any:
        """`image -> lenet5`: each stage after the first takes what flows as its first tensor."""
        value = self(stages[0], scope)
        for stage in stages[1:]:
            fed = (stages[0], value)
            if isinstance(stage, s.CallExpression) and isinstance(stage.function, s.Name):
                value = self.call(stage.function, stage.arguments, stage, scope, [fed])
            elif isinstance(stage, s.Name):
                value = self.call(stage, (), stage, scope, [fed])
            else:
                raise Mistake(
                    "E202", "a stage of a chain is a net, a layer or a function", stage.span
                )
        return value

    def tensor(self, value: Any, place: s.Expression) -> Tensor:
        """A value where a tensor is needed: a tensor, or a net's only output."""
        if value is POISON:
            raise Silenced
        if isinstance(value, Called):
            if value.single is None:
                names = ", ".join(f".{name}" for name in value.outputs)
                raise Mistake(
                    "E205",
                    f"{value.net} has several outputs",
                    place.span,
                    help=f"say which: {names}",
                )
            return value.single
        if isinstance(value, Tensor):
            return value
        raise Mistake(
            "E205",
            f"a tensor stands here, this is {kind_word(value)}",
            place.span,
            label=show(value),
        )

    # ── calls ────────────────────────────────────────────────────────────────────────────────

    def _callexpression(self, node: s.CallExpression, scope: Scope) -> Any:
        if isinstance(node.function, s.Name):
            return self.call(node.function, node.arguments, node, scope, [])
        return super()._callexpression(node, scope)

    def call(
        self,
        function: s.Name,
        arguments: tuple[s.Argument, ...],
        node: s.Expression,
        scope: Scope,
        fed: Given,
    ) -> Any:
        """What a call gives; `fed` are tensors that come before its arguments."""
        name = function.id
        target = scope.value(name) if scope.has_value(name) else None
        if isinstance(target, Closure):
            return self.call_net(target, function, arguments, node, scope, fed)
        if target is None and name in OPTIMISERS | SCHEDULES:
            return self.bind({**OPTIMISERS, **SCHEDULES}[name], name, arguments, node.span, scope)
        if target is None and name in LOSSES:
            return self.call_loss(LOSSES[name], arguments, node, scope, fed)
        if target is None and (name in FUNCTIONS or name in OPS):
            given, rest = self.tensors_first(arguments, scope, fed)
            if len(given) == 1 and name in FUNCTIONS and not rest:
                return self.call_function(name, given[0], node)
            if given:
                if name not in OPS:
                    raise Mistake("E202", f"`{name}` takes one tensor", node.span)
                return self.call_layer(OPS[name], given, rest, node, scope)
        if fed:
            self.check_known(function, target, scope)
            raise Mistake("E202", f"`{name}` takes no tensor", node.span)
        if isinstance(node, s.CallExpression):
            self.check_known(function, target, scope)
            return super()._callexpression(node, scope)
        return self(function, scope)

    @staticmethod
    def check_known(function: s.Name, target: Any, scope: Scope) -> None:
        """Raise E201 for a name that nothing has."""
        from compiler.builtins import BUILTINS

        name = function.id
        if target is not None or name in BUILTINS or name in OPS:
            return
        if scope.is_lost(name):
            raise Silenced
        known = {*LOSSES, *FUNCTIONS, *OPTIMISERS, *SCHEDULES, *scope.names()}
        raise unknown(f"unknown net or function `{name}`", function.span, nearest(name, known))

    def tensors_first(
        self, arguments: tuple[s.Argument, ...], scope: Scope, fed: Given
    ) -> tuple[Given, tuple[s.Argument, ...]]:
        """The arguments up to the first that is no tensor, evaluated, and the others."""
        given = list(fed)
        for index, argument in enumerate(arguments):
            if argument.keyword is not None:
                return given, arguments[index:]
            value = self(argument.value, scope)
            if not isinstance(value, Tensor | Called):
                return given, arguments[index:]
            given.append((argument.value, value))
        return given, ()

    def bind(
        self,
        kind: type[Any],
        name: str,
        arguments: tuple[s.Argument, ...],
        span: Span,
        scope: Scope,
    ) -> Any:
        """A dataclass of arguments (an optimiser, a schedule, an augmentation, an op)."""
        accepted = ordered(kind)
        usage = partial(signature, kind, name, accepted)
        given = match(arguments, [field.name for field in accepted], name, usage)
        for field in accepted:
            if is_required(field) and field.name not in given:
                help = f"it is {usage()}"
                raise Mistake("E202", f"`{name}` needs its `{field.name}`", span, help=help)
        return kind(**convert(accepted, given, name, self.alone, scope))

    # ── nets ─────────────────────────────────────────────────────────────────────────────────

    def call_net(
        self,
        net: Closure,
        function: s.Name,
        arguments: tuple[s.Argument, ...],
        node: s.Expression,
        scope: Scope,
        fed: Given,
    ) -> Called:
        """`lenet5(image)`, `D(x, classes=10)`: tensors in the inputs' order, then parameters."""
        if net.definition.kind != "net":
            raise Mistake(
                "E202",
                f"a training calls nets, `{net.name}` is a {net.definition.kind}",
                function.span,
            )
        given = list(fed)
        overrides: dict[str, Any] = {}
        parameters = [parameter.name.id for parameter in net.definition.parameters]
        for argument in arguments:
            value = self(argument.value, scope)
            if argument.keyword is None:
                given.append((argument.value, value))
            elif argument.keyword in parameters:
                overrides[argument.keyword] = value
            else:
                raise unknown(
                    f"net {net.name} has no parameter `{argument.keyword}`",
                    argument.span,
                    nearest(argument.keyword, parameters),
                    code="E202",
                )
        tensors = [self.tensor(value, place) for place, value in given]
        for (place, _), tensor in zip(given, tensors, strict=True):
            self.check_number(tensor, place)
        sizes = bound_sizes(net, tensors, node.span)
        used = self.built.nets.get(net.name)
        if used is not None and used.is_called_so(net, overrides, sizes):
            graph = used.graph
        else:
            graph = called_graph(net, overrides, sizes, node.span)
        check_fed(net, graph.inputs(), given, tensors)
        if used is None:
            used = UsedNet(net, net.name, graph, overrides, sizes, node.span)
            self.built.nets[net.name] = used
        self.check_same(used, net, graph, overrides, node.span)
        if net.name in self.built.graph:
            raise Mistake("E204", f"`{net.name}` is a net, and data as well", function.span)
        return self.built.inline(used, graph, tensors, node.span)

    @staticmethod
    def check_same(
        used: UsedNet, net: Closure, graph: Any, overrides: Mapping[str, object], span: Span
    ) -> None:
        """Raise E206 when a call would need other parameters than the first one."""
        if used.block.definition is not net.definition:
            raise Mistake("E204", f"two nets of this training are called `{net.name}`", span)
        theirs = {name: w.shape for name, w in used.graph.parameters().items()}
        ours = {name: w.shape for name, w in graph.parameters().items()}
        if theirs != ours or dict(used.overrides) != dict(overrides):
            notes = [
                f"{key}: {theirs.get(key, 'none')} at line {used.span.line}, "
                f"{ours.get(key, 'none')} here"
                for key in {**theirs, **ours}
                if theirs.get(key) != ours.get(key)
            ]
            raise Mistake(
                "E206",
                f"all calls of net {net.name} share its parameters, this one needs others",
                span,
                notes=notes[:8],
                help="a net of its own has its own: net other { … }",
            )

    # ── losses, functions, layers ────────────────────────────────────────────────────────────

    def call_loss(
        self,
        loss: type[Loss],
        arguments: tuple[s.Argument, ...],
        node: s.Expression,
        scope: Scope,
        fed: Given,
    ) -> Tensor:
        """`cross_entropy(logits, label)`, `mse(y, x)`, `bce(D(x), 1)`."""
        given = list(fed)
        options = []
        for argument in arguments:
            if argument.keyword is None and len(given) < 2:
                given.append((argument.value, self(argument.value, scope)))
            else:
                options.append(argument)
        op = self.bind(loss, loss.name, tuple(options), node.span, scope)
        if len(given) != 2:
            raise Mistake(
                "E202",
                f"`{loss.name}` compares a prediction and its target",
                node.span,
                help=f"{loss.name}(scores.logits, label)"
                if issubclass(loss, ClassLoss)
                else f"{loss.name}(prediction, target)",
            )
        (first, prediction), (second, target) = given
        if isinstance(op, BinaryCrossEntropy):
            predicted = self.tensor(prediction, first)
            self.check_number(predicted, first)
            self.check_probability(self.built.node_of(predicted), first)
        if isinstance(target, int | float) and not isinstance(target, bool):
            return self.loss_of_number(op, self.tensor(prediction, first), float(target), node)
        tensors = [self.tensor(prediction, first), self.tensor(target, second)]
        if isinstance(op, ClassLoss):
            self.check_classes(op, tensors, first, second, node)
        else:
            for tensor, place in zip(tensors, (first, second), strict=True):
                self.check_number(tensor, place)
        made = self.built.node_of(tensors[0])
        if isinstance(op, BinaryCrossEntropy) and type(made.op) is Sigmoid:
            op = BinaryCrossEntropy(logits=True)
            tensors[0] = Tensor(made.inputs[0], self.built.graph[made.inputs[0]].shape)
        if isinstance(op, Divergence):
            made = self.built.node_of(tensors[1])
            if type(made.op) is Softmax and made.op.axis == 0:
                op = Divergence(logarithms=True)
                tensors[1] = logarithm(self.built, tensors[1], node.span)
        return self.apply(op, tensors, node, (first, second))

    def loss_of_number(self, op: Loss, x: Tensor, target: float, node: s.Expression) -> Tensor:
        """A loss whose target is the same number for every sample: `bce(D(x), 1)`."""
        whole, span = self.built, node.span
        if isinstance(op, SquaredError):
            return whole.apply(Average(), [self.square(self.shift(x, -target, span), span)], span)
        if isinstance(op, AbsoluteError):
            shifted = self.shift(x, -target, span)
            return whole.apply(Average(), [whole.apply(FUNCTIONS["abs"], [shifted], span)], span)
        if isinstance(op, BinaryCrossEntropy) and 0 <= target <= 1:
            ones = logarithm(whole, x, span)
            parts = [self.scale(ones, -target, span)] if target > 0 else []
            if target < 1:
                rest = self.shift(self.scale(x, -1.0, span), 1.0, span)
                parts.append(self.scale(logarithm(whole, rest, span), target - 1, span))
            total = parts[0] if len(parts) == 1 else whole.apply(Add(), parts, span)
            return whole.apply(Average(), [total], span)
        raise Mistake(
            "E701",
            f"the target of {op.name} is a tensor here",
            span,
            label=f"{target:g} is one number",
            help="numbers are targets of bce (from 0 to 1), mse and mae",
        )

    def check_classes(
        self,
        op: ClassLoss,
        tensors: list[Tensor],
        first: s.Expression,
        second: s.Expression,
        node: s.Expression,
    ) -> None:
        """Raise E701 unless scores and classes belong together, E705 for what is no logits."""
        scores, label = tensors
        name, classes = str(label.node), self.built.classes.get(str(label.node))
        if self.built.classes.get(str(scores.node)) is not None:
            help = f"{op.name}(scores, label)" if classes is None else None
            raise Mistake("E701", f"`{op.name}` takes the scores first", first.span, help=help)
        if classes is None and label.shape != scores.shape:
            raise Mistake(
                "E701",
                f"`{op.name}` compares scores with a class, or with a share for each class",
                second.span,
                label=f"{second.span.text} is {show_shape(label.shape)}",
                notes=[f"the scores are {show_shape(scores.shape)}"],
                help="a class is declared as data: label: class[10]",
            )
        if classes is not None and len(scores.shape) == 1 and scores.shape[0] != classes:
            raise Mistake(
                "E701",
                "there must be one score for each class",
                node.span,
                label=f"{scores.shape[0]} scores, {classes} classes",
                notes=[
                    f"{first.span.text} is {show_shape(scores.shape)}",
                    f"{name} is class[{classes}], from line {self.built.graph[name].span.line}",
                ],
                help=f"class[{scores.shape[0]}] would fit, or a net with {classes} scores",
            )
        made = self.built.node_of(scores)
        if isinstance(op, CrossEntropy) and isinstance(made.op, Softmax):
            raise self.not_logits(made.inputs[0], first)

    def not_logits(self, before: str, place: s.Expression) -> Mistake:
        """The mistake of probabilities where logits belong; the tensor that would do, if named."""
        fixes: list[Fix] = []
        help = "take what the softmax takes"
        for scope_name, value in self.calls_in(place):
            for name, tensor in value.tensors.items():
                if tensor.node == before:
                    text = f"{scope_name}.{name}"
                    help, fixes = (
                        f"take `{text}`",
                        [Fix(f"replace with `{text}`", place.span, text)],
                    )
        return Mistake(
            "E705",
            "cross_entropy takes logits, it does the softmax itself",
            place.span,
            label="this went through a softmax already",
            help=help,
            fixes=fixes,
        )

    def calls_in(self, place: s.Expression) -> list[tuple[str, Called]]:
        """The net's call that an expression is, or is a part of, with its text."""
        inner = place.value if isinstance(place, s.Attribute) else place
        value = self.known.get(inner.span.text)
        return [] if value is None else [(inner.span.text, value)]

    @property
    def known(self) -> Mapping[str, Called]:
        """The calls of nets that have a name in the text."""
        return self.built.named_calls

    def call_function(self, name: str, given: tuple[s.Expression, Any], node: s.Expression) -> Any:
        """`log(x)`, `mean(x)`: the functions of one tensor."""
        place, value = given
        tensor = self.tensor(value, place)
        self.check_number(tensor, place)
        made = self.built.node_of(tensor)
        if name in ("log", "sqrt"):
            self.check_not_negative(name, made, place)
        if name == "log":
            self.check_not_zero("log", made, place)
            return logarithm(self.built, tensor, node.span)
        return self.apply(FUNCTIONS[name], [tensor], node, (place,))

    def check_not_negative(self, what: str, made: Node, place: s.Expression) -> None:
        """Raise E705 where a root or a logarithm may be none."""
        if not is_never_negative(self.built, made):
            raise Mistake(
                "E705",
                f"{what} of what may be negative",
                place.span,
                label=f"made by {made.op.name}, which gives negative numbers, too",
                help="sigmoid, softmax, exp, softplus, square and abs keep it positive",
            )

    def check_not_zero(self, what: str, made: Node, place: s.Expression) -> None:
        """Raise E705 where a logarithm or a quotient is infinite for half of all numbers."""
        if is_often_zero(self.built, made):
            raise Mistake(
                "E705",
                f"{what} of what is often 0",
                place.span,
                label=f"made by {made.op.name}, which makes 0 of all that is negative",
                help=f"a small number added keeps it above 0: {place.span.text} + 1e-6",
            )

    def check_probability(self, made: Node, place: s.Expression) -> None:
        """Raise E705 for a prediction of `bce` that is no probability."""
        if not is_never_negative(self.built, made) or is_often_zero(self.built, made):
            raise Mistake(
                "E705",
                "bce takes probabilities, from 0 to 1",
                place.span,
                label=f"made by {made.op.name}, which gives other numbers, too",
                help=f"bce(sigmoid({place.span.text}), …)",
            )

    def call_layer(
        self,
        op_type: type[Op],
        given: Given,
        rest: tuple[s.Argument, ...],
        node: s.Expression,
        scope: Scope,
    ) -> Tensor:
        """A layer without parameters called on tensors: `softmax(y)`, `concat(a, b)`."""
        tensors = [self.tensor(value, place) for place, value in given]
        for (place, _), tensor in zip(given, tensors, strict=True):
            self.check_number(tensor, place)
        if op_type.weights is not Op.weights:
            raise Mistake(
                "E202",
                f"`{op_type.name}` holds parameters: it stands in a net, which is trained",
                node.span,
            )
        op = self.bind(op_type, op_type.name, rest, node.span, scope)
        least, most = op_type.least_inputs, op_type.most_inputs
        if len(tensors) < least or (most is not None and len(tensors) > most):
            wanted = f"{least} tensor{'s' if least != 1 else ''}"
            raise Mistake("E202", f"`{op_type.name}` takes {wanted}", node.span)
        return self.apply(op, tensors, node, tuple(place for place, _ in given))

    def apply(
        self, op: Op, tensors: list[Tensor], node: s.Expression, places: tuple[s.Expression, ...]
    ) -> Tensor:
        """Add a layer; a shape that does not fit becomes a mistake with its place."""
        try:
            return self.built.apply(op, tensors, node.span)
        except ShapeError as error:
            shapes = [
                f"{place.span.text} is {show_shape(tensor.shape)}"
                for place, tensor in zip(places, tensors, strict=False)
            ]
            mistake = Mistake.of(error, node.span)
            code = "E701" if isinstance(op, Loss) else error.code
            mistake.say(code=code, notes=(*shapes, *error.notes))
            raise mistake from None

    def check_number(self, tensor: Tensor, place: s.Expression) -> None:
        """Raise E703 for a class among numbers."""
        if str(tensor.node) in self.built.classes:
            raise Mistake(
                "E703",
                "a class is no number to compute with",
                place.span,
                help="cross_entropy and accuracy take it",
            )

    # ── arithmetic ───────────────────────────────────────────────────────────────────────────

    def scale(self, x: Tensor, factor: float, span: Span) -> Tensor:
        """x times a number."""
        return self.built.apply(Scale(float(factor)), [x], span)

    def shift(self, x: Tensor, offset: float, span: Span) -> Tensor:
        """x and a number."""
        return self.built.apply(Shift(float(offset)), [x], span)

    def square(self, x: Tensor, span: Span) -> Tensor:
        """x times itself."""
        return self.built.apply(Power(2.0), [x], span)

    def _unary(self, node: s.Unary, scope: Scope) -> Any:
        if node.operator != "not":
            value = self(node.operand, scope)
            if isinstance(value, Tensor | Called):
                tensor = self.tensor(value, node.operand)
                self.check_number(tensor, node.operand)
                return tensor if node.operator == "+" else self.scale(tensor, -1.0, node.span)
        return super()._unary(node, scope)

    def _binary(self, node: s.Binary, scope: Scope) -> Any:
        left, right = self(node.left, scope), self(node.right, scope)
        if not isinstance(left, Tensor | Called) and not isinstance(right, Tensor | Called):
            return super()._binary(node, scope)
        sides: list[int | float | Tensor] = []
        for value, place in ((left, node.left), (right, node.right)):
            if isinstance(value, int | float) and not isinstance(value, bool):
                sides.append(value)
            else:
                tensor = self.tensor(value, place)
                self.check_number(tensor, place)
                sides.append(tensor)
        return self.arithmetic(node, *sides)

    def arithmetic(self, node: s.Binary, left: Any, right: Any) -> Tensor:
        """A sign between two tensors, or a tensor and a number."""
        span = node.span
        match node.operator, left, right:
            case "+", Tensor(), Tensor():
                return self.join(Add(), node, left, right)
            case "-", Tensor(), Tensor():
                return self.join(Sub(), node, left, right)
            case "*", Tensor(), Tensor():
                return self.join(Mul(), node, left, right)
            case "/", Tensor(), Tensor():
                self.check_not_zero("a quotient", self.built.node_of(right), node.right)
                return self.join(Mul(), node, left, self.built.apply(Power(-1.0), [right], span))
            case "+", Tensor(), _:
                return self.shift(left, right, span)
            case "+", _, Tensor():
                return self.shift(right, left, span)
            case "-", Tensor(), _:
                return self.shift(left, -right, span)
            case "-", _, Tensor():
                return self.shift(self.scale(right, -1.0, span), left, span)
            case "*", Tensor(), _:
                return self.scale(left, right, span)
            case "*", _, Tensor():
                return self.scale(right, left, span)
            case "/", Tensor(), _ if right != 0:
                return self.scale(left, 1 / right, span)
            case "/", Tensor(), _:
                raise Mistake("E205", "division by zero", span)
            case "/", _, Tensor():
                self.check_not_zero("a quotient", self.built.node_of(right), node.right)
                return self.scale(self.built.apply(Power(-1.0), [right], span), left, span)
            case "**", Tensor(), int() | float():
                if not float(right).is_integer():
                    what = f"the power {right:g}"
                    self.check_not_negative(what, self.built.node_of(left), node.left)
                if right < 0:
                    what = f"the power {right:g}"
                    self.check_not_zero(what, self.built.node_of(left), node.left)
                return self.built.apply(Power(float(right)), [left], span)
        raise Mistake(
            "E205",
            f"`{node.operator}` does not join these",
            span,
            help="tensors have + - * / and ** with a number",
        )

    def join(self, op: Join, node: s.Binary, left: Tensor, right: Tensor) -> Tensor:
        """Two tensors element by element; one number a sample joins one number a sample."""
        sides = [left, right]
        if () in (left.shape, right.shape) and left.shape != right.shape:
            sides = [
                self.built.apply(Average(), [side], node.span)
                if side.shape and all(size == 1 for size in side.shape)
                else side
                for side in sides
            ]
        return self.apply(op, sides, node, (node.left, node.right))

    # ── parts ────────────────────────────────────────────────────────────────────────────────

    def _attribute(self, node: s.Attribute, scope: Scope) -> Any:
        value = self(node.value, scope)
        if not isinstance(value, Called):
            return super()._attribute(node, scope)
        if node.name in value.tensors:
            return value.tensors[node.name]
        near = nearest(node.name, value.tensors)
        near = f"{node.value.span.text}.{near}" if near else None
        raise unknown(
            f"net {value.net} names no tensor `{node.name}`",
            node.span,
            near,
            help=f"it names {', '.join(n for n in value.tensors if n != 'in')}",
        )

    def _name(self, node: s.Name, scope: Scope) -> Any:
        if node.id in OPTIMISERS and not scope.has_value(node.id):
            return self.bind(OPTIMISERS[node.id], node.id, (), node.span, scope)
        return super()._name(node, scope)


def ordered(kind: type[Any]) -> tuple[Field[Any], ...]:
    """The arguments of a dataclass, its own first and then what all of its kind take."""
    found = fields(kind)
    return tuple(sorted(found, key=lambda field: bool(field.kw_only)))


def check_fed(net: Closure, inputs: tuple[Any, ...], given: Given, tensors: list[Tensor]) -> None:
    """Raise E301 for a tensor that an input of the net does not take."""
    for node, (place, _), tensor in zip(inputs, given, tensors, strict=True):
        assert isinstance(node.op, Input)
        if node.shape != tensor.shape:
            takes, has = show_shape(node.shape), f"this is {show_shape(tensor.shape)}"
            note = f"{node.name} at line {node.span.line} of {node.span.source.name}"
            raise not_taken(net.name, takes, place.span, has, note)
