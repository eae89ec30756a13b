"""param and const: tensors that come from no input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from compiler.graph import Graph, Node
from compiler.initialise import scatter
from compiler.ops.losses import Total
from compiler.ops.tensors import Const, Param
from grammar.diagnostics import DefinitionError
from tests.define import define, run
from tests.gradients.onnxcheck import check_graph
from tests.opcheck import apply, make, refuse, run_onnx

SAMPLE = [0.0]  # what stands beside them, for the number of samples
HEAD = "net t {\n input x: f32[2, 3]\n"


def test_hand_computed() -> None:
    assert apply(make(Param, [2, 1]), SAMPLE, **{"": [[3.0], [4.0]]}) == [[3], [4]]
    assert apply(make(Const, [[1, 2], [3, 4]]), SAMPLE) == [[1, 2], [3, 4]]
    assert apply(make(Const, shape=[2]), SAMPLE, **{"": [5.0, 6.0]}) == [5, 6]


def test_refusals() -> None:
    assert refuse(make(Const)).label == "here is neither"
    assert refuse(make(Const, [1], [1])).label == "here are both"
    assert refuse(make(Const, 3)).argument == "values"


def test_a_learned_scale_is_called_as_it_is_and_stretched() -> None:
    scaled = 'mul { identity; param([in.c, 1], init="constant(1e-6)") as gamma }'
    net = define(f'block unit {{ {scaled} }}\n{HEAD} unit as "blocks.0"\n output y }}')
    assert [*net.weights] == ["blocks.0.gamma"]
    assert net.weights["blocks.0.gamma"].tolist() == [[np.float32(1e-6)]] * 2
    net = net.with_weights({"blocks.0.gamma": np.array([[2.0], [3.0]], np.float32)})
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert run(net, x)["y"].tolist() == [[0, 2, 4], [9, 12, 15]]
    assert net.graph.parameters()["blocks.0.gamma"].size == 2
    (product,) = net.model().graph.node
    assert [*product.input] == ["x", "blocks.0.gamma"]


def test_each_sample_has_its_own_copy_beside_what_flows() -> None:
    net = define(
        HEAD + ' concat(axis=0) { param([1, 3], init="constant(7)") as token; identity }\n'
        " output y\n output z = const([[1], [2]]) -> flatten }"
    )
    x = np.zeros((4, 2, 3), np.float32)
    found = net.run({"x": x})
    assert found["y"].shape == (4, 3, 3) and (found["y"][:, 0] == 7).all()
    assert found["z"].tolist() == [[1, 2]] * 4
    (pinned,) = [f for f in run_onnx(net.model(batch=4), {"x": x}) if f.shape == (4, 2)]
    assert pinned.tolist() == [[1, 2]] * 4
    assert net.verify().ok


def test_a_buffer_has_its_numbers_with_the_weights() -> None:
    net = define(HEAD + " add { identity; const(shape=[2, 3]) as anchors }\n output y }")
    assert not net.weights["anchors"].any()
    assert net.graph.parameters()["anchors"].buffer
    numbers = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert (
        run(net.with_weights({"anchors": numbers}), numbers)["y"].tolist() == (2 * numbers).tolist()
    )


def test_half_precision() -> None:
    net = define(
        HEAD + ' mul { identity; param([2, 1], init="constant(3)") as gamma }\n output y }'
    )
    found = net.run({"x": np.ones((1, 2, 3), np.float32)}, dtype="f16")
    assert found["y"].tolist() == [[[3] * 3] * 2]


MISTAKES = {
    "relu -> param([2]) as a": "`param` takes nothing: a chain begins with it",
    "mul { identity; param([2, 3]) as a }\n add { identity; param([2, 3]) as a }": "used twice",
    "add { identity; param([4, 3]) as a }": "sizes disagree at add",
    "param([2]) { relu }": "`param` takes no braces",
    'bn as a\n mul { identity; param([2, 3]) as "a.weight" }': "two parameters are called",
    "param([x.shape[0], 0]) as a": "must be a list of 1 to 6 sizes",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistakes(text: str) -> None:
    with pytest.raises(DefinitionError, match=MISTAKES[text]):
        define(f"{HEAD} {text}\n output y }}")


def test_symbols_are_no_sizes_of_what_is_learned() -> None:
    with pytest.raises(DefinitionError, match="got the symbolic size H"):
        define("net t { input x: f32[2, H]; add { identity; param([2, H]) }; output y }")


JOINS = ["add", "mul", "sub", "div", "max", "min", "mean"]


@pytest.mark.parametrize("op", JOINS)
def test_a_tensor_of_fewer_axes_goes_with_the_last_ones(op: str) -> None:
    row = 'param([3], init="constant(2)") as row'
    for branches in (f"identity; {row}", f"{row}; identity"):
        net = define(f"{HEAD} {op} {{ {branches} }}\n output y\n output z = row }}")
        assert net.graph["row"].shape == (3,) and net.graph.parameters()["row"].shape == (3,)
        x = np.arange(1, 13, dtype=np.float32).reshape(2, 2, 3)
        found = net.run({"x": x})
        pair = (x, np.full(3, 2, np.float32))
        formulas: dict[str, Callable[..., Any]] = {
            "add": np.add,
            "mul": np.multiply,
            "sub": np.subtract,
            "div": np.divide,
            "max": np.maximum,
            "min": np.minimum,
            "mean": lambda a, b: (a + b) / 2,
        }
        wanted = formulas[op](*(pair if branches.startswith("identity") else pair[::-1]))
        np.testing.assert_allclose(found["y"], wanted, rtol=1e-6)
        assert found["z"].tolist() == [[2, 2, 2]] * 2
        assert net.verify().ok
        check_graph(scatter(summed(net.graph)), {"x": x.astype(np.float32)}, "objective")


def summed(graph: Graph) -> Graph:
    """The graph with the sum of its first output as its only one."""
    last = graph[graph.outputs["y"]]
    total = Node("total", Total(), (last.name,), (), last.span)
    return graph.rebuilt((*graph.nodes(), total), outputs={"objective": "total"})


def test_only_what_comes_from_no_input_may_have_fewer_axes() -> None:
    with pytest.raises(DefinitionError, match="mul joins tensors of one rank"):
        define(f"{HEAD} mul {{ identity; flatten -> dense(3) }}\n output y }}")
    with pytest.raises(DefinitionError, match="sizes disagree at mul"):
        define(f"{HEAD} mul {{ identity; param([2]) }}\n output y }}")
    with pytest.raises(DefinitionError, match="mul joins tensors of one rank"):
        define(f"{HEAD} mul {{ identity; param([1, 1, 3]) }}\n output y }}")
