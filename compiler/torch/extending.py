"""Loops that begin a turn earlier: what stands right before one is part of what its turns say.

`y = f[2](y)` before `for i in range(3, 6): x = g[i](x); y = f[i](y)` ends a turn with i = 2: the
loop begins there, and what that turn has not stands behind `if i > 2`. Both are compared
unrolled, statement by statement.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import reduce
from typing import Any

from compiler.torch.alike import number
from grammar.records import dataclass

MOST_STATEMENTS = 100  # of a turn
MOST_TIMES = 8  # that something is said again in the turn before
COUNT = "count"  # what it is called how often something is said, where that follows no rule
OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


class Endless(Exception):
    """A loop whose turns are not known, or too many."""


def literal(node: ast.expr) -> Any:
    """The numbers that an expression is made of."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise Endless from None


def values_over(values: ast.expr) -> Sequence[Any]:
    """What a loop goes over: `range(3)`, `(2, 4)`, `enumerate((2, 4), 1)`."""
    match values:
        case ast.Call(func=ast.Name(id="range"), args=limits):
            found: Sequence[Any] = range(*map(literal, limits))
        case ast.Call(func=ast.Name(id="enumerate"), args=[each, *start]):
            found = [*enumerate(literal(each), *map(literal, start))]
        case _:
            found = literal(values)
    if len(found) > MOST_STATEMENTS:
        raise Endless
    return found


def bound(target: ast.expr, value: Any) -> dict[str, Any]:
    """The variables of a loop at one of its turns."""
    match target:
        case ast.Name(id=name):
            return {name: value}
        case ast.Tuple(elts=parts):
            pairs = zip(parts, value, strict=True)
            return {name: v for part, each in pairs for name, v in bound(part, each).items()}
    raise Endless


class Unrolled(ast.NodeTransformer):
    """A copy with what loops and comprehensions say one by one, and arithmetic worked out."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self.known = known

    def generic_visit(self, node: ast.AST) -> Any:
        """A node whose parts are copies."""
        parts = {name: self.copied(getattr(node, name, None)) for name in node._fields}
        made = type(node)(**parts)
        if isinstance(node, ast.stmt):
            made.lineno = 0  # type: ignore[attr-defined]
        return made

    def copied(self, part: Any) -> Any:
        """A part of a node."""
        if isinstance(part, list):
            return [self.copied(each) for each in part]
        return self.visit(part) if isinstance(part, ast.AST) else part

    def turns(self, generators: Sequence[ast.comprehension]) -> Iterator[Unrolled]:
        """The turns of a comprehension."""
        if not generators:
            yield self
            return
        first, *rest = generators
        for value in values_over(self.visit(first.iter)):
            yield from Unrolled({**self.known, **bound(first.target, value)}).turns(rest)

    def elements(self, nodes: Sequence[ast.expr]) -> list[ast.expr]:
        """Elements, those of comprehensions one by one."""
        made: list[ast.expr] = []
        for node in nodes:
            match node:
                case ast.Starred(value=ast.GeneratorExp(elt=element, generators=generators)):
                    made += [turn.visit(element) for turn in self.turns(generators)]
                case _:
                    made.append(self.visit(node))
        return made

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """A number or text."""
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A variable that is known."""
        return number(self.known[node.id]) if node.id in self.known else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Arithmetic."""
        left, right = self.visit(node.left), self.visit(node.right)
        if isinstance(left, ast.Constant | ast.UnaryOp) and type(node.op) in OPERATORS:
            try:
                return number(OPERATORS[type(node.op)](literal(left), literal(right)))
            except (Endless, TypeError, ArithmeticError):
                pass
        return ast.BinOp(left, node.op, right)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        """A text whose numbers are known."""
        values = [self.visit(value) for value in node.values]
        parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in values]
        known = [str(part.value) for part in parts if isinstance(part, ast.Constant)]
        return ast.Constant("".join(known)) if len(known) == len(parts) else ast.JoinedStr(values)

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        """A list."""
        spread = ast.Starred(ast.GeneratorExp(node.elt, node.generators))
        return ast.List(self.elements([spread]), ast.Load())

    def visit_List(self, node: ast.List) -> ast.expr:
        """A list with comprehensions in it."""
        return ast.List(self.elements(node.elts), ast.Load())

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A sum over what a loop says; `getattr` as the attribute; another call."""
        match node:
            case ast.Call(
                func=ast.Name(id=name),
                args=[ast.GeneratorExp(elt=element, generators=generators)],
            ) if name.lower().startswith("sum"):
                terms: list[ast.expr] = [turn.visit(element) for turn in self.turns(generators)]
                return reduce(lambda total, term: ast.BinOp(total, ast.Add(), term), terms)
        given = self.elements(node.args)
        match node.func, given:
            case ast.Name(id="getattr"), [holder, ast.Constant(value=str(name))]:
                return ast.Attribute(holder, name, ast.Load())
        keywords = [ast.keyword(each.arg, self.visit(each.value)) for each in node.keywords]
        return ast.Call(self.visit(node.func), given, keywords)

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        """`setattr` as an assignment."""
        value = self.visit(node.value)
        match value:
            case ast.Call(
                func=ast.Name(id="setattr"), args=[holder, ast.Constant(value=str(name)), made]
            ):
                return ast.Assign([ast.Attribute(holder, name, ast.Store())], made, lineno=0)
        return ast.Expr(value)

    def statements(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Statements, those of loops one by one."""
        found: list[ast.stmt] = []
        for statement in body:
            if isinstance(statement, ast.For):
                for value in values_over(self.visit(statement.iter)):
                    turn = Unrolled({**self.known, **bound(statement.target, value)})
                    found += turn.statements(statement.body)
            else:
                found.append(self.visit(statement))
            if len(found) > MOST_STATEMENTS:
                raise Endless
        return found


def unrolled(body: Sequence[ast.stmt], known: Mapping[str, Any]) -> list[str]:
    """The text of statements, all turns of loops in them one by one."""
    made = Unrolled(known).statements(body)
    return [ast.unparse(ast.fix_missing_locations(statement)) for statement in made]


def members_of(statement: ast.stmt) -> set[str]:
    """The members and classes that a statement names last, in whichever way, without numbers."""
    while isinstance(statement, ast.For):
        statement = statement.body[-1]
    found: set[str] = set()
    for node in ast.walk(statement):
        match node:
            case ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                found.add(name)
            case ast.Name(id=name) if name[0].isupper():
                found.add(name)
    return {re.sub(r"\d+", "", name) for name in found}


@dataclass(frozen=True)
class Counted:
    """A loop over a counter, perhaps with rows of numbers: `for i, c in enumerate((8, 16), 2)`."""

    counter: str
    start: int
    count: int
    rows: dict[str, list[Any]]
    body: list[ast.stmt]

    def at(self, turn: int) -> dict[str, Any]:
        """The variables at a turn, the first of which is number 0."""
        return {self.counter: self.start + turn} | {n: row[turn] for n, row in self.rows.items()}


def counted(loop: ast.For) -> Counted | None:
    """Such a loop that does not begin with 0; None for another."""
    try:
        turns = [bound(loop.target, value) for value in values_over(loop.iter)]
    except (Endless, TypeError):
        return None
    counter = loop.target.elts[0] if isinstance(loop.target, ast.Tuple) else loop.target
    if not turns or not isinstance(counter, ast.Name):
        return None
    rows = {name: [turn[name] for turn in turns] for name in turns[0]}
    starts = rows.pop(counter.id)
    whole = all(type(value) is int for row in (starts, *rows.values()) for value in row)
    if len(turns) < 2 or not whole or starts != [*range(starts[0], starts[0] + len(turns))]:
        return None
    return Counted(counter.id, starts[0], len(turns), rows, loop.body) if starts[0] > 0 else None


def begun_earlier(before: Sequence[ast.stmt], loop: ast.For) -> tuple[int, Counted] | None:
    """A loop that begins a turn earlier, and how many of the statements before it are in that."""
    known = counted(loop)
    if known is None or not before:
        return None
    if members_of(before[-1]) != members_of(loop):
        return None
    rows = {name: [earlier(row), *row] for name, row in known.rows.items()}
    whole = replace(known, start=known.start - 1, count=known.count + 1, rows=rows)
    said: list[list[str]] = []  # by each of the statements before, the last one first
    for each in (whole, *with_count(whole)):
        if not same_at_the_end(before, said, each.body[-1:], each.at(0)):
            continue
        for cut in range(len(each.body)):
            head, tail = each.body[:cut], each.body[cut:]
            taken = same_at_the_end(before, said, tail, each.at(0))
            if taken:
                later = ast.Compare(ast.Name(each.counter), [ast.Gt()], [ast.Constant(each.start)])
                rest = [ast.If(later, head, []), *tail] if head else tail
                return taken, replace(each, body=rest)
    return None


def earlier(row: Sequence[int]) -> int:
    """What would stand before some numbers, which double or rise."""
    first, second = row[:2]
    if second == 2 * first and first % 2 == 0:
        return first // 2
    return 2 * first - second


def same_at_the_end(
    before: Sequence[ast.stmt],
    said: list[list[str]],
    body: Sequence[ast.stmt],
    known: Mapping[str, Any],
) -> int:
    """How many statements at the end of some are a body; 0 where none are.

    `said` is what they say as far as it is known, the last one first.
    """
    try:
        wanted = unrolled(body, known)
        found: list[str] = []
        for count in range(1, len(before) + 1):
            if len(said) < count:
                said.append(unrolled([before[-count]], {}))
            found = [*said[count - 1], *found]
            if found != wanted[-len(found) :]:
                return 0
            if len(found) == len(wanted):
                return count
    except Endless:
        pass
    return 0


def with_count(loop: Counted) -> Iterator[Counted]:
    """The loop with a row of how often something in it is said, as if that followed no rule."""
    inner = [each for statement in loop.body for each in ast.walk(statement)]
    names = {each.id for each in inner if isinstance(each, ast.Name)}
    counts = {
        ast.unparse(each.args[0])
        for each in inner
        if isinstance(each, ast.Call)
        and isinstance(each.func, ast.Name)
        and (each.func.id, len(each.args)) == ("range", 1)
        and isinstance(each.args[0], ast.BinOp)
    }
    if len(counts) != 1 or COUNT in names:
        return
    (text,) = counts
    body = [WithCount(text).visit(deepcopy(statement)) for statement in loop.body]
    try:
        turns = [loop.at(turn) for turn in range(1, loop.count)]
        rest = [literal(Unrolled(turn).visit(ast.parse(text, mode="eval").body)) for turn in turns]
    except Endless:
        return
    for times in range(1, MOST_TIMES):
        yield replace(loop, rows={**loop.rows, COUNT: [times, *rest]}, body=body)


class WithCount(ast.NodeTransformer):
    """A variable in the place of a number of times."""

    def __init__(self, text: str) -> None:
        self.text = text

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Arithmetic."""
        return ast.Name(COUNT) if ast.unparse(node) == self.text else self.generic_visit(node)
