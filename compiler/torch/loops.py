"""Statements and elements that follow one another alike, as loops and comprehensions.

Two statements are alike where they differ in numbers alone. A loop says the same statements in the
same order, so nothing needs to be known of what they do.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, groupby, pairwise, takewhile
from typing import Any

from compiler.torch.alike import (
    INDEX,
    WORDS,
    Alike,
    Filled,
    Signatures,
    alike_of,
    called,
    expression_of,
    is_made,
    joined,
    names_in,
    tokens,
    words_of,
)
from compiler.torch.extending import begun_earlier
from compiler.torch.progressions import formula
from compiler.torch.turns import FEWEST_TURNS, MOST_IN_TURN, Turn
from grammar.records import dataclass

WORTH = 0.7  # a loop that is not this much shorter than its turns hides more than it says
LONGEST_BODY = 12  # statements in a loop
MOST_POWERS = 64  # before the first number of a row
FEW = 16  # turns by which a longer loop is judged
SHORT_ENOUGH = 50  # times fewer lines, or words, of which no other way would make much less
SLACK = 10  # words and signs by which a comprehension may be longer that may be folded again
LONG_TURN = 50  # elements that come again and again: less reads better one by one
REPEATED = re.compile(r"\*\(([A-Z]\w*\([^()]*\)) for _ in range\((\d+)\)\)")
OF_COMPREHENSION = 11  # words and signs of `*(… for _ in range(2))`
EACH = "layer"  # what one of them is called
COUNTERS = ("i", "j", "k", "n", "m")
SUM = "SUM_M"  # stands for `sum` until it is known how it is written
FROM_ZERO = re.compile(r"(?<![\w.])0 - (?=[a-z(])")
SHIFTED = re.compile(r"\b[a-z] - \d")  # a counter that begins elsewhere
LITTLE = 2  # words and signs by which a loop that counts from 0 is to be shorter
CONVOLUTION = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
DEFAULTS = {"Conv": CONVOLUTION, "ConvTranspose": CONVOLUTION}


@dataclass
class FoldedLoop:
    """A header, `i` in `range(3)`, and what stands in it."""

    target: ast.expr
    values: ast.expr
    nodes: list[Any]

    def statement(self) -> ast.For:
        """The loop as a statement."""
        return ast.For(self.target, self.values, self.nodes, [], lineno=0)

    def length(self) -> int:
        """How long it is, in words and signs."""
        return tokens([self.target, self.values, *self.nodes])


def told(
    given: Mapping[str | None, ast.expr], word: str | None, defaults: Mapping[str, Any]
) -> ast.expr:
    """What a call says by a word, or would if it said it."""
    return given.get(word) or ast.Constant(defaults[word or ""])


def makers(nodes: Sequence[Any]) -> Turn:
    """The names of what is called for each of some elements."""
    return tuple(called(node.func) if isinstance(node, ast.Call) else "" for node in nodes)


def as_list(node: ast.expr) -> ast.expr:
    """A tuple of a comprehension alone as a list."""
    match node:
        case ast.Tuple(elts=[ast.Starred(value=ast.GeneratorExp() as made)]):
            return ast.ListComp(made.elt, made.generators)
    return node


def terms_of(node: ast.expr) -> list[ast.expr]:
    """The terms of a sum; of another expression itself."""
    match node:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [*terms_of(left), right]
    return [node]


class Folder(ast.NodeTransformer):
    """Folds what is alike; `signatures` are the parameters of the classes that are called.

    `turns` are those of the definition's loops. Where regular ones come first, loops over rows of
    numbers are looked for in what these leave.
    """

    def __init__(
        self, signatures: Signatures, turns: Collection[Turn], *, regular_first: bool
    ) -> None:
        self.turns = turns
        self.signatures = words_of(signatures)
        self.defaults = {
            name: {p: d for p, d in known.items() if type(d) in (int, float)}
            for name, known in signatures.items()
        }
        self.with_rows = not regular_first  # whether loops over rows of numbers are written yet
        self.slack = SLACK if regular_first else 0
        self.taken: frozenset[str] = frozenset()  # the names of the function

    # ── elements ─────────────────────────────────────────────────────────────────────────────

    def visit_List(self, node: ast.List) -> ast.expr:
        """`[f(0), f(1)]` as `[f(i) for i in range(2)]`."""
        self.generic_visit(node)
        node.elts = self.elements(node.elts)
        match node.elts:
            case [ast.Starred(value=ast.GeneratorExp() as made)]:
                return ast.ListComp(made.elt, made.generators)
        return node

    def visit_Tuple(self, node: ast.Tuple) -> ast.expr:
        """The elements of a tuple in a call."""
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load):
            node.elts = self.elements(node.elts)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """The modules of an `nn.Sequential`; a tuple of what is alike as a list."""
        self.generic_visit(node)
        node.args = [*map(as_list, self.elements(node.args))]
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """`f[0](x) + f[1](y)` as a sum over what differs; names that are put together stay."""
        terms = terms_of(node)
        if len(terms) < 2:
            return self.generic_visit(node)  # type: ignore[return-value]
        terms = [self.visit(term) for term in terms]
        match self.elements(terms):
            case [ast.Starred(value=ast.GeneratorExp() as made)]:
                if "getattr(" not in ast.unparse(made):
                    return ast.Call(ast.Name(SUM), [made], [])
        total, *rest = terms
        for term in rest:
            total = ast.BinOp(total, ast.Add(), term)
        return total

    def visit_Dict(self, node: ast.Dict) -> ast.expr:
        """A dictionary whose keys are numbered."""
        self.generic_visit(node)
        entries = zip(node.keys, node.values, strict=True)
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        for is_entry, run in groupby(entries, lambda entry: entry[0] is not None):
            known = [*run]
            for key, value in self.entries(known) if is_entry else known:  # not `**` of some
                keys.append(key)
                values.append(value)
        if len(values) == 1 and keys == [None]:
            return values[0]
        return ast.Dict(keys, values)

    def entries(
        self, entries: Sequence[tuple[ast.expr | None, ast.expr]]
    ) -> Iterator[tuple[ast.expr | None, ast.expr]]:
        """Entries of a dictionary, a comprehension under no key for those that are alike."""
        each = [self.alike([*entry]) for entry in entries]
        place = 0
        while place < len(each):
            count, loop = self.best_from(each, place)
            if loop is None:
                yield entries[place]
            else:
                key, value = loop.nodes
                yield None, ast.DictComp(key=key, value=value, generators=[comprehension(loop)])
            place += count

    def elements(self, elements: list[ast.expr]) -> list[ast.expr]:
        """Elements with runs of them as comprehensions."""
        if len(elements) < 2 or not any(map(is_made, elements)):  # numbers stay as they are
            return elements
        each = [self.alike([element]) for element in elements]
        whole = [
            replace(self.alike([element]), shorter=own)
            for element, own in zip(self.completed(elements), each, strict=True)
        ]
        made: list[ast.expr] = []
        place = 0
        while place < len(each):
            count, loop = self.best_from(whole, place)
            if loop is None:
                count, loop = self.best_from(each, place)
            if loop is None:
                count, loop = self.in_turns(whole, place)
            made.append(elements[place] if loop is None else spread(loop))
            place += count
        return made

    def in_turns(self, each: Sequence[Alike], place: int) -> tuple[int, FoldedLoop | None]:
        """How many elements from a place on are a few that come again and again, and as a loop."""
        best: tuple[int, FoldedLoop | None] = (1, None)
        most = 0.0
        for period in range(2, MOST_IN_TURN + 1):
            blocks = self.turns_from(each, place, period)
            if len(blocks) < FEWEST_TURNS:
                continue
            if blocks[0].length < LONG_TURN and makers(blocks[0].nodes) not in self.turns:
                continue
            count, loop = self.longest(blocks)
            if loop is not None:
                whole = sum(block.length + period for block in blocks[:count])
                gain = WORTH * whole - tokens([spread(loop)])
                best, most = ((count * period, loop), gain) if gain > most else (best, most)
        return best

    def completed(self, elements: Sequence[ast.expr]) -> list[ast.expr]:
        """Calls of one constructor with what only some of them are told told to all."""
        made = [*elements]
        for name in {called(e.func) for e in elements if isinstance(e, ast.Call)}:
            calls = [e for e in elements if isinstance(e, ast.Call) and called(e.func) == name]
            defaults = self.defaults.get(name) or DEFAULTS.get(name.rstrip("123d"), {})
            positions = self.signatures.get(name, ())[: max(len(call.args) for call in calls)]
            more = [positions[len(call.args) :] for call in calls]
            given = [{k.arg: k.value for k in call.keywords} for call in calls]
            words = [w for w in dict.fromkeys(chain.from_iterable(given)) if w not in positions]
            needed = ({*words, *rest} - {*one} for rest, one in zip(more, given, strict=True))
            if any(not missing <= {*defaults} for missing in needed):
                continue
            whole = {
                id(call): ast.Call(
                    call.func,
                    [*call.args, *(told(one, word, defaults) for word in rest)],
                    [ast.keyword(word, told(one, word, defaults)) for word in words],
                )
                for call, one, rest in zip(calls, given, more, strict=True)
            }
            made = [whole.get(id(e), m) for e, m in zip(elements, made, strict=True)]
        return made

    # ── statements ───────────────────────────────────────────────────────────────────────────

    def statements(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        """Statements with runs of them as loops, until nothing more is alike."""
        self.taken = frozenset().union(*map(names_in, statements))
        made = [self.visit(statement) for statement in statements]
        known: dict[int, Alike] = {}
        while True:
            shorter = self.runs(made, known)
            if len(shorter) == len(made):
                if self.with_rows:
                    return made
                self.with_rows = True
                shorter, known = [self.visit(statement) for statement in made], {}
            made = shorter

    def runs(self, statements: list[ast.stmt], known: dict[int, Alike]) -> list[ast.stmt]:
        """One sweep for loops; `known` are the statements of the last."""
        each = [known.get(id(one)) or self.alike([one]) for one in statements]
        known.update(zip(map(id, statements), each, strict=True))  # which keeps their identities
        made: list[ast.stmt] = []
        place = 0
        while place < len(each):
            best, best_gain, best_count = None, 0.0, 1
            for period in range(1, LONGEST_BODY + 1):
                count, loop = self.best_from(each, place, period)
                if loop is None:
                    continue
                written = loop.statement()
                whole = sum(one.length for one in each[place : place + count * period])
                gain = WORTH * whole - tokens([written])
                if gain > best_gain:
                    best, best_gain, best_count = written, gain, count * period
            made.append(statements[place] if best is None else best)
            place += best_count
        return made

    def turns_from(
        self, each: Sequence[Alike], place: int, period: int, most: int | None = None
    ) -> Sequence[Alike]:
        """So many things from a place on as one, and those behind that are alike, if there are."""
        turns = 1
        while turns != most and self.repeats(each, place, period, turns):
            turns += 1
        if turns == 1:
            return []
        if period == 1:
            return each[place : place + turns]
        ends = range(place + period, place + turns * period + 1, period)
        return [joined(each[end - period : end]) for end in ends]

    @staticmethod
    def repeats(each: Sequence[Alike], place: int, period: int, turn: int) -> bool:
        """Whether the statements of a turn are alike those of the first."""
        start = place + turn * period
        if start + period > len(each):
            return False
        return all(each[place + k].key == each[start + k].key for k in range(period))

    # ── both ─────────────────────────────────────────────────────────────────────────────────

    def alike(self, nodes: Sequence[Any]) -> Alike:
        """Nodes with their numbers apart."""
        return alike_of(nodes, self.signatures)

    def best_from(
        self, each: Sequence[Alike], place: int, period: int = 1
    ) -> tuple[int, FoldedLoop | None]:
        """How many turns from a place on are best said as a loop, and this; one as it is.

        More than a few are looked at where the few are best said as one.
        """
        few = self.turns_from(each, place, period, FEW)
        found = self.longest(few)
        if found[0] < FEW:
            return found
        count, loop = self.longest(self.turns_from(each, place, period))
        return found if loop is None else (count, loop)

    def longest(self, run: Sequence[Alike]) -> tuple[int, FoldedLoop | None]:
        """How many of things that are alike are best said as a loop, and this; one as it is."""
        lengths = [len(run)] if len(run) > 1 else []
        regular = self.regular(run)
        lengths += [regular] if 1 < regular < len(run) else []
        best: tuple[int, FoldedLoop | None] = (1, None)
        most = -self.slack
        for count in lengths:
            loop = self.loop(run[:count])
            if loop is None:
                continue
            whole = sum(each.length + 1 for each in run[:count])
            header = tokens([loop.target, loop.values]) + 4
            gain = whole - tokens(loop.nodes) - header
            if gain > most:
                best, most = (count, loop), gain
        return best

    def regular(self, run: Sequence[Alike]) -> int:
        """How many from the first on differ by equal steps, or not at all."""
        if len(run) < 2:
            return len(run)
        steps = (
            [b - a for a, b in zip(one.values, other.values, strict=True)]
            for one, other in pairwise(run)
        )
        first = next(steps)
        return 2 + len([*takewhile(first.__eq__, steps)])

    def loop(self, run: Sequence[Alike]) -> FoldedLoop | None:
        """Things that are alike as one, in a loop, whose counter begins where that is shortest."""
        columns = [[each.values[place] for each in run] for place in range(len(run[0].values))]
        made = self.loop_over(run, columns, [])
        if made is None:
            return None
        base = smallest_power(columns) if self.with_rows and len(run) > 2 else []
        other = self.loop_over(run, columns, base) if base else None
        made = min(filter(None, (made, other)), key=FoldedLoop.length)
        if any(SHIFTED.search(ast.unparse(node)) for node in made.nodes):
            other = self.loop_over(run, columns, [], from_zero=True)
            made = other if other and other.length() + LITTLE < made.length() else made
        return made

    def loop_over(
        self,
        run: Sequence[Alike],
        columns: Sequence[list[Any]],
        base: list[Any],
        *,
        from_zero: bool = False,
    ) -> FoldedLoop | None:
        """Things that are alike in a loop, which goes over a row by which others are said.

        Its counter begins with what they number, unless it begins with 0.
        """
        first, count = run[0], len(run)
        used = self.taken | first.names
        free = [name for name in COUNTERS if name not in used]
        if not free:
            return None
        counter = free[0]
        varying = [column for column in columns if any(value != column[0] for value in column)]
        counting = [
            (column[0], word, named)
            for column, word, named in zip(columns, first.words, first.in_names, strict=True)
            if column in varying and column == [column[0] + turn for turn in range(count)]
        ]
        in_names = [at for at, _, named in counting if named]
        indices = {at for at, word, _ in counting if word == INDEX}
        start = in_names[-1] if in_names else int(indices == {1})
        start = 0 if from_zero else start
        shifted = [*range(start, start + count)]
        given: list[ast.expr | int | float] = []
        rows: dict[str, list[Any]] = {}
        counted = False
        for column, word, named in zip(columns, first.words, first.in_names, strict=True):
            if column not in varying and len({type(v) for v in column}) == 1:
                given.append(column[0])
                continue
            times = column[0] // base[0] if base and type(column[0]) is int else 0
            if times > 1 and column == [times * value for value in base] and base in rows.values():
                name = next(n for n, row in rows.items() if row == base)
                given.append(ast.BinOp(ast.Constant(times), ast.Mult(), ast.Name(name)))
                continue
            text = counter if column == shifted else formula_from(column, counter, start)
            if text and column != base:
                counted = True
                text = (
                    f"0 - {text[1:]}" if text == f"-{counter}" else text
                )  # as further on: `1 - i`
                given.append(ast.parse(text, mode="eval").body)
                continue
            name = next((n for n, row in rows.items() if row == column), "")
            half = next((n for n, row in rows.items() if column == [2 * v for v in row]), "")
            if half and columns.count(column) == 1 and len({*map(type, column)}) == 1:
                given.append(ast.BinOp(ast.Constant(2), ast.Mult(), ast.Name(half)))
                continue
            if not name and not self.with_rows:
                return None
            if not name:
                name = word if not named else "name"
                while name in used or name in rows or name == counter:
                    name += "_"
                rows[name] = column
            given.append(ast.Name(name))
        nodes = [Filled(iter_of).visit(node) for iter_of in [iter(given)] for node in first.nodes]
        return with_header(nodes, rows, counter if counted else "", start, count)


def smallest_power(columns: Sequence[list[Any]]) -> list[Any]:
    """Of several rows of numbers that double and double the first, where it is the smallest."""
    doubling = [
        column
        for column in columns
        if all(type(value) is int and value > 0 for value in column)
        and all(2 * a == b for a, b in pairwise(column))
    ]
    smallest = min(doubling, default=[])
    return smallest if len(doubling) > 2 and doubling[0] == smallest else []


def formula_from(column: Sequence[Any], counter: str, start: int) -> str:
    """A formula in a counter that begins at a number."""
    if not all(isinstance(value, int | float) for value in column):
        return ""
    if not start:
        return formula(column, counter)
    step = column[1] - column[0]
    if len(column) == 2 and abs(step) > 1:  # any two numbers lie on a line
        return ""
    found = ""
    if all(b - a == step for a, b in pairwise(column)):  # three of them tell the sum
        found = formula([column[0] - step * (start - k) for k in range(3)], counter)
    ratio = column[1] // column[0] if column[0] and len(column) > 2 else 1
    if not found and ratio > 1 and start < MOST_POWERS and column[0] % ratio**start == 0:
        before = [column[0] // ratio ** (start - k) for k in range(start)]
        found = formula([*before, *column], counter)
    return found or formula(column, f"({counter} - {start})")


def with_header(
    nodes: list[Any], rows: Mapping[str, list[Any]], counter: str, start: int, count: int
) -> FoldedLoop:
    """A loop over rows of numbers, over a counter, or over both."""
    names: list[ast.expr] = [ast.Name(name) for name in rows]
    columns = [[expression_of(value) for value in row] for row in rows.values()]
    turns = [ast.Tuple([*turn], ast.Load()) for turn in zip(*columns, strict=True)]
    several = len(rows) > 1
    each = turns if several else [turn.elts[0] for turn in turns]
    if several and rows_used(nodes, rows) == [*rows]:
        whole = AsOne(names)
        nodes = [whole.visit(node) for node in nodes]
        names = names[:1] if whole.found else names
    target = names[0] if len(names) == 1 else ast.Tuple(names, ast.Store())
    values: ast.expr = ast.Tuple([*each], ast.Load())
    if counter and rows:
        first = [ast.Constant(start)] if start else []
        values = ast.Call(ast.Name("enumerate"), [values, *first], [])
        target = ast.Tuple([ast.Name(counter), target], ast.Store())
    elif not rows:
        limits = [ast.Constant(start)] if start else []
        limits.append(ast.Constant(start + count))
        values = ast.Call(ast.Name("range"), [*limits], [])
        target = ast.Name(counter or "_")
    return FoldedLoop(target, values, nodes)


def rows_used(nodes: Sequence[Any], rows: Collection[str]) -> list[str]:
    """The names of rows in some nodes, as often as they are there."""
    inside = (each for node in nodes for each in ast.walk(node))
    return [each.id for each in inside if isinstance(each, ast.Name) and each.id in rows]


class AsOne(ast.NodeTransformer):
    """One name in the place of a tuple of several."""

    def __init__(self, names: Sequence[ast.expr]) -> None:
        self.name, self.text = names[0], ast.dump(ast.Tuple([*names]))
        self.found = False

    def visit_Tuple(self, node: ast.Tuple) -> ast.expr:
        """A tuple."""
        if ast.dump(ast.Tuple(node.elts)) == self.text:
            self.found = True
            return self.name
        self.generic_visit(node)
        return node


def spread(loop: FoldedLoop) -> ast.expr:
    """The elements of a loop in the place of one; those of a turn one by one."""
    generators = [comprehension(loop)]
    element = loop.nodes[0]
    if len(loop.nodes) > 1:
        element = ast.Name(EACH)
        turn = ast.Tuple([*loop.nodes], ast.Load())
        generators.append(ast.comprehension(ast.Name(EACH), turn, [], 0))
    return ast.Starred(ast.GeneratorExp(element, generators), ast.Load())


def comprehension(loop: FoldedLoop) -> ast.comprehension:
    """The `for … in …` of a comprehension."""
    return ast.comprehension(loop.target, loop.values, [], 0)


def folded(
    lines: Sequence[tuple[str, str]],
    signatures: Signatures,
    turns: Collection[Turn] = (),
) -> list[tuple[str, str]]:
    """Statements, each with its comment, with loops for what is alike; then as lines."""
    best: list[tuple[str, str]] = []
    whole = length(lines)
    for regular_first in (False, True):
        comments: dict[int, str] = {}
        statements: list[ast.stmt] = []
        for text, comment in lines:
            (statement,) = ast.parse(text).body
            statements.append(statement)
            comments[id(statement)] = comment
        folder = Folder(signatures, turns, regular_first=regular_first)
        found: list[tuple[str, str]] = []
        for statement in with_earlier_turns(folder.statements(statements)):
            text = ast.unparse(ast.fix_missing_locations(statement)).replace("'", '"')
            text = tidied(text)
            comment = comments.get(id(statement), "")
            rows = text.splitlines()
            found += [(row, comment if len(rows) == 1 else "") for row in rows]
        if not best or length(found) < length(best):
            best = found
        if len(best) * SHORT_ENOUGH < len(lines) or length(best) * SHORT_ENOUGH < whole:
            break
    return best


def with_earlier_turns(statements: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Statements with what stands right before a loop in it, where that is shorter."""
    made: list[ast.stmt] = []
    for statement in statements:
        found = begun_earlier(made, statement) if isinstance(statement, ast.For) else None
        if found is not None:
            taken, loop = found
            whole = with_header(loop.body, loop.rows, loop.counter, loop.start, loop.count)
            written = whole.statement()
            if tokens([written]) < tokens([*made[-taken:], statement]):
                made[-taken:] = [written]
                continue
        made.append(statement)
    return made


def one_by_one(text: str) -> str:
    """A line with the elements of comprehensions one by one where that is no longer."""

    def written(found: re.Match[str]) -> str:
        element, count = found[1], int(found[2])
        more = (count - 1) * (len(WORDS.findall(element)) + 1)
        return ", ".join([element] * count) if more < OF_COMPREHENSION else found[0]

    return REPEATED.sub(written, text)


def tidied(text: str) -> str:
    """Statements with `-i` for `0 - i`, and sums by their name, without brackets of their own."""
    text = FROM_ZERO.sub("-", text)
    head, found, rest = text.partition(f"{SUM}((")
    if not found:
        return text
    end, depth = 0, 1
    while depth:
        depth += (rest[end] == "(") - (rest[end] == ")")
        end += 1
    return f"{head}sum({tidied(rest[: end - 1] + rest[end:])}"


def length(lines: Sequence[tuple[str, str]]) -> int:
    """How long lines are, in words and signs."""
    return sum(len(WORDS.findall(text)) for text, _ in lines)
