"""Every layer of Caffe that is read gives the numbers of a second, plain reading of the file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from compiler.driver import compile_graph
from compiler.importers.define import Defined, define
from compiler.importers.from_caffe import import_caffe
from compiler.importers.from_caffe.network import READERS
from compiler.initialise import scatter
from grammar.source import Source
from runtime.reference import run_reference
from runtime.session import open_session
from tests.importers.caffe_nets import NETS
from tests.importers.plain_caffe import RULES, Plain, parse


def imported(text: str) -> Defined:
    """The definition of a file."""
    return define(import_caffe(Source("x.prototxt", text)))


def feeds_of(text: str) -> dict[str, NDArray[Any]]:
    """Random inputs of the shapes that a file declares, the batch first."""
    random = np.random.default_rng(0)
    return {
        fields["top"][0]: random.standard_normal(fields["input_param"][0]["shape"][0]["dim"])
        for fields in parse(text)["layer"]
        if fields["type"] == ["Input"]
    }


def assert_as_plain(text: str, defined: Defined, *, onnx: bool = False) -> None:
    """The definition gives the plain reading's outputs, and holds no other parameters."""
    graph = scatter(defined.graph)
    feeds = feeds_of(text)
    plain = Plain(text, graph.values)
    wanted = plain.run(feeds)
    assert plain.taken == set(graph.values)
    ways: list[Any] = [run_reference(graph, feeds, np.float64)]
    if onnx:
        single = {name: value.astype(np.float32) for name, value in feeds.items()}
        ways.append(open_session(compile_graph(graph).SerializeToString(), "cpu").run(single))
    for way, exact in zip(ways, (1e-6, 1e-4), strict=False):
        assert set(way) == set(wanted)
        for name, value in wanted.items():
            assert way[name].shape == value.shape, name
            bound = exact * max(1.0, float(np.abs(value).max()))
            np.testing.assert_allclose(way[name], value, rtol=exact, atol=bound)


@pytest.mark.parametrize("name", NETS)
def test_a_layer_means_what_caffe_says(name: str) -> None:
    assert_as_plain(NETS[name], imported(NETS[name]), onnx=True)


def test_every_layer_that_is_read_is_held_by_the_plain_reading() -> None:
    same = {"DepthwiseConvolution", "SoftmaxWithLoss", "SigmoidCrossEntropyLoss"}
    assert set(READERS) - same == set(RULES)
    there = {fields["type"][0] for text in NETS.values() for fields in parse(text)["layer"]}
    assert set(RULES) <= there
