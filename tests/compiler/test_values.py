"""Values of compile time: functions, comprehensions, slices, and what takes them apart."""

from __future__ import annotations

from typing import Any

import pytest

from compiler.dims import symbol
from compiler.driver import check_net, load
from compiler.ops.arguments import show
from grammar.source import Source

VALUES = [
    ("[2 * n for n in range(4)]", [0, 2, 4, 6]),
    ("[n for n in range(6) if n % 2 == 1]", [1, 3, 5]),
    ("[10 * a + b for a in [1, 2] for b in [a, 5]]", [11, 15, 22, 25]),
    ("[a for a in [1, 2, 3] if a > 1 for b in range(a)]", [2, 2, 3, 3, 3]),
    ("[i + c * s for i, (c, s) in enumerate([(1, 2), (3, 4)])]", [2, 13]),
    ("[4] * 3", [4, 4, 4]),
    ("[1, 2] * 0", []),
    ("[1, 2, 3, 4][1:3]", [2, 3]),
    ("[1, 2, 3, 4][:-1]", [1, 2, 3]),
    ("[1, 2, 3, 4][::2]", [1, 3]),
    ("[1, 2, 3, 4][::-1]", [4, 3, 2, 1]),
    ("(1, 2, 3)[1:]", (2, 3)),
    ('"layer"[:3]', "lay"),
    ("2 in [1, 2]", True),
    ("3 not in [1, 2]", True),
    ("3 in [3x3]", True),
    ("true in [1]", False),
    ('"b" in "abc"', True),
    ("round(2.5)", 2),  # to the even neighbour, as Python and so the papers' code
    ("round(3.5)", 4),
    ("round(-1.2)", -1),
    ("log(exp(2))", 2.0),
    ("sqrt(16)", 4.0),
]


def value(expression: str, before: str = "") -> Any:
    return load(Source("t", f"{before}\nlet found = {expression}\n")).scope.values["found"]


@pytest.mark.parametrize(("written", "expected"), VALUES)
def test_an_expression_has_its_value(written: str, expected: Any) -> None:
    assert value(written) == expected


def test_a_function_takes_positions_keywords_and_defaults() -> None:
    widths = "let nearest(v, d) = max(d, floor((v + d / 2) / d) * d)\n"
    widths += "let divisible(v, d=8) = "
    widths += "nearest(v, d) if nearest(v, d) >= 0.9 * v else nearest(v, d) + d"
    # MobileNetV2's `_make_divisible`: at least nine tenths of what was asked for
    assert value("[divisible(0.75 * c) for c in [16, 24, 40, 80]]", widths) == [16, 24, 32, 64]
    assert value("divisible(11)", widths) == 16  # 8 would be less than nine tenths of 11
    assert value("divisible(d=4, v=10)", widths) == 12


def test_a_function_sees_what_stands_around_it_and_calls_itself() -> None:
    assert value("f(2)", "let f(n) = n * width\nlet width = 5") == 10
    assert value("factorial(5)", "let factorial(n) = 1 if n < 2 else n * factorial(n - 1)") == 120
    assert value("f(1, 2)", "let f(a, b=a) = [a, b]") == [1, 2]
    assert value("f(1)", "let f(a, b=a + 1) = [a, b]") == [1, 2]
    assert value("[f(3) for f in [g, h]]", "let g(n) = n\nlet h(n) = -n") == [3, -3]


def test_a_let_takes_a_list_apart() -> None:
    assert value("[a, b, c]", "let a, (b, c) = [1, (2, 3)]") == [1, 2, 3]


def test_names_of_a_comprehension_are_known_in_it_only() -> None:
    assert value("n", "let n = 7\nlet squares = [n * n for n in range(3)]") == 7


def test_values_are_shown_as_they_are_written() -> None:
    assert show(value("f", "let f(v, d=8) = v")) == "f(v, d=8)"
    assert show(value("leaky_relu(0.1)")) == "leaky_relu(0.1)"
    assert show(value("conv(kernel=3x3)")) == "conv(kernel=3x3)"


def test_symbols_go_through_functions_and_lists() -> None:
    text = "net n { input x: f32[3, H, W]; let half(v) = v // 2; let s = [half(v) for v in [H, W]]"
    text += "\navgpool(2) : [3, s[0], s[1]]\noutput y }"
    checked = check_net(load(Source("t", text)).nets()[0])
    assert checked.errors == ()
    assert checked.graph["avgpool1"].shape == (3, symbol("H") // 2, symbol("W") // 2)


def test_what_is_in_a_list_is_asserted_too() -> None:
    text = """net n(times=2) {
        input x: f32[3]
        assert times in [2, 3] and times not in [5], "twice or three times"
        output y = relu
    }"""
    (net,) = load(Source("t.netdef", text)).nets()
    assert check_net(net).diagnostics == ()
    (mistake,) = check_net(net, {"times": 4}).diagnostics
    assert (mistake.code, "twice" in mistake.message) == ("E401", True)
