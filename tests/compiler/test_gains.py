"""How large the initial weights of residual branches are, and that nets stay tame with them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import netc
from compiler.initialise import initial_gains, initialise, scatter
from runtime.random_inputs import random_feeds
from runtime.reference import interpret
from tests.define import define

UNIT = """
block unit {
    add { { conv(in.c, 3x3, pad=1, bias=false) -> bn -> relu
            conv(in.c, 3x3, pad=1, bias=false) -> bn }; identity } -> relu
}
"""


def gains(body: str, blocks: str = "") -> dict[str, float]:
    """The gains of a net on [8, 8, 8] with these statements."""
    return initial_gains(define(f"{blocks} net n {{ input x: f32[8, 8, 8]\n {body}\n }}").graph)


def test_the_last_layer_of_a_residual_branch_starts_smaller_by_the_root_of_the_sums() -> None:
    found = gains("repeat 4 { unit }\n output y", UNIT)
    assert found == {f"unit{i}.bn2.weight": 1 / 2 for i in range(1, 5)}


def test_without_a_sum_every_weight_starts_as_he_says() -> None:
    assert gains("conv(4, 3x3) -> bn -> relu -> concat { conv(4, 1x1); identity }\n output y") == {}


@pytest.mark.parametrize(
    ("branch", "scaled"),
    [
        ("conv(8, 1x1) -> relu -> conv(8, 1x1)", ["conv2"]),
        ("conv(8, 1x1) -> bn -> silu -> dropout", ["bn1"]),
        ("conv(8, 1x1) -> concat { conv(4, 1x1); conv(4, 3x3, pad=1) }", ["conv2", "conv3"]),
        ("conv(8, 1x1) -> mul { identity; gap -> conv(8, 1x1) -> sigmoid }", ["conv1"]),
        ("conv(8, 1x1) -> max { conv(8, 1x1); identity }", ["conv1", "conv2"]),
        ("conv(8, 1x1) -> groupnorm(2) -> scale(0.5)", ["groupnorm1"]),
        ('conv(8, 1x1) -> conv(8, 1x1, init="he")', []),
        ("conv(8, 1x1) -> sigmoid", []),
        ("relu", []),
    ],
)
def test_what_ends_a_branch_is_found(branch: str, scaled: list[str]) -> None:
    found = gains(f"add {{ {{ {branch} }}; identity }}\n output y")
    assert found == dict.fromkeys((f"{name}.weight" for name in scaled), 1.0)
    body = f"repeat 2 {{ add {{ {{ {branch} }}; identity }} }}\n output y"
    found = gains(body)
    assert set(found.values()) <= {2**-0.5, 1 / 2} and bool(found) == bool(scaled)


@pytest.mark.parametrize("end", ["relu", "silu", "identity -> maxpool(3, stride=1, pad=1)"])
def test_branches_that_are_never_below_zero_add_up_without_the_root(end: str) -> None:
    found = gains(f"repeat 4 {{ add {{ {{ conv(8, 1x1) -> {end} }}; identity }} }}\n output y")
    assert found == {f"conv{i}.weight": 1 / 4 for i in range(1, 5)}
    found = gains("repeat 4 { add { { conv(8, 1x1) -> tanh }; identity } }\n output y")
    assert set(found.values()) == {1 / 2}


def test_a_projection_is_the_shortcut_and_equal_branches_share() -> None:
    found = gains(
        "add { { conv(8, 1x1) -> conv(8, 1x1) as last }; conv(8, 1x1) as projection }\n"
        "add { conv(8, 1x1) as a; conv(8, 3x3, pad=1) as b }\n output y"
    )
    assert found == {
        "last.weight": 1.0,
        "a.weight": 1 / math.sqrt(2),
        "b.weight": 1 / math.sqrt(2),
    }


def test_the_draw_depends_on_the_name_only() -> None:
    one, two = (
        initialise(
            define(
                f"{UNIT} net n {{ input x: f32[8, 8, 8]\n {body} -> conv(4, 1x1) as head\n"
                "output y }"
            ).graph
        ).values
        for body in ("unit", "unit -> unit")
    )
    np.testing.assert_array_equal(one["head.weight"], two["head.weight"])
    np.testing.assert_array_equal(one["unit1.conv2.weight"], two["unit1.conv2.weight"])
    assert two["unit1.bn2.weight"][0] == pytest.approx(one["unit1.bn2.weight"][0] / math.sqrt(2))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("resnet152", {"classes": 10, "width": 4}),
        ("resnet18", {"classes": 10, "width": 8}),
    ],
)
def test_activations_stay_tame_through_depth(name: str, settings: dict[str, Any]) -> None:
    net = netc.load(name, name, **settings)
    for numbers in (initialise, scatter):
        graph = numbers(net.graph)
        for node, value in interpret(graph, random_feeds(graph, batch=1)):
            largest = float(np.abs(value).max())
            assert 1e-3 < largest < 200, f"{node.name} with {numbers.__name__}"


@pytest.mark.parametrize("end", ["relu", "identity"])
def test_six_hundred_branches_stay_tame(end: str) -> None:
    body = f"repeat 600 {{ add {{ {{ conv(16, 1x1) -> {end} }}; identity }} }}"
    graph = scatter(define(f"net n {{ input x: f32[16, 1, 1]\n {body}\n output y }}").graph)
    *_, (_, value) = interpret(graph, random_feeds(graph))
    assert 0.1 < float(np.abs(value).max()) < 100
