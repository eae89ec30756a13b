"""Compile-time values: the expressions of a definition, evaluated.

A comparison on a symbolic size counts only when it is proved either way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from compiler.bind import match
from compiler.builtins import BUILTINS, BadCall, Builtin
from compiler.dims import Dim, Size, SymbolicError, ceil_div
from compiler.domain import Facts
from compiler.operators import arithmetic, compare
from compiler.ops import OPS
from compiler.ops.arguments import Extent, show
from compiler.symbols.aliases import value_meant
from compiler.values import (
    POISON,
    Bound,
    FunctionValue,
    Mistake,
    Results,
    Scope,
    Silenced,
    Tensor,
    TooMuch,
    attribute_of,
    kind_word,
    taken_apart,
    unknown,
)
from grammar import syntax as s
from grammar.diagnostics import nearest
from grammar.source import Span

MOST_MADE = 1_000_000  # items of lists and characters of strings, in one net
MOST_LEVELS = 100  # lists inside lists
MOST_CALLS = 60  # functions inside functions
MOST_WORK = 1_000_000  # names, numbers, operators and calls evaluated for one net
Made = TypeVar("Made")


def too_many_items(node: s.Expression) -> TooMuch:
    """The limit of what one net may hold in lists and strings."""
    message = f"the lists and strings of this net have more than {MOST_MADE:_} items"
    return TooMuch("E209", message, node.span)


def result_called(results: Results, name: str, span: Span) -> Tensor:
    """`t.low` of `trunk() as t`; raises E505."""
    if name in results.tensors:
        return results.tensors[name]
    if not results.whole:
        raise Silenced
    raise unknown(
        f"`{results.maker}` gives no `{name}`",
        span,
        nearest(name, results.tensors),
        code="E505",
        label=f"it gives {', '.join(results.tensors)}",
    )


class Evaluator:
    """Evaluates expressions; `facts` decide comparisons of symbolic sizes."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.made = 0
        self.worked = 0
        self.calling: list[str] = []  # the functions that call each other

    def __call__(self, node: s.Expression, scope: Scope) -> Any:
        """The value of an expression; raises `Mistake`."""
        self.worked += 1
        if self.worked > MOST_WORK:
            message = f"the expressions of this net take more than {MOST_WORK:_} steps"
            raise TooMuch(
                "E209",
                message,
                node.span,
                help="loops, calls and lists inside one another multiply",
            )
        method: Callable[[Any, Scope], Any] = getattr(self, "_" + type(node).__name__.lower())
        return method(node, scope)

    def alone(self, node: s.Expression, scope: Scope) -> Any:
        """The value of an expression; what a call gives that gives just one tensor is that one."""
        value = self(node, scope)
        return value.only or value if isinstance(value, Results) else value

    def truth(self, node: s.Expression, scope: Scope) -> bool:
        """The value of a condition, which must be true or false."""
        value = self(node, scope)
        if not isinstance(value, bool):
            raise Mistake(
                "E205",
                f"a condition must be true or false, this is {kind_word(value)}",
                node.span,
                label=show(value),
                help="compare it: … != 0, … == 1",
            )
        return value

    def whole(self, node: s.Expression, scope: Scope, what: str) -> int:
        """The value of an expression that must be a known whole number."""
        value = self(node, scope)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Mistake(
                "E205",
                f"{what} must be a known whole number, this is {kind_word(value)}",
                node.span,
                label=show(value),
            )
        return value

    def items(self, node: s.Expression, scope: Scope) -> Any:
        """The value of an expression that is to be a list; several results are one of tensors."""
        value = self(node, scope)
        whole = isinstance(value, Results) and value.whole
        return list(value.tensors.values()) if whole else value

    def keep(self, value: Made, node: s.Expression) -> Made:
        """A new list or string, its items counted; raises `TooMuch` when there are too many.

        Lists inside lists count as often as they are named: `[a, a]` is twice as long as `a`.
        """
        level: list[Any] = [value]
        for _ in range(MOST_LEVELS):
            self.made += sum(len(part) for part in level if isinstance(part, str | list | tuple))
            if self.made > MOST_MADE:
                raise too_many_items(node)
            level = [item for part in level if isinstance(part, list | tuple) for item in part]
            if not level:
                return value
        raise TooMuch("E209", f"lists are nested more than {MOST_LEVELS} deep", node.span)

    # ── literals and names ───────────────────────────────────────────────────────────────────

    def _number(self, node: s.Number, scope: Scope) -> Any:
        return node.value

    def _truth(self, node: s.Truth, scope: Scope) -> bool:
        return node.value

    def _sizeliteral(self, node: s.SizeLiteral, scope: Scope) -> Extent:
        return Extent(node.extents)

    def _text(self, node: s.Text, scope: Scope) -> str:
        pieces = []
        for part in node.parts:
            if isinstance(part, str):
                pieces.append(part)
            else:
                value = self(part, scope)
                pieces.append(value if isinstance(value, str) else show(value))
        return self.keep("".join(pieces), node)

    def _name(self, node: s.Name, scope: Scope) -> Any:
        found = scope.in_expression(node.id)
        if found is not None:
            return found
        if node.id in BUILTINS and node.id not in OPS:
            return BUILTINS[node.id]
        if node.id in OPS:
            return OPS[node.id]
        if scope.is_lost(node.id):
            raise Silenced
        near = value_meant(node.id, scope.names() | set(BUILTINS), OPS)
        raise unknown(f"unknown name `{node.id}`", node.span, near)

    def _given(self, node: s.Given, scope: Scope) -> Any:
        return node.value

    def _comprehension(self, node: s.Comprehension, scope: Scope) -> list[Any]:
        return self.keep(list(self._items(node, node.clauses, scope)), node)

    def _items(
        self, node: s.Comprehension, clauses: tuple[s.Clause, ...], scope: Scope
    ) -> Iterator[Any]:
        """The items of a comprehension whose last clauses are these."""
        if not clauses:
            yield self(node.item, scope)
            return
        clause, *rest = clauses
        values = self.items(clause.values, scope)
        if not isinstance(values, list | tuple):
            raise Mistake("E205", "`for` runs over a list", clause.values.span, label=show(values))
        for value in values:
            inner = Scope(scope, taken_apart(clause.names, value, clause.values.span, "for"))
            if clause.condition is None or self.truth(clause.condition, inner):
                yield from self._items(node, tuple(rest), inner)

    def _listdisplay(self, node: s.ListDisplay, scope: Scope) -> list[Any]:
        return self.keep([self(item, scope) for item in node.items], node)

    def _tupledisplay(self, node: s.TupleDisplay, scope: Scope) -> tuple[Any, ...]:
        return self.keep(tuple(self(item, scope) for item in node.items), node)

    # ── operators ────────────────────────────────────────────────────────────────────────────

    def _unary(self, node: s.Unary, scope: Scope) -> Any:
        if node.operator == "not":
            return not self.truth(node.operand, scope)
        value = self(node.operand, scope)
        self._need_number(value, node.operand.span, node.operator)
        return -value if node.operator == "-" else value

    def _binary(self, node: s.Binary, scope: Scope) -> Any:
        left, right = self(node.left, scope), self(node.right, scope)
        if node.operator == "+" and type(left) is type(right) and isinstance(left, str | list):
            return self.keep(left + right, node)
        if node.operator == "+" and isinstance(left, tuple) and isinstance(right, tuple):
            return self.keep(left + right, node)
        if node.operator == "*" and isinstance(left, list) and isinstance(right, int):
            return self._repeated(left, right, node)
        self._need_number(left, node.left.span, node.operator)
        self._need_number(right, node.right.span, node.operator)
        try:
            return arithmetic(node.operator, left, right)
        except ZeroDivisionError:
            raise Mistake(
                "E205", "division by zero", node.span, label=f"{show(left)} {node.operator} 0"
            ) from None
        except (SymbolicError, OverflowError) as error:
            raise Mistake("E205", str(error), node.span) from None

    def _repeated(self, items: list[Any], times: int, node: s.Binary) -> list[Any]:
        """`[4] * 3`; what would be too long is not made."""
        if times < 0 or isinstance(times, bool):
            label = show(times)
            raise Mistake(
                "E205", "a list is repeated 0 times or more", node.right.span, label=label
            )
        if len(items) * times > MOST_MADE:
            raise too_many_items(node)
        return self.keep(items * times, node)

    @staticmethod
    def _need_number(value: Any, span: Span, operator: str) -> None:
        if value is POISON:
            raise Silenced
        if isinstance(value, bool) or not isinstance(value, int | float | Dim):
            raise Mistake(
                "E205",
                f"`{operator}` works on numbers, this is {kind_word(value)}",
                span,
                label=show(value) if not isinstance(value, Tensor) else "",
                help="a tensor's sizes are .c, .h, .w, .d and .shape"
                if isinstance(value, Tensor)
                else None,
            )

    def _logical(self, node: s.Logical, scope: Scope) -> bool:
        stop = node.operator == "or"
        for operand in node.operands:
            if self.truth(operand, scope) is stop:
                return stop
        return not stop

    def _comparison(self, node: s.Comparison, scope: Scope) -> bool:
        values = [self(operand, scope) for operand in node.operands]
        pairs = zip(values, node.operators, values[1:], strict=False)
        return all(
            compare(self.facts, left, operator, right, node.span) for left, operator, right in pairs
        )

    def _conditional(self, node: s.Conditional, scope: Scope) -> Any:
        chosen = node.then if self.truth(node.condition, scope) else node.otherwise
        return self(chosen, scope)

    # ── parts and calls ──────────────────────────────────────────────────────────────────────

    def _index(self, node: s.Index, scope: Scope) -> Any:
        value = self.items(node.value, scope)
        if not isinstance(value, list | tuple | str):
            raise Mistake("E205", f"{kind_word(value)} has no items", node.value.span)
        index = self.whole(node.index, scope, "an index")
        try:
            return value[index]
        except IndexError:
            raise Mistake(
                "E205",
                "an index must lie inside the list",
                node.index.span,
                label=f"{index}, but there are {len(value)} items",
                help="is a comma missing between two lists?"
                if isinstance(node.value, s.ListDisplay)
                else None,
            ) from None

    def _slice(self, node: s.Slice, scope: Scope) -> Any:
        value = self(node.value, scope)
        if not isinstance(value, list | tuple | str):
            raise Mistake("E205", f"{kind_word(value)} has no items", node.value.span)
        ends = (node.start, node.stop, node.step)
        start, stop, step = (
            None if end is None else self.whole(end, scope, "an end of a slice") for end in ends
        )
        if step == 0:
            assert node.step is not None
            raise Mistake("E205", "the step of a slice is not 0", node.step.span)
        return self.keep(value[start:stop:step], node)

    def _attribute(self, node: s.Attribute, scope: Scope) -> Any:
        value = self(node.value, scope)
        if value is POISON:
            raise Silenced
        if isinstance(value, Results) and (value.only is None or node.name in value.tensors):
            return result_called(value, node.name, node.span)
        value = value.only if isinstance(value, Results) else value
        if not isinstance(value, Tensor):
            help = "only tensors have sizes: in.c, in.h, in.w, in.d, in.shape, in.rank"
            if isinstance(node.value, s.Name) and scope.tensor(node.value.id) is not None:
                help = f"`{node.value.id}` is a tensor too: call the one or the other otherwise"
            message = f"{kind_word(value)} has no `.{node.name}`"
            raise Mistake("E205", message, node.span, help=help)
        return attribute_of(value, node)

    def _callexpression(self, node: s.CallExpression, scope: Scope) -> Any:
        if isinstance(node.function, s.Name):
            name = node.function.id
            function = scope.value(name) if scope.has_value(name) else BUILTINS.get(name)
        else:
            name, function = "this", self(node.function, scope)
        if isinstance(function, FunctionValue):
            return self._apply(function, node, scope)
        if not isinstance(function, Builtin):
            if function is None and scope.is_lost(name):
                raise Silenced
            if isinstance(node.function, s.Name) and function is None and name not in OPS:
                near = nearest(name, BUILTINS)
                raise unknown(f"unknown function `{name}`", node.function.span, near)
            return self._bound(OPS.get(name) if function is None else function, name, node, scope)
        for argument in node.arguments:
            if argument.keyword is not None:
                raise Mistake("E202", f"{name} takes no keyword arguments", argument.span)
        rounded = self._rounded_quotient(function, node, scope)
        if rounded is not None:
            return rounded
        values = [self.items(argument.value, scope) for argument in node.arguments]
        if any(value is POISON for value in values):
            raise Silenced
        try:
            return self.keep(function.call(*values), node)
        except Mistake:
            raise
        except (TypeError, ValueError, OverflowError) as error:
            reason = str(error) if isinstance(error, BadCall) else ""
            raise Mistake(
                "E205", f"{name} is called as {function.usage}", node.span, label=reason
            ) from None

    def _apply(self, function: FunctionValue, node: s.CallExpression, scope: Scope) -> Any:
        """The value of a function of the definition; raises `TooMuch` where it does not end."""
        definition, name = function.definition, function.name
        around = [*self.calling, name]
        if len(around) > MOST_CALLS:
            first = around.index(name)
            cycle = " -> ".join(dict.fromkeys(around[first:])) + f" -> {name}"
            raise TooMuch(
                "E210",
                f"function `{name}` calls itself more than {MOST_CALLS} times without an end",
                node.span,
                label=cycle,
            )
        names = [parameter.name.id for parameter in definition.parameters]
        given = match(node.arguments, names, name, function.__str__)
        inner = Scope(function.scope)
        for parameter in definition.parameters:
            if (argument := given.get(parameter.name.id)) is not None:
                inner.values[parameter.name.id] = self(argument.value, scope)
            elif parameter.default is not None:
                inner.values[parameter.name.id] = self(parameter.default, inner)
            else:
                missing = f"`{name}` needs its `{parameter.name.id}`"
                raise Mistake("E202", missing, node.span, help=f"it is {function}")
        self.calling.append(name)
        try:
            return self.keep(self(definition.value, inner), node)
        except Mistake as mistake:
            if len(self.calling) <= 2:
                called = f"in {' '.join(node.span.text.split())[:60]} at line {node.span.line}"
                mistake.say(notes=(*mistake.notes, called))
            raise
        except RecursionError:
            if len(self.calling) > 1:
                raise
            deep = f"function `{name}` is nested too deeply"
            raise TooMuch("E209", deep, definition.name.span) from None
        finally:
            self.calling.pop()

    def _bound(self, target: Any, name: str, node: s.CallExpression, scope: Scope) -> Any:
        """A layer or block with arguments, to be a stage later; raises E205 for anything else."""
        if isinstance(target, Bound):
            target, before = target.target, target
        else:
            before = Bound(target, ())
        is_op = isinstance(target, type)
        if not is_op and not hasattr(target, "definition"):
            raise Mistake(
                "E205",
                f"`{name}` is {kind_word(target)} and cannot be called",
                node.span,
                help="functions are " + ", ".join(BUILTINS),
            )
        arguments = []
        for argument in node.arguments:
            value = self(argument.value, scope)
            if value is POISON:
                raise Silenced
            if isinstance(value, Tensor) and is_op:
                rest = ", ".join(a.span.text for a in node.arguments[1:])
                layer = f"{name}({rest})" if rest else name
                raise Mistake(
                    "E205",
                    "a layer on a tensor is a chain, no value",
                    node.span,
                    help=f"name it first: y = {argument.value.span.text} -> {layer}",
                )
            given = s.Given(argument.value.span, value)
            arguments.append(s.Argument(argument.span, argument.keyword, given))
        return Bound(target, before.with_more(arguments))

    def _rounded_quotient(
        self, function: Builtin, node: s.CallExpression, scope: Scope
    ) -> Size | None:
        """`floor(H / 2)` and `ceil(H / 2)`, as symbolic sizes are shown; None for other calls.

        A quotient of symbolic sizes is no value by itself: only rounded it has a closed form.
        """
        quotient = node.arguments[0].value if len(node.arguments) == 1 else None
        rounds = function is BUILTINS["floor"] or function is BUILTINS["ceil"]
        if not rounds or not isinstance(quotient, s.Binary) or quotient.operator != "/":
            return None
        left, right = self(quotient.left, scope), self(quotient.right, scope)
        sizes = isinstance(left, int | Dim) and isinstance(right, int | Dim)
        if not sizes or not (isinstance(left, Dim) or isinstance(right, Dim)):
            return None
        try:
            below: Size = arithmetic("//", left, right)
            exact = isinstance(right, Dim)  # only such a quotient has a closed form
            return below if exact or function is BUILTINS["floor"] else ceil_div(left, right)
        except ZeroDivisionError:
            raise Mistake("E205", "division by zero", node.span, label=f"{left} / 0") from None
        except SymbolicError as error:
            raise Mistake("E205", str(error), node.span) from None
