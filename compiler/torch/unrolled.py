"""Statements in the loops of the definition: `for i in range(1, 5)` says what its turns said.

The graph knows in which turns of which loops each layer came about. Where all turns of a loop are
the same statements but for numbers, each number is the same in all of them or follows from the
counters. What follows from none, but from the turn of the outermost loop, is a row that this goes
through: `for s, (first, count) in enumerate(((2, 1), (5, 2), (10, 8)))`. A `let` of a loop is a
line of it where that is shorter: `width = 64 * 2 ** s`.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from itertools import groupby
from typing import Any, TypeAlias

from compiler.torch.alike import (
    WORDS,
    Alike,
    Filled,
    Signatures,
    alike_of,
    expression_of,
    is_made,
    names_in,
    tokens,
    words_of,
)
from compiler.torch.classes import agrees, arithmetic
from compiler.torch.loops import (
    COUNTERS,
    LITTLE,
    SHORT_ENOUGH,
    WORTH,
    folded,
    formula_from,
    length,
    with_header,
)
from compiler.torch.statements import identifier
from compiler.torch.turns import Turn
from grammar.diagnostics import LoopTurn
from grammar.records import dataclass

# How a statement reaches a member of its module, or makes one.
MEMBER = re.compile(r"\bself((?:\.\w+|\[\d+\]|\[\"\w+\"\])+)(?:\(\"([\w.]+)\")?")
FACTORS = (2, 3, 4)
FEWEST = 3  # numbers that make a rule
MANY = 4  # turns: a loop of these need only be shorter
Turns: TypeAlias = tuple[LoopTurn, ...]
Counters: TypeAlias = tuple[int, ...]  # what they are around a statement
Numbers: TypeAlias = dict[Counters, Any]  # those at one place of a statement
COUNTED = re.compile(r"\bin range\((\d+, )?")


def folded_by_turns(
    lines: Sequence[tuple[str, str]],
    signatures: Signatures,
    alike: Collection[Turn],
    turns: Mapping[str, Turns],
    *,
    gain: int = LITTLE,
) -> list[tuple[str, str]]:
    """Lines with loops, those of the definition first where that is shorter; `turns` by member.

    A loop counts from 0 where that is shorter by more than a `gain`.
    """
    known = with_holders(turns)
    reached = [turns_in(text, known) for text, _ in lines] if any(turns.values()) else []
    if not any(reached):
        return folded(lines, signatures, alike)
    statements = [ast.parse(text).body[0] for text, _ in lines]
    comments = {id(one): comment for one, (_, comment) in zip(statements, lines, strict=True)}
    first = in_loops(statements, reached, words_of(signatures), gain)
    if len(first) == len(lines):
        return folded(lines, signatures, alike)
    texts = [ast.unparse(ast.fix_missing_locations(statement)) for statement in first]
    looped = [(text, comments.get(id(one), "")) for text, one in zip(texts, first, strict=True)]
    made = folded(looped, signatures, alike)
    if len(first) * SHORT_ENOUGH < len(lines):
        return made
    return min(made, folded(lines, signatures, alike), key=length)


def counts_from_zero(lines: Sequence[tuple[str, str]]) -> bool:
    """Whether loops over counters are in some lines, all of which begin with 0."""
    starts = [start for text, _ in lines for start in COUNTED.findall(text)]
    return bool(starts) and not any(starts)


def with_holders(turns: Mapping[str, Turns]) -> dict[str, Turns]:
    """The turns of members, and of what holds some those that they have in common."""
    found = {**turns}
    for name, each in turns.items():
        holder = name.partition(".")[0]
        if holder not in turns:
            found[holder] = common(found[holder], each) if holder in found else each
    return found


def in_loops(
    statements: Sequence[ast.stmt],
    reached: Sequence[Turns | None],
    signatures: Mapping[str, Sequence[str]],
    gain: int = LITTLE,
) -> list[ast.stmt]:
    """Statements in the loops in which the members that they reach were made.

    Those count from 0 that are shorter so by more than a `gain`.
    """
    found = [*reached]
    for place in reversed(range(len(found))):
        if found[place] is None and isinstance(statements[place], ast.Assign):
            later = found[place + 1] if place + 1 < len(found) else ()
            found[place] = later if is_made(statements[place]) else ()
    if not any(found):
        return [*statements]
    taken = frozenset().union(*map(names_in, statements))
    made: list[list[ast.stmt]] = []
    for depth in (1, None) if None in found else (None,):
        known: list[Turns] = []
        for each in found:
            known.append(each if each is not None else known[-1][:depth] if known else ())
        tree = tree_of([*zip(statements, known, strict=True)], 0)
        made.append(Nest(signatures, taken, gain).written(tree))
    return min(made, key=tokens)


def turns_in(text: str, turns: Mapping[str, Turns]) -> Turns | None:
    """The turns around all members that a statement reaches; None for one that reaches none."""
    if text.startswith("return "):
        return ()
    found: Turns | None = None
    for reached, named in MEMBER.findall(text):
        parts = re.findall(r"\w+", reached)
        names = [named, *(".".join(parts[:count]) for count in range(len(parts), 0, -1))]
        own = next((turns[name] for name in names if name in turns), None)
        if own is not None:
            found = own if found is None else common(found, own)
    return found


def common(a: Turns, b: Turns) -> Turns:
    """The turns that two have in common."""
    count = 0
    while count < min(len(a), len(b)) and a[count] == b[count]:
        count += 1
    return a[:count]


@dataclass
class Loop:
    """Turns of a loop that follow one another, and what is in each."""

    turns: list[LoopTurn] = field(default_factory=list)
    bodies: list[list[Any]] = field(default_factory=list)  # statements and loops


def tree_of(statements: Sequence[tuple[ast.stmt, Turns]], depth: int) -> list[Any]:
    """Statements and the loops among them."""
    found: list[Any] = []
    turn: LoopTurn | None = None
    for inner, group in groupby(statements, lambda each: each[1][depth : depth + 1]):
        several = [*group]
        if not inner:
            found += [statement for statement, _ in several]
            turn = None
            continue
        goes_on = turn is not None and turn.loop == inner[0].loop and turn.place < inner[0].place
        if not goes_on:
            found.append(Loop())
        (turn,) = several[-1][1][depth : depth + 1]  # after all of its `let`s
        found[-1].turns.append(turn)
        found[-1].bodies.append(tree_of(several, depth + 1))
    return found


@dataclass
class Variable:
    """A counter, and the number that it begins with."""

    name: str
    start: int


@dataclass
class Let:
    """What a loop calls a number, and what this is at each place of its counters."""

    name: str
    values: Numbers

    def said_by(self, values: Numbers) -> str:
        """Numbers as arithmetic with it; empty where they are none."""
        depth = len(next(iter(self.values)))
        known = [self.values[at[:depth]] for at in values]
        wanted = [*values.values()]
        return self.name if agrees(known, wanted) else arithmetic(known, wanted, self.name)


def lets_of(loop: Loop) -> list[str]:
    """What a loop and those in it give names."""
    own = [name for name, _ in loop.turns[0].lets]
    inner = (each for body in loop.bodies for each in body if isinstance(each, Loop))
    return [*dict.fromkeys([*own, *(name for each in inner for name in lets_of(each))])]


def counts(loops: Sequence[Loop], name: str, first: Any) -> bool:
    """Whether a variable of the definition goes up by one from the first turn of each loop."""
    return (
        type(first) is int
        and first >= 0
        and all(
            dict(turn.variables).get(name) == first + place
            for loop in loops
            for place, turn in enumerate(loop.turns)
        )
    )


class Nest:
    """Writes loops; `signatures` are the parameters of classes, `taken` names that are not free."""

    def __init__(
        self, signatures: Mapping[str, Sequence[str]], taken: frozenset[str], gain: int
    ) -> None:
        self.signatures = signatures
        self.gain = gain  # of a loop that counts from 0
        self.from_zero = False  # whether all counters do now
        self.is_shifted = False  # whether one began with something else
        self.taken = taken.union(dir(builtins))
        self.alike: dict[int, Alike] = {}
        self.named: list[str] = []  # the `let`s that are lines
        self.lets: list[Let] = []  # those of the loops around
        self.rows: dict[str, list[Any]] = {}  # that the outermost loop goes through
        self.counters: set[str] = set()  # of it and of the loops in it
        self.outermost: dict[int, LoopTurn] = {}  # its turns by its counter

    def written(self, tree: Sequence[Any]) -> list[ast.stmt]:
        """Statements, with loops where the turns are alike."""
        found: list[ast.stmt] = []
        for each in tree:
            if isinstance(each, ast.stmt):
                found.append(each)
                continue
            place = 0
            for _, group in groupby(each.bodies, self.key):
                end = place + len([*group])
                found += self.run(Loop(each.turns[place:end], each.bodies[place:end]))
                place = end
        return found

    def run(self, loop: Loop) -> list[ast.stmt]:
        """Turns that are alike as a loop, if that is shorter, else one after the other."""
        plain = [statement for body in loop.bodies for statement in self.written(body)]
        if len(loop.bodies) < 2:
            return plain
        made = self.outer(loop, [])
        if made is None:
            return plain
        from_zero = self.outer(loop, [], from_zero=True) if self.is_shifted else None
        shifts = from_zero is not None and tokens([from_zero]) < tokens([made]) - self.gain
        made = from_zero if from_zero is not None and shifts else made
        named: list[str] = []
        for name in lets_of(loop):
            other = self.outer(loop, [*named, name], from_zero=shifts)
            if other is not None and tokens([other]) < tokens([made]):
                made, named = other, [*named, name]
        many = len(loop.bodies) >= MANY or any(isinstance(x, Loop) for x in loop.bodies[0])
        most = tokens(plain) * (1 if many else WORTH)
        return [made] if tokens([made]) < most else plain

    def outer(self, loop: Loop, named: list[str], *, from_zero: bool = False) -> ast.stmt | None:
        """A loop in no other, some `let`s of which are lines; None where its turns differ."""
        self.rows, self.named, self.from_zero, self.is_shifted = {}, named, from_zero, False
        self.counters = set()
        return self.loop([((), loop)], ())

    def key(self, body: Sequence[Any]) -> str:
        """What the bodies of turns that are alike have in common."""
        return ";".join(
            self.of(each).key if isinstance(each, ast.stmt) else f"for {self.inner_key(each)}"
            for each in body
        )

    def inner_key(self, loop: Loop) -> str:
        """That of all turns of a loop; of other turns nothing else's."""
        keys = {self.key(body) for body in loop.bodies}
        return keys.pop() if len(keys) == 1 else str(id(loop))

    def of(self, statement: ast.stmt) -> Alike:
        """A statement with its numbers apart."""
        if id(statement) not in self.alike:
            self.alike[id(statement)] = alike_of([statement], self.signatures)
        return self.alike[id(statement)]

    def loop(
        self, loops: Sequence[tuple[Counters, Loop]], around: Sequence[Variable]
    ) -> ast.stmt | None:
        """Loops that are alike, at each place of the counters around one; None if they differ."""
        several = {at: len(loop.bodies) for at, loop in loops}
        used = self.taken.union(self.named, self.rows, (variable.name for variable in around))
        variable = self.variable([loop for _, loop in loops], used)
        if variable is None or {*several.values()} == {1}:
            return None
        inside = [
            ((*at, variable.start + place), body)
            for at, loop in loops
            for place, body in enumerate(loop.bodies)
        ]
        if not around:
            places = (at for (at,), _ in inside)
            self.outermost = dict(zip(places, loops[0][1].turns, strict=True))
        self.counters.add(variable.name)
        variables = [*around, variable]
        before = [*self.lets]
        lines = self.let_lines([loop for _, loop in loops], [at for at, _ in inside], variables)
        nodes = self.body(inside, variables)
        self.lets = before
        if nodes is None:
            return None
        for let, line in reversed(lines.items()):
            if any(let in names_in(node) for node in nodes):
                nodes.insert(0, line)
        is_used = any(variable.name in names_in(node) for node in nodes)
        name, start = (variable.name, variable.start) if is_used else ("", 0)
        if not around:
            whole = with_header(nodes, self.rows, name, start, several[()])
            return whole.statement()
        ends = {at: start + count for at, count in several.items()}
        end = self.expression(ends, around, "last" if start else "count", False)
        limits = [ast.Constant(start)] if start else []
        values = ast.Call(ast.Name("range"), [*limits, expression_of(end)], []) if end else None
        return ast.For(ast.Name(name or "_"), values, nodes, [], lineno=0) if values else None

    def body(
        self, inside: Sequence[tuple[Counters, list[Any]]], variables: Sequence[Variable]
    ) -> list[ast.stmt] | None:
        """What all turns of a loop say; None where something differs by no rule."""
        nodes: list[ast.stmt] = []
        for place, first in enumerate(inside[0][1]):
            each = [(at, body[place]) for at, body in inside]
            made = (
                self.statement(each, variables)
                if isinstance(first, ast.stmt)
                else self.loop(each, variables)
            )
            if made is None:
                return None
            nodes.append(made)
        return nodes

    def let_lines(
        self, loops: Sequence[Loop], places: Sequence[Counters], variables: Sequence[Variable]
    ) -> dict[str, ast.stmt]:
        """The lines that work out the `let`s of a loop, which are known from here on."""
        lines: dict[str, ast.stmt] = {}
        turns = [dict(turn.lets) for loop in loops for turn in loop.turns]
        taken = {*self.taken, *(variable.name for variable in variables)}
        for name in turns[0]:
            row = [turn.get(name) for turn in turns]
            numbers = all(type(value) in (int, float) for value in row)
            if name not in self.named or name in taken or identifier(name) != name or not numbers:
                continue
            values = dict(zip(places, row, strict=True))
            text = self.rule(values, variables)
            if len(WORDS.findall(text)) > 1:
                lines[name] = ast.parse(f"{name} = {text}").body[0]
                self.lets.append(Let(name, values))
        return lines

    def rule(self, values: Numbers, variables: Sequence[Variable]) -> str:
        """Numbers as a formula in counters, or as arithmetic with a `let` where that is shorter."""
        found = [rule(values, variables), *(let.said_by(values) for let in self.lets)]
        return min(filter(None, found), key=lambda text: len(WORDS.findall(text)), default="")

    def variable(self, loops: Sequence[Loop], used: Iterable[str]) -> Variable | None:
        """The counter of loops that are alike: what they number, or a variable that counts."""
        free = [name for name in COUNTERS if name not in used]
        own = next(
            (
                Variable(name, first)
                for name, first in loops[0].turns[0].variables
                if identifier(name) == name not in used and counts(loops, name, first)
            ),
            Variable(free[0], 0) if free else None,
        )
        numbers = self.numbered(loops)
        if own is not None and numbers and own.start not in numbers and free:
            own = Variable(free[0], min(numbers))
        self.is_shifted |= own is not None and own.start > 0
        return Variable(own.name, 0) if own is not None and self.from_zero else own

    def numbered(self, loops: Sequence[Loop]) -> set[int]:
        """Where numbers in names begin that go up by one with each turn."""
        found: set[int] = set()
        for place, first in enumerate(loops[0].bodies[0]):
            if not isinstance(first, ast.stmt):
                continue
            rows = [[self.of(body[place]) for body in loop.bodies] for loop in loops]
            for at in [k for k, named in enumerate(rows[0][0].in_names) if named]:
                columns = {
                    tuple(alike.values[at] - k for k, alike in enumerate(row)) for row in rows
                }
                starts = {value for column in columns for value in column}
                found |= starts if len(starts) == 1 else set()
        longest = max(len(loop.bodies) for loop in loops)
        return found if longest > 1 else set()

    def statement(
        self, each: Sequence[tuple[Counters, ast.stmt]], variables: Sequence[Variable]
    ) -> ast.stmt | None:
        """A statement for those of all turns."""
        parts = [(at, self.of(statement)) for at, statement in each]
        first = parts[0][1]
        given: list[Any] = []
        for place, (word, named) in enumerate(zip(first.words, first.in_names, strict=True)):
            values = {at: alike.values[place] for at, alike in parts}
            found = self.expression(values, variables, word, named)
            if found is None:
                return None
            given.append(found)
        made: ast.stmt = Filled(iter(given)).visit(first.nodes[0])
        return made

    def expression(
        self, values: Numbers, variables: Sequence[Variable], word: str, named: bool
    ) -> Any:
        """What numbers are in terms of the counters; None where nothing says it."""
        first = next(iter(values.values()))
        if all(value == first and type(value) is type(first) for value in values.values()):
            return first
        text = self.rule(values, variables) or self.by_row(values, variables, word, named)
        return ast.parse(text, mode="eval").body if text else None

    def by_row(self, values: Numbers, variables: Sequence[Variable], word: str, named: bool) -> str:
        """Numbers as those of a row that the outermost loop goes through, and a rule."""
        steps, rest = without_steps(values, len(variables))
        row: dict[int, Any] = {}
        for at, value in rest.items():
            if row.setdefault(at[0], value) != value:
                return ""
        column = [row[at] for at in sorted(row)]
        if len(column) != len(self.outermost):
            return ""
        pairs = zip(steps, variables[1:], strict=True)
        terms = [(step, variable.name) for step, variable in pairs if step]
        name, more = self.row(column, "first" if named else word, variables)
        return sum_of([(1, name), *terms], more)

    def row(self, column: list[Any], word: str, variables: Sequence[Variable]) -> tuple[str, int]:
        """The name of a row of numbers, and how much more they are than it."""
        for name, known in self.rows.items():
            apart = {value - other for value, other in zip(column, known, strict=True)}
            if len(apart) == 1:
                return name, apart.pop()
        given = [dict((*turn.variables, *turn.lets)) for turn in self.outermost.values()]
        same = [n for n in given[0] if identifier(n) == n and [g.get(n) for g in given] == column]
        used = self.taken.union(self.rows, self.named, self.counters)
        name = same[0] if same and same[0] not in used else word
        while name in used:
            name += "_"
        self.rows[name] = column
        return name, 0


def without_steps(values: Numbers, count: int) -> tuple[list[int], Numbers]:
    """The steps of numbers along all counters but the first, and the numbers without them."""
    steps = [step if (step := step_along(values, k)) is not None else 0 for k in range(1, count)]
    return steps, {
        at: value - sum(step * k for step, k in zip(steps, at[1:], strict=True))
        for at, value in values.items()
    }


def step_along(values: Numbers, place: int) -> int | None:
    """How much a number grows with a counter, the first time that it does."""
    for at, value in values.items():
        after = values.get((*at[:place], at[place] + 1, *at[place + 1 :]))
        if after is not None:
            return int(after - value)
    return None


def rule(values: Numbers, variables: Sequence[Variable]) -> str:
    """Numbers as a formula in counters: `64 * i`, `5 - j`, `(64 + 32 * j) * 2 ** i`; or empty."""
    if not all(type(value) in (int, float) for value in values.values()):
        return ""
    found = sum_rule(values, variables) or power_rule(values, variables)
    for place, variable in enumerate(variables if not found else ()):
        column = {at[place]: value for at, value in values.items()}
        turns = sorted(column)
        whole = turns == [*range(variable.start, variable.start + len(turns))]
        if whole and all(column[at[place]] == value for at, value in values.items()):
            numbers = [column[turn] for turn in turns]
            found = found or formula_from(numbers, variable.name, variable.start)
    return found


def sum_rule(values: Numbers, variables: Sequence[Variable]) -> str:
    """Numbers that grow by a fixed step with each counter."""
    if not all(type(value) is int for value in values.values()):
        return ""
    steps = [step_along(values, place) or 0 for place in range(len(variables))]
    firsts = {
        value - sum(step * k for step, k in zip(steps, at, strict=True))
        for at, value in values.items()
    }
    for place, step in enumerate(steps):
        if abs(step) > 1 and len({at[place] for at in values}) < FEWEST:
            return ""
    if len(firsts) > 1:
        return ""
    pairs = zip(steps, variables, strict=True)
    return sum_of([(step, variable.name) for step, variable in pairs if step], firsts.pop())


def sum_of(terms: Sequence[tuple[int, str]], number: int) -> str:
    """`i + 1`, `64 + 32 * j`, `first + 2 * i`."""
    several = [
        (step < 0, name if abs(step) == 1 else f"{abs(step)} * {name}") for step, name in terms
    ]
    constant = [(number < 0, str(abs(number)))] * (number != 0)
    plain = any(step == 1 for step, _ in terms) or number < 0
    ordered = [*several, *constant] if plain else [*constant, *several]
    ordered.sort(key=lambda each: each[0])  # those that are taken off last
    text = "".join(f" {'-' if minus else '+'} {term}" for minus, term in ordered)
    return text[3:] if text.startswith(" + ") else f"-{text[3:]}"


def power_rule(values: Numbers, variables: Sequence[Variable]) -> str:
    """Numbers that are some times as many with each turn of a counter."""
    for place, variable in enumerate(variables):
        if len({at[place] for at in values}) < FEWEST:
            continue
        for factor in FACTORS:
            for sign, grows in ((f"* {factor} **", 1), (f"// {factor} **", -1)):
                rest = without_powers(values, place, factor, grows)
                if rest is None:
                    continue
                first = next(iter(rest.values()))
                same = all(value == first for value in rest.values())
                others = [each for each in variables if each is not variable]
                text = str(first) if same else rule(rest, others)
                if text == "1" and grows > 0:
                    return f"{factor} ** {variable.name}"
                if text:
                    safe = text if re.fullmatch(r"\w+", text) else f"({text})"
                    return f"{safe} {sign} {variable.name}"
    return ""


def without_powers(values: Numbers, place: int, factor: int, grows: int) -> Numbers | None:
    """Numbers over powers along a counter, by the others; None where they are not such."""
    found: Numbers = {}
    for at, value in values.items():
        power = factor ** at[place]
        if type(value) is not int or (grows > 0 and value % power):
            return None
        rest = value // power if grows > 0 else value * power
        if found.setdefault((*at[:place], *at[place + 1 :]), rest) != rest:
            return None
    return found
