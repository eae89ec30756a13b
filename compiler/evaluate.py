"""Compile-time values: the expressions of a definition, evaluated.

A comparison on a symbolic size counts only when it is proved either way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from compiler.arithmetic import arithmetic
from compiler.builtins import BUILTINS, BadCall, Builtin
from compiler.comparisons import compare
from compiler.dims import Dim, Size, SymbolicError, ceil_div
from compiler.domain import Facts
from compiler.ops import OPS
from compiler.ops.arguments import Extent, show
from compiler.symbols.aliases import value_meant
from compiler.values import (
    POISON,
    Mistake,
    Scope,
    Silenced,
    Tensor,
    TooMuch,
    attribute_of,
    kind_word,
    unknown,
)
from grammar import syntax as s
from grammar.diagnostics import nearest
from grammar.source import Span

MOST_MADE = 1_000_000  # items of lists and characters of strings, in one net
MOST_LEVELS = 100  # lists inside lists
Made = TypeVar("Made")


class Evaluator:
    """Evaluates expressions; `facts` decide comparisons of symbolic sizes."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.made = 0

    def __call__(self, node: s.Expression, scope: Scope) -> Any:
        """The value of an expression; raises `Mistake`."""
        method: Callable[[Any, Scope], Any] = getattr(self, "_" + type(node).__name__.lower())
        return method(node, scope)

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

    def keep(self, value: Made, node: s.Expression) -> Made:
        """A new list or string, its items counted; raises `TooMuch` when there are too many.

        Lists inside lists count as often as they are named: `[a, a]` is twice as long as `a`.
        """
        level: list[Any] = [value]
        for _ in range(MOST_LEVELS):
            self.made += sum(len(part) for part in level if isinstance(part, str | list | tuple))
            if self.made > MOST_MADE:
                raise TooMuch(
                    "E209",
                    f"the lists and strings of this net have more than {MOST_MADE:_} items",
                    node.span,
                )
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
        if scope.has_value(node.id):
            return scope.value(node.id)
        tensor = scope.tensor(node.id)
        if tensor is not None:
            return tensor
        if node.id in BUILTINS and node.id not in OPS:
            return BUILTINS[node.id]
        if node.id in OPS:
            return OPS[node.id]
        if scope.is_lost(node.id):
            raise Silenced
        near = value_meant(node.id, scope.names() | set(BUILTINS), OPS)
        raise unknown(f"unknown name `{node.id}`", node.span, near)

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
        value = self(node.value, scope)
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
            ) from None

    def _attribute(self, node: s.Attribute, scope: Scope) -> Any:
        value = self(node.value, scope)
        if value is POISON:
            raise Silenced
        if not isinstance(value, Tensor):
            raise Mistake(
                "E205",
                f"{kind_word(value)} has no `.{node.name}`",
                node.span,
                help="only tensors have sizes: in.c, in.h, in.w, in.d, in.shape, in.rank",
            )
        return attribute_of(value, node)

    def _callexpression(self, node: s.CallExpression, scope: Scope) -> Any:
        if isinstance(node.function, s.Name):
            name = node.function.id
            function = scope.value(name) if scope.has_value(name) else BUILTINS.get(name)
        else:
            name, function = "this", self(node.function, scope)
        if not isinstance(function, Builtin):
            if function is None and scope.is_lost(name):
                raise Silenced
            if isinstance(node.function, s.Name) and function is None and name not in OPS:
                near = nearest(name, BUILTINS)
                raise unknown(f"unknown function `{name}`", node.function.span, near)
            raise Mistake(
                "E205",
                f"`{name}` cannot be called inside an expression",
                node.span,
                help="layers and blocks stand in a chain; functions here are "
                + ", ".join(BUILTINS),
            )
        for argument in node.arguments:
            if argument.keyword is not None:
                raise Mistake("E202", f"{name} takes no keyword arguments", argument.span)
        rounded = self._rounded_quotient(function, node, scope)
        if rounded is not None:
            return rounded
        values = [self(argument.value, scope) for argument in node.arguments]
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
