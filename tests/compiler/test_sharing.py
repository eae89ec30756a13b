"""`like`: whose parameters a layer or the layers of a block use."""

from __future__ import annotations

import pytest

from grammar.diagnostics import DefinitionError
from tests.define import define

UNIT = "block unit(n=1) { repeat n { conv(3, 3x3, pad=1) } }\n"


def owners(body: str, blocks: str = UNIT) -> dict[str, str]:
    """Each layer that uses the parameters of another one, with that one."""
    graph = define(
        blocks + "net n {\n    input x: f32[3, 8, 8]\n" + body + "\n    output y\n}"
    ).graph
    return {node.name: node.owner for node in graph.nodes() if node.owner}


SHARED = {
    "a layer": ("conv(3, 1x1) as a -> conv(3, 1x1) like a", "conv1: a"),
    "a block": ("unit(2) as a -> unit(2) as b like a", "b.conv1: a.conv1, b.conv2: a.conv2"),
    "a layer outside whose label begins like the block's": (
        'unit as a -> conv(3, 1x1) as "a.extra" -> unit as b like a',
        "b.conv1: a.conv1",
    ),
    "a label outside that takes the name of one of the block's": (
        'conv(3, 3x3, pad=1) as "a.conv1" -> unit as a -> unit as b like a',
        "b.conv1: a.conv2",
    ),
    "a block that adds no level": ('unit as a -> unit(1) as "" like a', "conv1: a.conv1"),
    "a block that adds no level behind a layer": (
        'conv(3, 1x1) -> unit(2) as a -> unit(2) as "" like a',
        "conv2: a.conv1, conv3: a.conv2",
    ),
}


@pytest.mark.parametrize("case", SHARED)
def test_layers_and_blocks_use_the_parameters_of_their_own_at_the_label(case: str) -> None:
    body, wanted = SHARED[case]
    assert ", ".join(f"{name}: {owner}" for name, owner in owners(body).items()) == wanted


def test_what_a_block_holds_without_a_level_counts_as_its_own() -> None:
    blocks = UNIT + 'block two { unit as ""\n unit as "" }\n'
    shared = {"b.conv1": "a.conv1", "b.conv2": "a.conv2"}
    assert owners("two as a -> two as b like a", blocks) == shared
    assert owners("two as a -> unit(2) as b like a", blocks) == shared


def test_blocks_inside_a_block_share_with_their_counterparts() -> None:
    blocks = UNIT + "block two { unit as first\n unit }\n"
    assert owners("two as a -> two as b like a -> two as c like b", blocks) == {
        "b.first.conv1": "a.first.conv1",
        "b.unit1.conv1": "a.unit1.conv1",
        "c.first.conv1": "a.first.conv1",
        "c.unit1.conv1": "a.unit1.conv1",
    }


def test_a_block_that_shares_inside_is_shared_itself() -> None:
    blocks = UNIT + 'block two { unit as first\n unit as "" like first }\n'
    assert owners("two as a -> two as b like a", blocks) == {
        "a.conv1": "a.first.conv1",
        "b.first.conv1": "a.first.conv1",
        "b.conv1": "a.first.conv1",
    }


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("unit as a -> conv(3, 1x1) like a", "finds no layer `a`"),
        ("conv(3, 1x1) as a -> unit as b like a", "finds no block `a`"),
        ('relu as "a.b.conv1" -> unit as "a.b.unit1" -> unit as c like "a.b"', "no block `a.b`"),
        ('unit(1) as a -> conv(3, 3x3, pad=1) as "a.conv2" -> unit(2) like a', "layer `a.conv2`"),
        ("unit(2) as a -> unit(1) as b like a", "needs the same layers"),
    ],
)
def test_what_is_no_counterpart_is_refused(body: str, said: str) -> None:
    with pytest.raises(DefinitionError, match="E206") as caught:
        owners(body)
    assert said in str(caught.value)
