"""The generator: it reaches the whole language, repeats itself, and writes what it means."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given

from tests.differential.campaign import OPSETS
from tests.differential.coverage import WANTED, reached
from tests.differential.definitions import Definition, definitions
from tests.differential.rules import shape_of
from tests.differential.run import arguments_of
from tests.differential.scope import Call, Scope
from tests.differential.sizes import Invalid, Symbolic, product_of, size_at
from tests.differential.tree import Stage
from tests.strategies import steady

BATCH, MOST_BATCHES = 50, 40
FIRST = 2  # a seed from which all is reached soon
pytestmark = pytest.mark.xdist_group("drawn")  # nets that several tests use are drawn once


@lru_cache
def drawn(number: int, count: int = BATCH) -> list[Definition]:
    """The definitions of one seed."""
    found: list[Definition] = []

    @steady(count, number)
    @given(definitions(OPSETS))
    def keep(definition: Definition) -> None:
        found.append(definition)

    keep()
    return found


def test_every_op_every_parameter_and_all_of_the_language_is_drawn() -> None:
    missing = {form for form in WANTED if "=" not in form}  # words are for longer runs
    for number in range(FIRST, FIRST + MOST_BATCHES):
        for definition in drawn(number):
            missing -= reached(definition)
        if not missing:
            return
    raise AssertionError(f"never drawn: {sorted(missing)}")


def test_a_seed_draws_the_same_definitions_again() -> None:
    first, other = drawn(1, 10), drawn(2, 10)
    assert first == drawn.__wrapped__(1, 10)
    assert first != other


def test_every_opset_is_drawn() -> None:
    opsets = {definition.opset for number in range(3) for definition in drawn(FIRST + number)}
    assert len(opsets) > len(OPSETS) // 2


H, W = Symbolic("H", 12, multiple=4), Symbolic("W", 9)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (H + 3, "H + 3"),
        (H // 2, "H // 2"),
        (H // 2 * 3 - 1, "3 * H // 2 - 1"),
        ((H + 3) // 2, "H // 2 + 1"),
        ((W - 1) // 2 + 1, "((W - 1) // 2) + 1"),
        (W + W, "2 * W"),
        (H + W, "((H) + (W))"),
        (product_of((4, H, W)), "4 * ((W) * (H))"),
    ],
)
def test_a_symbolic_size_is_written_as_the_language_writes_it(size: Symbolic, text: str) -> None:
    assert size.text == text
    assert size.value == size_at(size, {"H": 12, "W": 9})
    names: dict[str, Any] = {"H": H, "W": W}
    assert eval(text, names) == size


@pytest.mark.parametrize(
    ("op", "given", "shape"),
    [
        ("conv", {"channels": 4, "kernel": 5}, (3, 4)),
        ("conv", {"channels": 4, "kernel": 3, "groups": 2}, (3, 4)),
        ("conv", {"channels": 4, "kernel": 3, "pad": "same", "stride": 2}, (3, W)),
        ("maxpool", {"kernel": 2, "pad": 2}, (3, 4)),
        ("dense", {"units": 3}, (3, 4)),
        ("concat", {"axis": 2}, (3, 4)),
        ("upsample", {"scale": 0}, (3, 4)),
        ("layernorm", {}, (3, H)),
    ],
)
def test_what_the_language_refuses_is_not_drawn(
    op: str, given: dict[str, Any], shape: tuple[Any, ...]
) -> None:
    with pytest.raises(Invalid):
        shape_of(op, given, (shape,))


@pytest.mark.parametrize("text", ["in.w % 5", "max(in.w, 3)", "2 < 4 == in.w", "in.w != 4"])
def test_what_only_a_number_can_be_asked_is_not_drawn_of_a_symbolic_size(text: str) -> None:
    def value(width: Symbolic | int) -> Any:
        return Scope(Call({}, entered=(3, width))).evaluate(text)

    assert value(9) in (4, 9, False, True)
    with pytest.raises(Invalid):
        value(W)


def test_a_label_that_a_call_has_not_makes_it_no_call() -> None:
    scope, stage = Scope(Call({}, main=False)), Stage("resize", (("like", "layer3_0_2"),))
    with pytest.raises(Invalid):
        arguments_of(stage, "resize", scope)
    scope.call.labels["layer3_0_2"] = (4, 11, 12)
    assert arguments_of(stage, "resize", scope) == ({"like": (11, 12)}, [])
