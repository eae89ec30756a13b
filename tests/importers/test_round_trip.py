"""What netc compiles it imports again: the same layers, names and numbers."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.driver import check_net, load
from grammar.format import format_source
from grammar.source import Source
from tests.importers.again import NETS, again, assert_same, graph_of

SMALL = [*NETS, "lenet5", "resnet20", "m5", "nin_cifar10", "dcgan_discriminator", "sharpen"]
LARGE = ["resnet18", "resnet50", "googlenet", "googlenet_aux", "dcgan_generator", "unet"]


@pytest.mark.parametrize("optimise", [False, True])
@pytest.mark.parametrize("name", SMALL)
def test_a_net_comes_back_with_its_outputs_by_both_ways(name: str, optimise: bool) -> None:
    model, defined = again(graph_of(name), optimise=optimise)
    assert_same(model, defined)


@pytest.mark.parametrize("optimise", [False, True])
@pytest.mark.parametrize("name", LARGE)
def test_a_large_net_comes_back_with_its_outputs(name: str, optimise: bool) -> None:
    model, defined = again(graph_of(name), optimise=optimise)
    assert_same(model, defined, interpret=False)


@pytest.mark.parametrize("name", [*SMALL, *LARGE, "alexnet"])
def test_without_optimisation_every_parameter_keeps_its_name_and_numbers(name: str) -> None:
    graph = graph_of(name)
    _, defined = again(graph)
    assert set(defined.graph.values) == set(graph.values)
    for key, value in graph.values.items():
        np.testing.assert_array_equal(defined.graph.values[key], value)


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_the_text_is_in_the_house_style_and_the_definition_without_errors(name: str) -> None:
    _, defined = again(graph_of(name))
    source = Source(f"{name}.netdef", defined.text)
    assert format_source(source) == defined.text
    assert not check_net(load(source).nets()[-1]).errors
    assert max(map(len, defined.text.splitlines())) <= 100


def test_layers_that_become_several_nodes_come_back_as_what_they_were() -> None:
    graph = graph_of("whole_ops")
    _, defined = again(graph)
    assert [n.op.name for n in defined.graph.nodes()] == [n.op.name for n in graph.nodes()]


def test_shared_parameters_stay_shared_and_count_once() -> None:
    graph = graph_of("towers")
    _, defined = again(graph)
    assert defined.text.count("like") == 2
    assert "expect params == 89" in defined.text
