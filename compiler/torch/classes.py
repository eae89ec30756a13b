"""One class for the calls of a block: what all of them say, what some say, and its parameters.

A block that holds nothing is a function instead, whose parameters follow the tensors.

Calls that say the same but for numbers differ in what the constructor is given. Calls of which
some say more than others share a class too, where that is shorter: what they do not share stands
behind an `if`. Each call runs the statements that it would have had by itself, in their order.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from difflib import SequenceMatcher
from itertools import accumulate, chain, combinations, permutations
from typing import Any

from compiler.torch.alignment import aligned, counted, is_sequence, runs_of
from compiler.torch.attributes import TAKEN, Attributes
from compiler.torch.calls import CallScope
from compiler.torch.layer import (
    ABSENT,
    FIRST,
    GIVEN,
    PRESENT,
    Call,
    Code,
    Later,
    blank,
    given_in,
    leaves_of,
    text_length,
    with_leaves,
)
from compiler.torch.lets import CHANNELS, FLOWING, names_in, translated, value_of, with_values
from compiler.torch.same_padding import SAME, convolutions, may_be_same, with_same
from compiler.torch.statements import identifier, resolved
from grammar.records import dataclass

LONGEST_TEXT = 1000  # of what is looked at number by number
MOST_VARIANTS = 6
COMING_IN = (CHANNELS, "in_features", "normalized_shape", "num_features", "num_channels")
FEWEST_PRODUCTS = 4  # of different numbers that are not products by chance
MOST_IN_LINE = 30  # letters of what stands after `if … else` in a line
FACTORS = (2, 3, 4, 6, 8, 5, 7, 9, 10, 12, 16)
SIGNS: Mapping[str, Callable[[int], bool]] = {
    "<": lambda value: value < 0,
    ">": lambda value: value > 0,
    "<=": lambda value: value <= 0,
    ">=": lambda value: value >= 0,
}
# A number, with the word that it is given by, or a row of them that a comprehension goes through.
ROW = r"(?<=in )\((?:\d+, )+\d+\)(?=\])"
NUMBER = re.compile(rf"(?:\b(\w+)=)?(?<![\w.])({ROW}|\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w.])")
NAME = re.compile(r"\b[^\W\d]\w*")


@dataclass
class CodeRow:
    """A line of a constructor or of `forward`: what it is without its values, and these."""

    key: Any
    leaves: list[tuple[str, Any]]
    write: Callable[[list[Any]], list[str]]
    comment: str = ""


@dataclass
class ModuleCode:
    """What a scope becomes: its members by local name, and the lines of its `forward`."""

    scope: CallScope
    attributes: Attributes
    arguments: list[str]
    lines: list[tuple[str, str]]
    results: list[str]
    symbols: list[str]
    uses: set[str]
    comment: str = ""  # of what is returned
    is_chain: bool = False  # of its members, in their order
    channels: Any = None  # that come in
    shapes: Mapping[str, str] = field(default_factory=dict)  # what members make, as comments
    sizes: Sequence[tuple[Any, ...]] = ()  # of what comes in, without the batch
    is_function: bool = False  # it has no members

    @property
    def calls(self) -> dict[str, Call]:
        """The members that are made by a call."""
        return self.attributes.calls

    @property
    def block(self) -> str:
        """The block that is called."""
        return self.scope.step.block if self.scope.step else ""

    @property
    def given(self) -> dict[str, Any]:
        """The values of the block's parameters."""
        return dict(self.scope.step.given) if self.scope.step else {}

    def with_calls(self, calls: Mapping[str, Call]) -> ModuleCode:
        """The same with other calls for some members."""
        attributes = replace(self.attributes, calls={**self.calls, **calls})
        return replace(self, attributes=attributes)

    def constructor(self) -> list[CodeRow]:
        """A row for each member."""
        if [*self.calls] == [""]:
            sequence = self.calls[""]
            return [self.elements(sequence)] if sequence.values else []
        return [self.member(own) for own in self.attributes.by_member()]

    def elements(self, sequence: Call) -> CodeRow:
        """The row of all that an nn.Sequential runs."""

        def write(codes: list[Any]) -> list[str]:
            given = with_leaves(sequence, [*codes])
            return [f"super().__init__({', '.join(given_in(given))})"]

        return CodeRow(blank(sequence), leaves_of(sequence), write)

    def member(self, own: Attributes) -> CodeRow:
        """The row of a member and all that is in it."""
        texts = [*own.parameters.values(), *(text for text, _ in own.buffers.values())]
        key = (
            tuple((name, blank(call)) for name, call in own.calls.items()),
            own.others(),
            tuple(map(without_numbers, texts)),
        )
        leaves = [
            (f"{name}_{word}" if word == "value" else word, value)
            for name, call in own.calls.items()
            for word, value in leaves_of(call)
        ]
        leaves += [found for text in texts for found in numbers(text)]

        def write(codes: list[Any]) -> list[str]:
            rest = [*codes]
            calls = {name: with_leaves(call, rest) for name, call in own.calls.items()}
            made = [with_numbers(text, rest) for text in texts]
            parameters = dict(zip(own.parameters, made, strict=False))
            buffers = {
                name: (text, keep)
                for (name, (_, keep)), text in zip(
                    own.buffers.items(), made[len(parameters) :], strict=True
                )
            }
            filled = replace(own, calls=calls, parameters=parameters, buffers=buffers)
            return filled.written()[0]

        (*_, name) = own.all_names()
        return CodeRow(key, leaves, write, self.shapes.get(name, ""))

    def texts(self) -> list[str]:
        """The lines of `forward` as they are for this call alone."""
        return [line for row in self.forward() for line in row.write([v for _, v in row.leaves])]

    def forward(self) -> list[CodeRow]:
        """A row for each line, and for what is returned; none where nn.Sequential has one."""
        if self.is_chain:
            return []
        _, reach = self.attributes.written()
        returned = f"return {', '.join(self.results)}"
        found = []
        for line, comment in [*self.lines, (returned, self.comment)]:
            text = resolved(line, reach.__getitem__)

            def write(codes: list[Any], text: str = text) -> list[str]:
                return [with_numbers(text, [*codes])]

            found.append(CodeRow(without_numbers(text), numbers(text), write, comment))
        return found

    def skeleton(self) -> tuple[Any, ...]:
        """What calls of one class have in common: all but the values that constructors take."""
        rows = [*self.constructor(), *self.forward()]
        return (self.block, self.is_chain, tuple(row.key for row in rows), *self.arguments)


@dataclass
class Merged:
    """A row of several calls, by their places."""

    rows: dict[int, CodeRow]

    @property
    def first(self) -> CodeRow:
        """That of the first of the calls."""
        return next(iter(self.rows.values()))


@dataclass
class PythonClass:
    """A class of the source: its constructor's parameters, and its lines."""

    name: str
    scope: CallScope
    arguments: list[str]
    parameters: list[tuple[str, Any]]  # with defaults, or None
    is_chain: bool
    is_function: bool
    constructor: list[tuple[str, str]]
    forward: list[tuple[str, str]]
    calls: dict[str, Call]  # of the class, by path
    lets: list[str]  # lines that work out what the constructor is not given

    def length(self) -> int:
        """About how many words and signs it has, with its calls."""
        different = {str(call): call for call in self.calls.values()}.values()
        given = sum(len(call.arguments) for call in different)
        return self.own_length() + 2 * given

    def length_with_calls(self) -> int:
        """How long it is with its calls as they are written."""
        return self.own_length() + sum(map(text_length, {*map(str, self.calls.values())}))

    def own_length(self) -> int:
        """About how many words and signs it has."""
        words = sum(text_length(text) for text, _ in (*self.constructor, *self.forward))
        words += sum(map(text_length, self.lets))
        head = 8 if self.is_function else 24 if self.is_chain else 34
        return words + 2 * len(self.parameters) + head


def made_class(name: str, variants: Sequence[Sequence[ModuleCode]]) -> PythonClass:
    """The class of calls of which those of a variant say the same."""
    made = ClassWriter(name, variants).made()
    alike = with_aligned(variants)
    if alike is not None:
        other = ClassWriter(name, alike).made()
        variants, made = (alike, other) if other.length() < made.length() else (variants, made)
    padded = with_same_padding(variants)
    if padded is not None:
        other = ClassWriter(name, padded).made()
        made = other if other.length_with_calls() < made.length_with_calls() else made
    return made


def with_same_padding(
    variants: Sequence[Sequence[ModuleCode]],
) -> list[list[ModuleCode]] | None:
    """The variants with `padding="same"` where it may be shorter; None without such a place."""
    found: dict[tuple[str, int], list[Call]] = {}
    for module in chain.from_iterable(variants):
        for name, call in module.calls.items():
            for place, conv in enumerate(convolutions(call)):
                found.setdefault((name, place), []).append(conv)
    chosen: dict[str, set[int]] = {}
    for (name, place), convs in found.items():
        if may_be_same(convs):
            chosen.setdefault(name, set()).add(place)
    if not chosen:
        return None
    return [
        [
            module.with_calls(
                {
                    name: with_same(module.calls[name], places)
                    for name, places in chosen.items()
                    if name in module.calls
                }
            )
            for module in variant
        ]
        for variant in variants
    ]


def with_aligned(variants: Sequence[Sequence[ModuleCode]]) -> list[list[ModuleCode]] | None:
    """The variants with the same places in a sequence that they all have; None without one."""
    firsts = [variant[0].calls for variant in variants]
    found: dict[str, list[list[Call]]] = {}
    for name in firsts[0]:
        if not all(is_sequence(calls.get(name)) for calls in firsts):
            continue
        if len({repr(blank(calls[name])) for calls in firsts}) > 1:
            every = [module.calls[name] for variant in variants for module in variant]
            rest = iter(aligned(every))
            found[name] = [[next(rest) for _ in variant] for variant in variants]
    if not found:
        return None
    return [
        [
            module.with_calls({name: calls[number][place] for name, calls in found.items()})
            for place, module in enumerate(variant)
        ]
        for number, variant in enumerate(variants)
    ]


def with_counts(modules: Sequence[ModuleCode]) -> list[ModuleCode]:
    """Calls of a block, those alike that have something more often than others."""
    made = [*modules]
    for name in dict.fromkeys(name for module in modules for name in module.calls):
        found = {
            place: module.calls[name]
            for place, module in enumerate(modules)
            if is_sequence(module.calls.get(name)) and module.calls[name].arguments
        }
        longest = sorted(found.values(), key=lambda call: -len(runs_of(call.arguments)))
        for whole in {repr(blank(call)): call for call in longest}.values():
            like = blank(whole)
            alike = {p: c for p, c in found.items() if blank(c) == like or counted([whole, c])}
            several = any(blank(call) != like for call in alike.values())
            several &= any(n > 1 for call in alike.values() for _, n in runs_of(call.arguments))
            calls = counted([*alike.values()]) if several else None
            if calls is None:
                continue
            for place, call in zip(alike, calls, strict=True):
                made[place] = modules[place].with_calls({name: call})
                del found[place]
    if all(new is old for new, old in zip(made, modules, strict=True)):
        return made
    groups: dict[Any, list[ModuleCode]] = {}
    for module in made:
        groups.setdefault(module.skeleton(), []).append(module)
    fewer = len(groups) < len({module.skeleton() for module in modules})
    return made if fewer and all(map(says_all, groups.values())) else [*modules]


def says_all(modules: Sequence[ModuleCode]) -> bool:
    """Whether of calls that are alike one at least says each thing."""
    for rows in zip(*(module.constructor() for module in modules), strict=True):
        for leaves in zip(*(row.leaves for row in rows), strict=True):
            if all(value is ABSENT for _, value in leaves):
                return False
    return True


class ClassWriter:
    """A class in the making."""

    def __init__(self, name: str, variants: Sequence[Sequence[ModuleCode]]) -> None:
        self.name = name
        self.modules = modules = [module for variant in variants for module in variant]
        self.parameters: dict[str, list[Any]] = {}
        self.kept: dict[str, str] = {}  # what `forward` calls the parameters
        self.lets: dict[str, str] = {}  # what the constructor works out, by name
        firsts = accumulate((len(variant) for variant in variants[:-1]), initial=0)
        self.of_variant = dict(zip(firsts, variants, strict=True))
        self.members = {
            name.partition(".")[0] for m in modules for name in m.attributes.all_names()
        }

    def made(self) -> PythonClass:
        """The class."""
        constructor = self.written([m.constructor() for m in self.modules], forward=False)
        forward = self.written([m.forward() for m in self.modules], forward=True)
        kept = [f"self.{held} = {name}" for name, held in self.kept.items()]
        self.parameters = {n: self.completed(row) for n, row in self.parameters.items()}
        order = sorted(self.parameters, key=self.rank)
        signature = [(name, self.default(name)) for name in order]
        plain = [name for name, default in signature if default is None]
        calls = {}
        for place, module in enumerate(self.modules):
            values = {name: self.parameters[name][place] for name in order}
            given = tuple(
                (name, default if values[name] is ABSENT else values[name], default)
                for name, default in signature
                if default is not None
            )
            arguments = tuple(values[name] for name in plain)
            calls[module.scope.path] = Call(self.name, arguments, given, tuple(plain))
        first = self.modules[0]
        lines = [*((text, "") for text in kept), *constructor]
        return PythonClass(
            self.name,
            first.scope,
            first.arguments,
            signature,
            first.is_chain,
            first.is_function,
            lines,
            forward,
            calls,
            [f"{name} = {text}" for name, text in self.lets.items()],
        )

    def rank(self, name: str) -> tuple[int, int]:
        """Where a parameter stands: those that each call is given, then what goes by its place.

        Of them the channels that come in stand first, and what the block has in its own order.
        """
        group = 0 if self.default(name) is None else 1 if name in FIRST else 2
        own = [*COMING_IN, *map(identifier, self.modules[0].given)]
        if "stride" in own:
            own.insert(own.index("stride") + 1, "padding")
        return group, own.index(name) if name in own else len(own)

    def default(self, name: str) -> Any:
        """What a parameter is unless told, if it has such a value."""
        values = [value for value in self.parameters[name] if value is not ABSENT]
        if any(isinstance(value, Later) for value in values):
            return Code("None") if ABSENT in self.parameters[name] else None
        value, count = Counter(values).most_common(1)[0]
        if len(values) < len(self.parameters[name]):
            return value
        usual = isinstance(value, bool | float | Code) or value in (0, 1, SAME) or name in FIRST
        often = count > 1 if name in FIRST else 2 * count >= len(values)  # it costs no word
        return value if usual and often else None

    # ── what some say ────────────────────────────────────────────────────────────────────────

    def written(self, rows: list[list[CodeRow]], *, forward: bool) -> list[tuple[str, str]]:
        """The lines of a constructor or of `forward`, with conditions where some have no such."""
        everyone = {*range(len(self.modules))}
        found: list[tuple[str, str]] = []
        group: list[tuple[str, str]] = []
        of: set[int] = everyone
        before: set[int] | None = None  # of the condition that was just written
        gone: set[int] = set()  # those that have returned

        def close() -> None:
            nonlocal group, before
            if of == everyone - gone or not group:
                found.extend(group)
                before = None if group else before
            elif before is not None and before == everyone - of and found[-1][0][:3] == "if ":
                found[-1] = (either(found[-1][0], group), "")
                before = None
            else:
                found.append((f"if {self.condition(of, forward)}:\n{indented(group)}", ""))
                before = of
                if group[-1][0].startswith("return "):
                    gone.update(of)
            group = []

        for merged in self.merged(rows):
            lines = self.filled(merged, forward=forward)
            if {*merged.rows} != of:
                close()
                of = {*merged.rows}
            group += lines
        close()
        return found

    def merged(self, rows: list[list[CodeRow]]) -> list[Merged]:
        """The rows of all calls in one order that is that of each."""
        found: list[Merged] = []
        for place, variant in self.of_variant.items():
            places = range(place, place + len(variant))
            own = [Merged({p: rows[p][k] for p in places}) for k in range(len(rows[place]))]
            a_keys, b_keys = ([repr(each.first.key) for each in some] for some in (found, own))
            matcher = SequenceMatcher(None, a_keys, b_keys, autojunk=False)
            merged: list[Merged] = []
            for tag, a, b, c, d in matcher.get_opcodes():
                if tag == "equal":
                    pairs = zip(found[a:b], own[c:d], strict=True)
                    merged += [Merged({**one.rows, **other.rows}) for one, other in pairs]
                else:
                    merged += [*found[a:b], *own[c:d]]
            found = merged
        return found

    def condition(self, chosen: set[int], forward: bool, hint: str = "variant") -> str:
        """What is true of some of the calls, and false of the others."""
        others = [p for p in range(len(self.modules)) if p not in chosen]
        for name, values in self.parameters.items():
            have = {p for p, value in enumerate(values) if value is not ABSENT}
            if have in (chosen, {*others}) and any(isinstance(value, Later) for value in values):
                test = f"{name} is{' not' * (have == chosen)} None"
                return self.own(test) if forward else test
        given = [module.given for module in self.modules]
        names = [n for n in given[0] if all(n in g and plain(g[n]) for g in given)]
        known = {identifier(n): [g[n] for g in given] for n in names}
        known |= {n: row for n, row in self.parameters.items() if ABSENT not in row}
        tests: dict[str, str] = {}  # one of a sign says more than one of a number
        for name, values in known.items():
            inside, outside = {values[p] for p in chosen}, {values[p] for p in others}
            if inside & outside or not outside or not all(map(plain, inside | outside)):
                continue
            test = test_between(name, inside, outside)
            if test:
                tests.setdefault(test, name)
        if tests:
            whole = [t for t, n in tests.items() if n in self.parameters and are_whole(known[n])]
            fewest = min(tests, key=lambda test: len({*known[tests[test]]}))  # most like a flag
            test = next((test for test in whole if "= " not in test), fewest)
            self.parameters[tests[test]] = known[tests[test]]
            return self.own(test) if forward else test
        name = self.equality({*chosen}, {*others}) or self.flag(chosen, hint)
        return self.own(name) if forward else name

    def equality(self, chosen: set[int], others: set[int]) -> str:
        """A condition on what comes in: `in_channels == 4 * c`; empty where there is none."""
        whole = {name: self.completed(row) for name, row in self.parameters.items()}
        rows = {n: row for n, row in whole.items() if all(type(v) is int for v in row)}
        channels = [module.channels for module in self.modules]
        for (a, first), (b, second) in permutations(rows.items(), 2):
            if first != channels:
                continue
            for factor in (1, *FACTORS):
                alike = {p for p, v in enumerate(first) if v == factor * second[p]}
                if alike in (chosen, others):
                    self.parameters |= {a: first, b: second}
                    sign = "==" if alike == chosen else "!="
                    return f"{a} {sign} {f'{factor} * ' if factor > 1 else ''}{b}"
        return ""

    def flag(self, chosen: set[int], hint: str) -> str:
        """A parameter that says whether a call is among some."""
        values = [place in chosen for place in range(len(self.modules))]
        for name, known in self.parameters.items():
            if known == values and all(type(value) is bool for value in known):
                return name
        inner = [self.modules[p].attributes.all_names() for p in range(len(self.modules))]
        tops = [{name.partition(".")[0] for name in names} for names in inner]
        only = [
            top
            for top in sorted(self.members)
            if all((top in tops[p]) == (p in chosen) for p in range(len(self.modules)))
        ]
        name = identifier(f"with_{only[0]}" if only else hint)
        while name in self.parameters:
            name += "_"
        self.parameters[name] = values
        return name

    # ── what is given ────────────────────────────────────────────────────────────────────────

    def filled(self, merged: Merged, *, forward: bool) -> list[tuple[str, str]]:
        """The lines of a row with parameters in the places of what differs."""
        codes: list[Any] = []
        rows = merged.rows
        self.take_modules(merged)
        numbers_from = len(merged.first.leaves)
        for place in range(numbers_from):
            column: list[Any] = [ABSENT] * len(self.modules)
            for module, row in rows.items():
                column[module] = row.leaves[place][1]
            word, _ = merged.first.leaves[place]
            values = [column[m] for m in rows if column[m] is not ABSENT]
            first = values[0]
            if word == GIVEN:  # a module even where all are given the same
                codes.append(Code("inner"))
                continue
            if word.startswith(PRESENT):
                chosen, hint = {m for m in rows if column[m]}, word.removeprefix(PRESENT)
                codes.append(Code(self.condition(chosen, forward, hint)))
                continue
            if all(value == first and type(value) is type(first) for value in values):
                given = self.parameters.get(word, [])
                handed_on = not forward and given and all(given[m] == column[m] for m in rows)
                codes.append(Code(word) if handed_on else repr(first) if forward else first)
                continue
            size = self.size_of_input(column, codes) if forward else ""
            if size:
                codes.append(size)
                continue
            code = self.each_axis(word, column) or self.parameter_for(word, column)
            if forward:
                code = self.own(code)
                codes.append(code if code.replace(".", "").isidentifier() else f"({code})")
            else:
                codes.append(Code(code))
        lines = merged.first.write(codes)
        comments = {row.comment for row in rows.values()}
        comment = merged.first.comment if len(comments) == 1 else ""
        return [(line, comment if len(lines) == 1 else "") for line in lines]

    def size_of_input(self, column: list[Any], before: Sequence[Any]) -> str:
        """Numbers as a size of what comes in, or that over a parameter; empty where they are none.

        Of sizes that are alike that is taken which is not among the codes `before`.
        """
        places = [place for place, value in enumerate(column) if value is not ABSENT]
        values = [column[place] for place in places]
        first = self.modules[places[0]]
        found: list[str] = []
        for number, name in enumerate(first.arguments[: len(first.sizes)]):
            if any(re.match(rf"(\w+, )*{name}(, \w+)* = ", line) for line, _ in first.lines):
                continue  # it is another tensor further down
            shapes = [self.modules[place].sizes[number] for place in places]
            for axis in range(min(map(len, shapes))):
                sizes = [shape[axis] for shape in shapes]
                if not all(type(n) is int for n in (*sizes, *values)):
                    continue
                code = f"{name}.shape[{axis + 1}]"
                found += [code] if sizes == values else []
                for given, row in self.given_rows().items():
                    divided = [row[place] for place in places]
                    exact = all(type(n) is int for n in divided)
                    pairs = zip(values, divided, sizes, strict=True)
                    if exact and all(a * b == size for a, b, size in pairs):
                        self.parameters.setdefault(identifier(given), row)
                        found.append(f"{code} // {self.own(identifier(given))}")
        return next((code for code in found if code not in before), next(iter(found), ""))

    def given_rows(self) -> dict[str, list[Any]]:
        """What all calls are given for the parameters of the block."""
        given = [module.given for module in self.modules]
        return {
            name: [g[name] for g in given] for name in given[0] if all(name in g for g in given)
        }

    def completed(self, values: list[Any]) -> list[Any]:
        """Values, where they are a size of what comes in with that of the calls that have none."""
        present = [place for place, value in enumerate(values) if value is not ABSENT]
        count = min(len(module.sizes) for module in self.modules)
        if len({*(values[p] for p in present)}) < 2 or len(present) == len(values):
            return values
        for number in range(count):
            shapes = [module.sizes[number] for module in self.modules]
            for axis in range(min(map(len, shapes))):
                sizes = [shape[axis] for shape in shapes]
                if all(type(n) is int for n in sizes) and agrees(sizes, values):
                    return sizes
        return values

    def take_modules(self, merged: Merged) -> None:
        """Parameters for the modules that a row is given: what else it says may depend on them."""
        for place, (word, _) in enumerate(merged.first.leaves):
            column: list[Any] = [ABSENT] * len(self.modules)
            for module, row in merged.rows.items():
                column[module] = row.leaves[place][1]
            if word == GIVEN:
                self.parameter_for("inner", column)

    def each_axis(self, word: str, column: list[Any]) -> str:
        """A tuple whose numbers are fixed or one parameter; empty where more vary."""
        values = [value for value in column if value is not ABSENT]
        count = max((len(v) for v in values if isinstance(v, tuple)), default=0)
        whole: list[Any] = [v if isinstance(v, tuple) else (v,) * count for v in values]
        if not count or any(len(v) != count or not all(map(plain, v)) for v in whole):
            return ""
        rest = iter(whole)
        rows: list[Any] = [v if v is ABSENT else next(rest) for v in column]
        axes = [[v if v is ABSENT else v[k] for v in rows] for k in range(count)]
        varying = [axis for axis in axes if len({*axis} - {ABSENT}) > 1]
        if any(axis != varying[0] for axis in varying):
            return ""
        code = self.parameter_for(word, varying[0])
        parts = [
            code if axis == varying[0] else repr(next(v for v in axis if v is not ABSENT))
            for axis in axes
        ]
        return f"({', '.join(parts)}{',' * (count == 1)})"

    def own(self, code: str) -> str:
        """Code in a constructor as it stands in `forward`."""
        if self.modules[0].is_function:
            return code
        return NAME.sub(self.own_name, code)

    def own_name(self, found: re.Match[str]) -> str:
        """A parameter as `forward` reaches it."""
        if found[0] in ("not", "is", "None", "True", "False", "in", "and", "or"):
            return found[0]
        name = self.kept.setdefault(found[0], found[0])
        while name in self.members or name in TAKEN:
            name = self.kept[found[0]] = f"{name}_"
        return f"self.{name}"

    def parameter_for(self, word: str, values: list[Any]) -> str:
        """A parameter of the class, or arithmetic with one, of these values; new if need be."""
        parameters = self.parameters
        for name, known in parameters.items():
            if agrees(known, values):
                parameters[name] = [
                    v if k is ABSENT else k for k, v in zip(known, values, strict=True)
                ]
                return name
        for name, known in parameters.items():
            whole = self.completed(known)
            if agrees(whole, values):
                parameters[name] = whole
                return name
        rows = self.given_rows()
        for name, row in rows.items():
            if agrees(row, values):
                parameters[identifier(name)] = row
                return identifier(name)
        for name, row in rows.items():
            code = arithmetic(row, values, identifier(name))
            if code:
                parameters[identifier(name)] = row
                return code
        for name, known in parameters.items():
            whole = self.completed(known)
            code = arithmetic(whole, values, name)
            if code:
                parameters[name] = whole
                return code
        made = self.let_for(values) or self.product_for(values)
        if made:
            return made
        name = first = identifier(word)
        number = 2
        acts = any(isinstance(value, Code) for value in values)  # the block has it under its name
        while name in parameters or name in self.lets or (name in rows and not acts):
            name, number = f"{first}{number}", number + 1
        parameters[name] = values
        return name

    def product_for(self, values: list[Any]) -> str:
        """These values as the product of two parameters of the class or the block; else empty.

        It is called as what the block works out from these two, if there is such a thing.
        """
        rows = {identifier(name): row for name, row in self.given_rows().items()}
        rows |= {name: self.completed(row) for name, row in self.parameters.items()}
        whole = {name: row for name, row in rows.items() if are_whole(row)}
        present = [place for place, value in enumerate(values) if value is not ABSENT]
        for (a, first), (b, second) in combinations(whole.items(), 2):
            pairs = [(first[place], second[place]) for place in present]
            products = [x * y for x, y in pairs]
            if len({*pairs}) >= FEWEST_PRODUCTS and products == [values[p] for p in present]:
                self.parameters |= {a: first, b: second}
                return self.named_let(f"{a} * {b}", {a, b})
        return ""

    def named_let(self, formula: str, names: set[str]) -> str:
        """A formula of some names, or what it is called where the block has something of these.

        A function has no line for that.
        """
        step = None if self.modules[0].is_function else self.modules[0].scope.step
        for name, text in step.lets if step else ():
            words = {*NAME.findall(FLOWING.sub(CHANNELS, text))}
            free = identifier(name) == name and name not in self.parameters
            if translated(text) is not None or not free or not names <= words:
                continue
            if self.lets.setdefault(name, formula) == formula:
                return name
        return formula

    def let_for(self, values: list[Any]) -> str:
        """What the block works out for these values, by its name; empty where it does not."""
        step = self.modules[0].scope.step
        if step is None or self.modules[0].is_function:
            return ""
        rows = {identifier(name): row for name, row in self.given_rows().items()}
        rows[CHANNELS] = [module.channels for module in self.modules]
        for name, text in step.lets:
            formula = translated(text)
            if formula is None or name in self.parameters or identifier(name) != name:
                continue
            needed = {n: rows.get(n, []) for n in names_in(formula)}
            if not all(row and all(type(v) is int for v in row) for row in needed.values()):
                continue
            made = [
                value_of(formula, dict(zip(needed, v, strict=True)))
                for v in zip(*needed.values(), strict=True)
            ]
            varying = {n: row for n, row in needed.items() if len({*row}) > 1}
            known = all(agrees(self.parameters.get(n, row), row) for n, row in varying.items())
            if varying and known and agrees(made, values):
                self.parameters |= varying
                self.lets[name] = with_values(
                    formula, {n: r[0] for n, r in needed.items() if n not in varying}
                )
                return name
        return ""


def either(before: str, group: Sequence[tuple[str, str]]) -> str:
    """What some do, and what the others do instead; `x = a if c else b` where it is that."""
    condition, *some = before.splitlines()
    others = indented(group).splitlines()
    if len(some) == len(others) == 1:
        target, equals, value = some[0].strip().partition(" = ")
        other = others[0].partition(" = ")[2]
        short = min(len(value), len(other)) <= MOST_IN_LINE
        if equals and short and others[0].strip().startswith(f"{target} = "):
            return f"{target} = {value} if {condition[3:-1]} else {other}"
    return "\n".join([before, "else:", *others])


def indented(group: Sequence[tuple[str, str]]) -> str:
    """Lines one level further in."""
    return "\n".join(f"    {row}" for text, _ in group for row in text.splitlines())


def plain(value: Any) -> bool:
    """Whether a value can stand in a condition."""
    return isinstance(value, bool | int | float | str)


def test_between(name: str, inside: set[Any], outside: set[Any]) -> str:
    """A condition on a parameter that holds for some values and not for the others."""
    if {*map(type, inside | outside)} == {bool}:
        return name if inside == {True} else f"not {name}"
    if outside == {0}:
        return name
    if inside == {0}:
        return f"not {name}"
    if all(type(value) is int for value in inside | outside):
        for sign, holds in SIGNS.items():
            if all(map(holds, inside)) and not any(map(holds, outside)):
                return f"{name} {sign} 0"
    for sign, values in (("==", inside), ("!=", outside)):
        if len(values) == 1:
            return f"{name} {sign} {next(iter(values))!r}".replace("'", '"')
    return ""


def are_whole(values: Sequence[Any]) -> bool:
    """Whether all values are whole numbers."""
    return all(type(value) is int for value in values)


def agrees(known: Sequence[Any], values: Sequence[Any]) -> bool:
    """Whether two rows are equal where both have a value, and have one in common."""
    pairs = [(k, v) for k, v in zip(known, values, strict=True) if ABSENT not in (k, v)]
    return bool(pairs) and all(k == v and type(k) is type(v) for k, v in pairs)


def arithmetic(known: Sequence[Any], values: Sequence[Any], name: str) -> str:
    """`4 * c`, `c // 4`, `c ** 2 // 4` or `7 * c - 3`, where all values are that, or empty."""
    pairs = [(k, v) for k, v in zip(known, values, strict=True) if v is not ABSENT]
    if all(is_half(k, v) for k, v in pairs) and len({k for k, _ in pairs}) > 1:
        return f"{name} // 2"
    if not all(type(number) is int for pair in pairs for number in pair):
        return ""
    several = len({k for k, _ in pairs}) > 2
    if several and all(v == k - 1 for k, v in pairs):
        return f"{name} - 1"
    if not all(number for pair in pairs for number in pair):
        return ""
    for factor in FACTORS:
        if all(factor * k == v for k, v in pairs):
            return f"{factor} * {name}"
        if all(k == factor * v for k, v in pairs):
            return f"{name} // {factor}"
    if not several:
        return ""
    for sign, power in (("", 1), ("-", -1)):
        if all(0 < k * power < 16 and v == 2 ** (k * power) for k, v in pairs):
            return f"2 ** {sign}{name}"
    if all(v == k * k for k, v in pairs):
        return f"{name} ** 2"
    part = pairs[0][0] ** 2 // pairs[0][1]
    if part > 1 and all(v * part == k * k for k, v in pairs):
        return f"{name} ** 2 // {part}"
    for factor in (1, *FACTORS):
        apart = pairs[0][1] - factor * pairs[0][0]
        if abs(apart) <= 8 and all(v - factor * k == apart for k, v in pairs):
            times = f"{factor} * " if factor > 1 else ""
            return f"{times}{name} {'+' if apart > 0 else '-'} {abs(apart)}"
    return ""


def is_half(known: Any, value: Any) -> bool:
    """Whether a number is half of another, rounded down."""
    return type(known) is int and type(value) is int and known // 2 == value


def without_numbers(text: str) -> str:
    """A text with nothing in the places of its numbers; a table of many stays."""
    return text if len(text) > LONGEST_TEXT else NUMBER.sub("#", text)


def numbers(text: str) -> list[tuple[str, Any]]:
    """The numbers of a text, each with the keyword before it."""
    if len(text) > LONGEST_TEXT:
        return []
    return [
        (found[1] or ("places" if found[2][0] == "(" else "size"), ast.literal_eval(found[2]))
        for found in NUMBER.finditer(text)
    ]


def with_numbers(text: str, codes: list[Any]) -> str:
    """A text with other code in the places of its numbers, taken from the front of a list."""
    if len(text) > LONGEST_TEXT:
        return text

    def other(found: re.Match[str]) -> str:
        code = str(codes.pop(0))
        alone = code.replace(".", "").isidentifier() or NUMBER.fullmatch(code) or code[0] == "("
        return f"{found[1]}={code}" if found[1] else code if alone else f"({code})"

    return NUMBER.sub(other, text)
