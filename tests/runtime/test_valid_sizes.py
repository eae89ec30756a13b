"""Sizes outside a network's valid domain are said with the valid ones nearby."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import netc
from runtime.errors import CallError
from runtime.inputs import InputSpec
from runtime.valid_sizes import SizeError, check_sizes, violated_of

SPEC = InputSpec("x", (3, "H", "W"))
LINES = ["H >= 64", "H % 32 == 0", "W == H"]


def check(lines: list[str], *shape: int) -> None:
    check_sizes([SPEC], violated_of(lines), "photo.jpg", {"x": np.zeros((1, *shape))})


def test_valid_sizes_pass() -> None:
    check(LINES, 3, 96, 96)
    check([], 3, 1, 1)


def test_invalid_sizes_say_the_rule_the_values_and_the_valid_neighbours() -> None:
    with pytest.raises(SizeError) as caught:
        check(["H % 32 == 0", "W % 32 == 0"], 3, 600, 512)
    assert str(caught.value).startswith(
        "photo.jpg has H = 600, W = 512, but the network needs H % 32 == 0; "
        "the nearest valid height is 576 or 608; resize it"
    )


def test_a_size_below_its_bound_has_one_valid_neighbour() -> None:
    with pytest.raises(SizeError, match="the nearest valid height is 33;"):
        check(["H >= 33"], 3, 20, 20)


def test_a_symbol_cannot_be_two_sizes() -> None:
    specs = [SPEC, InputSpec("y", (1, "H", "H"))]
    arrays: Any = {"x": np.zeros((1, 3, 4, 4)), "y": np.zeros((1, 1, 4, 5))}
    with pytest.raises(SizeError, match="H is 4 and 5 at once"):
        check_sizes(specs, violated_of([]), "sample", arrays)


def test_the_lines_of_a_domain_are_read_back() -> None:
    graph = netc.loads(
        "net n { input x: f32[3, H, W]\n assert H % 8 == 3\n conv(4, 5x5, stride=2) -> "
        "maxpool(3x3, stride=2)\n output y }"
    ).graph
    assert graph.domain is not None
    violated = violated_of(graph.domain.lines())
    for height in range(1, 40):
        for width in (1, 9, 30):
            sizes = {"H": height, "W": width}
            assert bool(violated(sizes)) == bool(graph.domain.contains(sizes)), sizes


@pytest.mark.parametrize("line", ["import os", "H >", "", "((((" * 500])
def test_a_line_that_is_no_condition_is_refused(line: str) -> None:
    with pytest.raises(CallError, match="are no conditions"):
        violated_of([line])


@pytest.mark.parametrize("line", ["Q > 3", "H / 0 == 1", "9 ** 9 ** 9 ** 9 > H", '"a" > H'])
def test_a_condition_that_cannot_be_worked_out_is_left_aside(line: str) -> None:
    assert violated_of([line])({"H": 4}) == []
