"""Statements that are alike as loops: they say what they said one by one."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from compiler.torch.loops import Folder, folded, one_by_one
from compiler.torch.progressions import formula, listed

SIGNATURES: dict[str, dict[str, Any]] = {"unit": {"c": None, "stride": 1}}


class Recorder:
    """A module of which each call and each member that is set is put down."""

    def __init__(self) -> None:
        object.__setattr__(self, "said", [])

    def __setattr__(self, name: str, value: Any) -> None:
        self.said.append((name, value))
        object.__setattr__(self, name, value)

    def __getitem__(self, key: Any) -> Any:
        return lambda x: self.said.append((key, x)) or (x + 1)

    def __getattr__(self, name: str) -> Any:
        return self[name]


def unit(c: int, stride: int = 1) -> tuple[int, int]:
    """A module."""
    return (c, stride)


def said(lines: list[str]) -> list[Any]:
    """What statements do, in order."""
    module = Recorder()
    exec("\n".join(lines), {"self": module, "unit": unit, "x": 0, "c": 5, "i": 9, "range": range})
    found: list[Any] = module.said
    return found


def text_of(lines: list[str]) -> list[str]:
    """The lines of folded statements."""
    return [text for text, _ in folded([(line, "") for line in lines], SIGNATURES)]


def test_numbered_members_are_set_in_a_loop() -> None:
    lines = [f"self.block{i} = unit({32 * i}, stride=2)" for i in range(3, 9)]
    made = text_of(lines)
    assert made == [
        "for i in range(3, 9):",
        '    setattr(self, f"block{i}", unit(32 * i, stride=2))',
    ]
    assert said(made) == said(lines)


def test_what_only_some_are_told_all_are_told_in_a_list() -> None:
    calls = ", ".join(f"unit(8, stride={2**i})" if i else "unit(8)" for i in range(5))
    assert text_of([f"self.row = [{calls}]"]) == [
        "self.row = [unit(8, stride=2 ** i) for i in range(5)]"
    ]


def test_numbers_that_follow_no_rule_stand_in_rows() -> None:
    lines = [f"x = self[{i}](x + {c})" for i, c in enumerate([5, 9, 2, 40, 11])]
    made = text_of(lines)
    assert len(made) == 2 and "enumerate((5, 9, 2, 40, 11))" in made[0]
    assert said(made) == said(lines)


def test_a_loop_takes_no_name_that_is_in_use() -> None:
    lines = [f"self.a{k} = unit({c})" for k, c in enumerate([5, 9, 2, 40, 11])]
    lines.append("self.last = unit(c + i)")
    assert said(text_of(lines)) == said(lines)


def test_tables_of_numbers_and_what_is_alike_twice_stay() -> None:
    for line in ("x = (1, 2, 3, 4, 5, 6, 7)", "x = unit(64, 128)"):
        assert text_of([line]) == [line]
    pair = ["self.enc = unit(64)", "self.dec = unit(128)"]
    assert text_of(pair) == pair


def linear(turn: int) -> int:
    return 8 + 4 * turn


def power(turn: int) -> int:
    return int(2**turn)


@pytest.mark.parametrize("seed", range(40))
def test_random_statements_do_the_same_in_loops(seed: int) -> None:
    rng = random.Random(seed)
    lines: list[str] = []
    for _ in range(rng.randint(1, 4)):
        period, turns, start = rng.randint(1, 3), rng.randint(1, 6), rng.randint(0, 3)
        kinds = [rng.randint(0, 3) for _ in range(period)]
        rules: list[Callable[[int], int]] = [linear, power, lambda _: rng.randint(0, 9)]
        rule = rng.choice(rules)
        for turn in range(turns):
            for place, kind in enumerate(kinds):
                n, c = start + turn, rule(turn)
                lines.append(
                    [
                        f"self.b{place}_{n} = unit({c}, stride={rng.randint(1, 2)})",
                        f"x = self[{n}](x + {c})",
                        f'x = self["layer{n}"](x)',
                        f"self.row = [unit({c}), unit({c + 1}), unit({c + 2}), unit({n})]",
                    ][kind]
                )
    assert said(text_of(lines)) == said(lines)


def test_rows_of_numbers_as_formulas() -> None:
    for text in (
        "64 + 32 * i", "2 ** i", "512 // 2 ** i", "i", "10 - 2 * i", "2 ** (i % 3)",
        "0.1 * (i + 3) / 17", "i / 170",
    ):  # fmt: skip
        values = [eval(text, {"i": i}) for i in range(6)]
        assert [eval(formula(values), {"i": i}) for i in range(6)] == values, text
    assert formula([3, 1, 4, 1, 5]) == "" and formula([1, 2]) == ""


def test_tables_as_nested_ranges_and_runs() -> None:
    for values in (
        [a - b + 2 * c for a in range(3) for b in range(4) for c in range(2)],
        [0.0] * 9 + [3.0] * 4 + [6.5] * 3,
        [0.25, 1.0, 7.0],
    ):
        assert eval(listed(values)) == values
    assert "range(3)" in listed([a - b for a in range(3) for b in range(3)])


def test_rows_that_double_are_said_by_the_first_where_that_is_shorter() -> None:
    lines = [
        f"self.stage{i} = [unit({c}), unit({2 * c}, {2 * c}), unit({2 * c}, {4 * c})]"
        for i, c in enumerate((32, 64, 128, 256), 2)
    ]
    made = text_of(lines)
    assert made == [
        "for i, c in enumerate((32, 64, 128, 256), 2):",
        '    setattr(self, f"stage{i}", [unit(c), unit(2 * c, 2 * c), unit(2 * c, 4 * c)])',
    ]
    assert said(made) == said(lines)


def test_numbers_that_double_from_the_second_turn_on_are_said_by_its_number() -> None:
    lines = [f"self.stage{i} = unit({8 * 2**i}, stride=3)" for i in range(2, 7)]
    made = text_of(lines)
    assert made[-1] == '    setattr(self, f"stage{i}", unit(8 * 2 ** i, stride=3))'
    assert said(made) == said(lines)
    lines = [f"self.stage{i} = unit({3 * 2 ** (i - 2)}, stride=3)" for i in range(2, 7)]
    made = text_of(lines)
    assert made[-1] == '    setattr(self, f"stage{i + 2}", unit(3 * 2 ** i, stride=3))'
    assert said(made) == said(lines)


def test_two_short_elements_stand_one_by_one() -> None:
    assert one_by_one("f(*(Block(64, 64) for _ in range(2)))") == "f(Block(64, 64), Block(64, 64))"
    for line in ("f(*(Block(64, 64) for _ in range(3)))", "f(*(Block(g(64)) for _ in range(2)))"):
        assert one_by_one(line) == line


class Member:
    """A module's member, or a member's: which of them is called, and with what, is put down."""

    said: list[Any]
    path: tuple[Any, ...]

    def __init__(self, said: list[Any], path: tuple[Any, ...] = ()) -> None:
        self.__dict__ |= {"said": said, "path": path}

    def __getitem__(self, key: Any) -> Member:
        return Member(self.said, (*self.path, key))

    __getattr__ = __getitem__

    def __call__(self, *given: Any) -> int:
        self.said.append((self.path, given))
        return len(self.said)


def called(lines: list[str]) -> list[Any]:
    """What statements call, in order."""
    found: list[Any] = []
    exec("\n".join(lines), {"self": Member(found), "x": 0})
    return found


def test_a_loop_begins_with_the_turn_that_has_not_all_of_the_others() -> None:
    lines = []
    for n, count in ((2, 1), (3, 4), (4, 3)):
        lines += [f"x = self.down[{n}](x)"] if n > 2 else []
        for k in range(count):
            each = ", ".join(f"self.stage{n}[{k}](x, {8 * 2**i})" for i in range(n))
            lines.append(f"x = self.joined[{n}]({each})")
    made = text_of(lines)
    assert made[:3] == [
        "for k, count in enumerate((1, 4, 3), 2):",
        "    if k > 2:",
        "        x = self.down[k](x)",
    ]
    assert called(made) == called(lines)


def test_a_loop_begins_no_turn_earlier_than_what_is_said_so() -> None:
    for first in ("x = self.up[3](x)", "x = self.b[2](x)", "x = self.b[3](x, 1)"):
        lines = [first] + [f"x = self.{name}[{n}](x)" for n in range(4, 9) for name in "ab"]
        made = text_of(lines)
        assert called(made) == called(lines)
        assert "if" not in " ".join(made)


@pytest.mark.parametrize("seed", range(20))
def test_random_statements_do_the_same_in_loops_with_part_of_a_turn(seed: int) -> None:
    rng = random.Random(seed)
    first, turns, period = rng.randint(1, 4), rng.randint(2, 4), rng.randint(2, 3)
    widths = [rng.choice([8 * 2**n, 3 + 2 * n, rng.randint(1, 9)]) for n in range(turns + 1)]
    kinds = [rng.randint(0, 2) for _ in range(period)]
    times = [rng.randint(1, 3) for _ in range(turns + 1)]
    lines: list[str] = []
    for turn in range(turns + 1):
        n, c = first + turn, widths[turn]
        for place, kind in enumerate(kinds):
            if turn == 0 and place == 0 and rng.random() < 0.8:
                continue
            elements = ", ".join(f"self.m{n}[{i}](x, {4 * 2**i})" for i in range(n))
            lines += [
                [f"x = self[{n}](x + {c})"],
                [f'x = self["layer{place}"]({elements})'],
                [f"x = self.k{place}_{n}[{k}](x, {n - 1})" for k in range(times[turn])],
            ][kind]
    assert called(text_of(lines)) == called(lines)


def test_numbers_that_follow_no_rule_take_work_in_proportion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, looked_at = Folder.loop_over, [0]

    def counting(self: Folder, run: Any, *args: Any, **options: Any) -> Any:
        looked_at[0] += len(run)
        return real(self, run, *args, **options)

    monkeypatch.setattr(Folder, "loop_over", counting)
    work = []
    for count in (40, 80, 160):
        looked_at[0] = 0
        lines = [f"self.a{n * n % 97}_{n} = unit({n % 7}, {n * n % 89})" for n in range(count)]
        made = text_of(lines)
        assert said(made) == said(lines)
        work.append(looked_at[0])
    assert work[2] - work[1] < 3 * (work[1] - work[0])  # 4 if as the square


def test_a_long_row_begins_late_by_the_same_formula() -> None:
    lines = [f"self.block{n} = unit({n // 2}, {3 * n})" for n in range(4000, 4500)]
    made = text_of(lines)
    assert said(made) == said(lines) and len(made) == 2


def test_a_row_that_a_loop_takes_whole_has_one_name() -> None:
    table = [(0, 1, 7), (4, 2, 3), (2, 9, 0), (5, 1, 3), (3, 3, 8), (1, 8, 6), (9, 0, 2)]
    lines = [f"self.member_{n} = unit({row}, stride=(64, 32, 16))" for n, row in enumerate(table)]
    made = text_of(lines)
    assert made[0] == f"for i, c in enumerate({(*table,)}):" and "unit(c, stride" in made[1]
    assert said(made) == said(lines)
    lines = [
        f"self.member_{n} = unit(({a}, {b}, 5), stride=({b}, {c}, 64, 32, 16))"
        for n, (a, b, c) in enumerate(table)
    ]
    made = text_of(lines)
    assert len(made) == 2 and ", 5), " in made[1] and said(made) == said(lines)
