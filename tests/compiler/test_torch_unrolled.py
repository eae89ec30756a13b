"""The loops of a definition in PyTorch source: they say what their turns say, and stay loops."""

from __future__ import annotations

import ast
import random
from typing import Any

import pytest

from compiler.torch.alike import words_of
from compiler.torch.unrolled import Numbers, Turns, Variable, in_loops, rule, turns_in
from grammar.diagnostics import LoopTurn
from grammar.source import Source, Span
from tests.compiler.test_torch_forms import source
from tests.compiler.test_torch_loops import SIGNATURES, said

NAMES = ("width", "range", "i", "unit", "x", "for", "a", "aa", "range", "lambda", "unit", "aaa")
TEXT = Source("t", "for " * 40)


def unrolled(lines: list[str], turns: dict[str, Turns], gain: int) -> list[str]:
    """Statements in the loops in which their members were made."""
    statements = [ast.parse(line).body[0] for line in lines]
    reached = [turns_in(line, turns) for line in lines]
    made = in_loops(statements, reached, words_of(SIGNATURES), gain)
    return ast.unparse(ast.fix_missing_locations(ast.Module(made, []))).splitlines()


class RandomNest:
    """Loops in loops, whose statements have numbers by some rule; the same for a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.turns: dict[str, Turns] = {}
        self.loops = 0
        self.outermost = [self.random.randint(1, 9) for _ in range(9)]
        self.lets = [6]  # what the loops around have worked out

    def number(self, rule: tuple[int, ...], at: tuple[int, ...]) -> int:
        """A number that follows a rule from what the counters are, or no rule."""
        kind, a, b, c = rule
        first, last = at[0], at[-1]
        return [
            a,
            a + b * first + c * last,
            a * 2**last,
            (a + b * first) * 2**last,
            512 // 2**first,
            10 * self.outermost[first] + b * last,
            self.random.randint(0, 3),
            b * self.lets[-1],
            self.lets[min(1, len(self.lets) - 1)],
        ][kind]

    def rule(self) -> tuple[int, ...]:
        """A rule."""
        return (self.random.choice([0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8]),
                *(self.random.randint(1, 4) for _ in range(3)))  # fmt: skip

    def plan(self, depth: int) -> list[Any]:
        """What is in a turn: rules of statements, and loops with how many turns they have."""
        found: list[Any] = [(self.rule(), self.rule()) for _ in range(self.random.randint(1, 2))]
        if depth < 3 and self.random.random() < 0.7:
            self.loops += 1
            place = Span(TEXT, self.loops, self.loops + 3)
            inner = (place, self.random.randint(0, 2), self.rule(), self.plan(depth + 1))
            found.insert(self.random.randint(0, len(found)), inner)
        return found

    def run(self, plan: list[Any], at: tuple[int, ...], turns: Turns) -> None:
        """Put down the statements of a turn."""
        for each in plan:
            if len(each) == 2:
                number = len(self.lines) if self.random.random() < 0.97 else 500 + len(self.lines)
                name = f"m{number}" if self.numbered else f"m{plan.index(each)}_" + "_".join(
                    map(str, (len(turns), *at)))  # fmt: skip
                self.turns[name] = turns
                size, stride = (self.number(rule, at) for rule in each)
                self.lines.append(f"self.{name} = unit({size}, stride={stride})")
                continue
            place, start, count, inner = each
            name = NAMES[(place.start + self.shift) % 6]
            own = NAMES[-1 - len(at) - start]
            for turn in range(1 + self.number(count, at) % 5 if at else self.random.randint(2, 5)):
                variable = ((own, start + turn),) if start else ()
                let = self.number(self.outer[place.start % 3], (*at, turn))
                self.lets.append(let)
                self.run(
                    inner, (*at, turn), (*turns, LoopTurn(place, turn, variable, ((name, let),)))
                )
                self.lets.pop()

    def made(self) -> RandomNest:
        """The statements of a random nest."""
        self.numbered = self.random.random() < 0.5
        self.shift = self.random.randint(0, 5)
        self.outer = [self.rule() for _ in range(3)]  # of what loops work out
        place = Span(TEXT, 0, 3)
        self.run([(place, self.random.randint(0, 2), (0, 1, 1, 1), self.plan(1))], (), ())
        return self


@pytest.mark.parametrize("seed", range(150))
def test_random_nests_say_the_same_in_loops(seed: int) -> None:
    nest = RandomNest(seed).made()
    assert said(unrolled(nest.lines, nest.turns, seed % 3)) == said(nest.lines)


@pytest.mark.parametrize("of_let", [False, True])
def test_no_counter_has_the_name_of_a_row(of_let: bool) -> None:
    lines, turns = list[str](), dict[str, Turns]()
    for s, width in enumerate((5, 2, 9, 4)):
        counter, row = ("s", s), ("i", width)
        named = ((counter,), (row,)) if of_let else ((counter, row), ())
        turn = LoopTurn(Span(TEXT, 0, 3), s, *named)
        for around in ((turn,), *((turn, LoopTurn(Span(TEXT, 4, 7), k)) for k in range(3))):
            turns[f"m{len(lines)}"] = around
            lines.append(f"self.m{len(lines)} = unit({width}, stride={width})")
    made = unrolled(lines, turns, 2)
    assert said(made) == said(lines) and "for j in range(3):" in made[2] and " i " in made[0]


def test_a_rule_of_numbers_some_of_which_are_zero_is_looked_for_once() -> None:
    values: Numbers = {(0, 0): 0, (0, 1): 0, (0, 2): 0, (1, 0): 5}
    assert rule(values, [Variable("j", 0), Variable("i", 0)]) == ""


def test_numbers_follow_several_counters() -> None:
    counters = [Variable("j", 1), Variable("i", 0)]
    places = [(j, i) for j in range(1, 5) for i in range(5 - j)]
    for text in (
        "5 - j",
        "(64 + 32 * j) * 2 ** i",
        "j + i + 3",
        "12 + 17 * j + 2 * i",
        "8 // 2 ** i",
    ):
        values: Numbers = {(j, i): eval(text, {"i": i, "j": j}) for j, i in places}
        assert rule(values, counters) == text
    assert rule({at: (3, 1, 4, 1, 5)[at[0]] for at in places}, counters) == ""


def test_what_numbered_modules_make_is_a_list_where_it_is_taken_again() -> None:
    sizes = [8 * 2**i for i in range(5)]
    down = "".join(f"unit({c}) as enc{i} -> maxpool(2x2); " for i, c in enumerate(sizes, 1))
    up = "".join(
        f"deconv({sizes[i - 1]}, 2x2, stride=2) as up{i}; concat(enc{i}, up{i}); "
        f"unit({sizes[i - 1]}) as dec{i}; "
        for i in range(5, 0, -1)
    )
    block = "block unit(c) { conv(c, 3x3, pad=1) -> relu }"
    written = source(f"""{block}
    net t {{ input image: f32[4, 64, 64]; {down} unit(256) as middle
    {up} conv(2, 1x1); output y }}""")
    assert "x = [self.enc1(image)]" in written
    assert 'x.append(self[f"enc{i + 2}"](F.max_pool2d(x[i], 2)))' in written
    assert "torch.cat((x[4 - i], " in written


def test_modules_of_two_numbers_make_a_list_of_lists() -> None:
    written = source("""net t {
        input image: f32[3, 32, 32]
        conv(4, 3x3, pad=1) as conv0_0
        for i in range(1, 5) { maxpool(2x2) -> conv(4 * 2 ** i, 3x3, pad=1) as "conv{i}_0" }
        for j in range(1, 5) { for i in range(5 - j) {
            concat {
                for k in range(j) { "conv{i}_{k}" -> identity }
                "conv{i + 1}_{j - 1}" -> upsample(2)
            } -> conv(4 * 2 ** i, 3x3, pad=1) as "conv{i}_{j}"
        } }
        output y = "conv0_4"
    }""")
    assert written.count("for j in range(4):\n            for i in range(4 - j):") == 2
    assert "*x[i]," in written and "F.interpolate(x[i + 1][j], " in written
    assert "return x[0][4]" in written


STAGES = """block unit(c, stride=1) { conv(c, 3x3, stride=stride, pad=1) -> relu }
block stages(c) {
    unit(c)
    for s, depth in enumerate([1, 2, 4, 3]) {
        unit(2 * c * 2 ** s, stride=2)
        repeat depth { add { unit(2 * c * 2 ** s); identity } }
        if s >= FIRST { output "c{s}" }
    }
}
net t { input image: f32[3, 64, 64]; TAKEN = stages(8) as trunk; RESULTS }"""


def stages(first: int, *results: str) -> str:
    """The source of a net of stages, of which the last are results."""
    outputs = "; ".join(f"output {name}_ = {name} -> conv(2, 1x1)" for name in results)
    text = STAGES.replace("FIRST", str(first)).replace("TAKEN", ", ".join(results))
    return source(text.replace("RESULTS", outputs))


def test_stages_of_several_depths_are_a_loop_and_their_results_a_list() -> None:
    written = stages(1, "a", "b", "c")
    table = "STAGES_ROWS = ((2, 1), (4, 2), (7, 4), (12, 3))\n\n\nclass Stages(nn.ModuleDict):\n"
    assert table in written  # once, for both
    assert "for s, (first, depth) in enumerate(STAGES_ROWS):" in written
    assert "for first, depth in STAGES_ROWS:" in written
    assert "for i in range(depth):" in written
    assert "y.append(x)\n        return y[1:]" in written
    assert "return y\n" in stages(0, "a", "b", "c", "d")


def test_rows_of_two_classes_have_two_names() -> None:
    blocks = STAGES.replace("FIRST", "4").replace("net t", "BLOCK net t").split("net t")
    other = blocks[0][blocks[0].index("block stages") :].replace("BLOCK", "")
    other = other.replace("stages", "sTAGES").replace("[1, 2, 4, 3]", "[2, 1, 3, 3]")
    net = "net t { input image: f32[3, 64, 64]; stages(8) -> sTAGES(8); output y }"
    written = source(blocks[0].replace("BLOCK", "") + other + net)
    assert written.count("STAGES_ROWS_ = ((2, 1), (4, 2), (7, 4), (12, 3))\n") == 1
    assert written.count("STAGES_ROWS = ((2, 2), (5, 1), (7, 3), (11, 3))\n") == 1


def test_what_a_loop_works_out_is_a_line_of_it_where_that_is_shorter() -> None:
    written = source("""block unit(c, k, stride=1) { conv(c, k, stride=stride, pad="half") -> relu }
    block stages(c) {
        for s, depth in enumerate([1, 2, 4, 3]) {
            let width = 2 * c * 2 ** s
            unit(width, 3x3, stride=2)
            repeat depth { add { unit(width // 2, 1x1) -> unit(width, 3x3); identity } }
        }
    }
    net t { input image: f32[8, 64, 64]; stages(8); output y }""")
    assert "(STAGES_ROWS):\n            width = 16 * 2 ** s\n" in written
    assert written.count("(width // 2, width") == 2 and written.count("(width, width // 2") == 1
    assert written.count("in STAGES_ROWS:") == 1 and "\n        return x\n" in written


def test_a_loop_counts_from_zero_where_that_makes_it_shorter() -> None:
    written = source("""net t {
        input image: f32[3, 16, 16]
        for i in range(1, 5) { conv(4 * i, 3x3, pad=1) as "a{i}"; relu }
        output y
    }""")
    assert "in enumerate((3, 4, 8, 12), 1):" in written  # by no more than a number
    lines = [f"x{k} = self.m{k + 1}(x[{k}], x[{k + 4}])" for k in range(4)]
    turns: dict[str, Turns] = {
        f"m{k + 1}": (LoopTurn(Span(TEXT, 0, 3), k, (("i", k + 1),)),) for k in range(4)
    }
    lines = [line.replace(f"x{k} =", "x =") for k, line in enumerate(lines)]
    assert unrolled(lines, turns, 2)[0] == "for i in range(4):"


def test_a_loop_that_says_no_less_than_its_turns_is_none() -> None:
    written = source("""net t {
        input image: f32[3, 8, 8]
        for i in range(2) { conv(4 + 3 * i * i, 3x3, pad=1) as "a{i}" -> relu }
        output y
    }""")
    assert "for" not in written.replace("forward", "").replace("from", "")
