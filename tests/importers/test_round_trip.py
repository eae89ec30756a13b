"""What netc compiles it imports again: the same layers, names and numbers."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.driver import check_net, load
from compiler.graph import Graph
from compiler.importers.define import Defined
from grammar.format import format_source
from grammar.source import Source
from tests.importers.again import AUX, LIBRARY, NETS, again, assert_same, graph_of

SMALL = [*NETS, "lenet5", "resnet20", "m5", "nin_cifar10", "dcgan_discriminator", "sharpen"]
LARGE = sorted(({*LIBRARY} - {*SMALL}) | {AUX})  # too slow to interpret


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_a_net_comes_back_with_its_outputs_names_and_numbers(name: str) -> None:
    graph = graph_of(name)
    model, defined = again(graph)
    assert_same(model, defined, interpret=name in SMALL)
    assert_same_parameters(graph, defined)
    assert_house_style(name, defined)


@pytest.mark.parametrize("name", [*SMALL, "resnet18", "unet"])
def test_an_optimised_net_comes_back_with_its_outputs(name: str) -> None:
    model, defined = again(graph_of(name), optimise=True)
    assert_same(model, defined, interpret=name in SMALL)
    assert_house_style(name, defined)


def assert_same_parameters(graph: Graph, defined: Defined) -> None:
    """The weights of the one load into the other, strictly by name."""
    assert set(defined.graph.values) == set(graph.values)
    for key, value in graph.values.items():
        np.testing.assert_array_equal(defined.graph.values[key], value)


def assert_house_style(name: str, defined: Defined) -> None:
    """`fmt` changes nothing and `check` finds nothing wrong."""
    source = Source(f"{name}.netdef", defined.text)
    assert format_source(source) == defined.text
    assert not check_net(load(source).nets()[-1]).errors
    assert max(map(len, defined.text.splitlines())) <= 100


def test_layers_that_become_several_nodes_come_back_as_what_they_were() -> None:
    graph = graph_of("whole_ops")
    _, defined = again(graph)
    assert [n.op for n in defined.graph.nodes()] == [n.op for n in graph.nodes()]


def test_shared_parameters_stay_shared_and_count_once() -> None:
    _, defined = again(graph_of("towers"))
    assert defined.text.count("like") == 2
    assert "expect params == 89" in defined.text
