"""A model that runs in parts gives what it gives in one, in less memory."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import netc
from compiler.initialise import scatter
from compiler.onnx.lower import lower
from compiler.ops.shapes import known
from compiler.options import CompileOptions
from runtime.random_inputs import random_feeds
from runtime.session import RunError, open_session
from runtime.settings import Settings
from runtime.verify.segments import Tensors, parts_of
from tests.define import define
from tests.memory import peak_of

PLAIN = Settings(optimise=False)


def exposed(name: str, dtype: str, **settings: Any) -> tuple[onnx.ModelProto, Any]:
    """A library net with every tensor as an output, and random inputs."""
    graph = scatter(netc.load(name, name, **settings).graph)
    return lower(graph, CompileOptions(dtype=dtype), expose=True), random_feeds(graph)


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
def test_parts_give_the_numbers_of_the_whole(dtype: str) -> None:
    model, feeds = exposed("resnet34", dtype, classes=10, width=8)
    settings = Settings(optimise=False, dtype=dtype)
    whole = open_session(model, "cpu", settings).run(feeds)
    parts = Tensors(model, feeds, whole.keys(), "cpu", settings, budget=2**20)
    # On a CPU ONNX Runtime drops casts to float16 and back, which it cannot between two parts.
    near = 5e-3 if dtype == "f16" else 0
    for name, value in whole.items():
        scale = np.abs(value).max()
        np.testing.assert_allclose(parts.take(name), value, rtol=0, atol=near * scale)


def test_a_part_takes_at_most_the_budget() -> None:
    model, feeds = exposed("lenet5", "f32")
    sizes = {name: array.nbytes for name, array in open_session(model, "cpu").run(feeds).items()}
    parts = list(parts_of(model, {}, feeds, 2**15, sizes))
    assert len(parts) > 3
    for part in parts:
        assert len(part.nodes) == 1 or sum(sizes.get(name, 0) for name in part.makes) <= 2**15
    assert sum(len(part.nodes) for part in parts) == len(model.graph.node)
    assert len(list(parts_of(model, {}, feeds, 2**30, sizes))) == 1
    assert not list(parts_of(model, {}, feeds, 2**30, []))


def test_tensors_may_be_asked_for_in_any_order_and_each_once() -> None:
    model, feeds = exposed("lenet5", "f32")
    names = [info.name for info in model.graph.output]
    expected = open_session(model, "cpu", PLAIN).run(feeds)
    tensors = Tensors(model, feeds, names, "cpu", PLAIN, budget=1)
    for name in reversed(names):
        np.testing.assert_array_equal(tensors.take(name), expected[name])
    with pytest.raises(RunError, match="makes no tensor"):
        tensors.take("absent")


def test_a_graph_inside_a_node_finds_what_it_takes_from_outside() -> None:
    inner = helper.make_graph(
        [helper.make_node("Add", ["doubled", "one"], ["raised"])],
        "then",
        [],
        [helper.make_tensor_value_info("raised", TensorProto.FLOAT, None)],
    )
    other = helper.make_graph(
        [helper.make_node("Identity", ["doubled"], ["same"])],
        "else",
        [],
        [helper.make_tensor_value_info("same", TensorProto.FLOAT, None)],
    )
    graph = helper.make_graph(
        [
            helper.make_node("Add", ["x", "x"], ["doubled"]),
            helper.make_node("If", ["yes"], ["y"], then_branch=inner, else_branch=other),
        ],
        "branching",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 2])],
        [
            numpy_helper.from_array(np.ones(1, np.float32), "one"),
            numpy_helper.from_array(np.array(True), "yes"),
        ],
    )
    opset = helper.make_opsetid("", 21)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=10)
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    tensors = Tensors(model, {"x": x}, ["y"], "cpu", PLAIN, budget=1)
    np.testing.assert_array_equal(tensors.take("y"), 2 * x + 1)


def test_tensors_in_parts_need_a_fraction_of_all_of_them() -> None:
    graph = define(
        "net long { input x: f32[8, 128, 128]\n repeat 40 { relu }\n gap -> flatten\n output y }"
    ).graph
    model, feeds = lower(graph, expose=True), random_feeds(graph, batch=16)
    names = [info.name for info in model.graph.output]
    every = sum(16 * 4 * prod(known(node.shape, node.name)) for node in graph.nodes())

    def take_all(budget: int) -> None:
        tensors = Tensors(model, feeds, names, "cpu", PLAIN, budget)
        for node in graph.nodes():
            if node.name in names:
                tensors.take(node.name)

    take_all(2**24)  # what is loaded once is loaded now
    assert peak_of(lambda: take_all(2**24)) < every / 3
