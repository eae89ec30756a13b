"""What layers, networks, inputs and outputs of ONNX models are called in the definition."""

from __future__ import annotations

import onnx
import pytest

import tests.define
from compiler.driver import compile_graph
from compiler.importers.define import define
from compiler.importers.from_onnx import import_onnx
from compiler.initialise import scatter
from tests.importers.again import again, assert_means, assert_same
from tests.importers.onnx_text import onnx_model

SHARED = {
    "one is an output": (
        "y = Conv(x, w) r = Relu(x) q = Conv(r, w) z = Relu(q)",
        "output y = conv(4, 1x1, bias=false) as y\n",
    ),
    "the other epsilon": (
        """a = BatchNormalization(x, s, b, m, var) y = Relu(a)
        c = BatchNormalization<epsilon=0.1>(x, s, b, m, var) z = Relu(c)""",
        "bn(eps=0.1) like a -> relu",
    ),
    "of statistics alone": (
        """one = Constant<value_floats = [1.0, 1.0, 1.0, 1.0]>()
        off = Constant<value_floats = [0.0, 0.0, 0.0, 0.0]>()
        a = BatchNormalization(x, one, off, m, var) y = Relu(a)
        c = BatchNormalization(y, one, off, m, var) z = Tanh(c)""",
        "bn(affine=false) like a\n",
    ),
    "two towers": (
        "h = Conv(x, w) y = Relu(h) q = Conv(u, w) z = Sigmoid(q)",
        "u -> conv(4, 1x1, bias=false) like h\n",
    ),
}


@pytest.mark.parametrize("nodes, text", SHARED.values(), ids=SHARED.keys())
def test_a_layer_whose_parameters_another_shares_keeps_its_label(nodes: str, text: str) -> None:
    shape = "float[N, 4, 8, 8]"
    model = onnx_model(
        nodes,
        f"{shape} x, {shape} u" if "u, w" in nodes else f"{shape} x",
        outputs="y, z",
        weights={"w": (4, 4, 1, 1), "s": (4,), "b": (4,), "m": (4,), "var": (4,)},
    )
    defined = define(import_onnx(model))
    assert_same(model, defined)
    assert text in defined.text


def test_two_outputs_of_a_side_chain_keep_their_names() -> None:
    """One tensor under two names beside a chain that goes on: the import is a drop-in."""
    model = onnx_model(
        "h = Relu(x) s = Tanh(h) side = Identity(s) again = Identity(s) y = Sigmoid(h)",
        outputs="side, again, y",
    )
    defined = define(import_onnx(model))
    assert list(defined.graph.outputs) == ["side", "again", "y"]
    recompiled = compile_graph(defined.graph)
    assert [info.name for info in recompiled.graph.output] == ["side", "again", "y"]
    assert_same(model, defined)


def padded_names(count: int, first: int) -> onnx.ModelProto:
    """Convolutions in a row, called by a counter of two digits."""
    labels = [f"conv{number:02}" for number in range(first, first + count)]
    text, tensor = "", "x"
    for label in labels:
        text += f"{label}c = Conv({tensor}, {label}_w) {label}r = Relu({label}c) "
        tensor = f"{label}r"
    return onnx_model(
        f"{text} y = Relu({tensor})",
        weights={f"{label}_w": (3, 3, 1, 1) for label in labels},
    )


@pytest.mark.parametrize("first", [1, 7])
def test_counters_with_zeros_before_them_stay_as_they_are(first: int) -> None:
    defined = define(import_onnx(padded_names(4, first)))
    for number in range(first, first + 4):
        assert f"as conv{number:02} -> relu" in defined.text


@pytest.mark.parametrize("block", ["b0", "block_08", "stage0"])
def test_a_block_whose_name_ends_in_a_digit_is_called_twice(block: str) -> None:
    text = f"""
        block {block}(c) {{
            conv(c, 3x3, pad=1) -> relu
        }}
        net n {{
            input x: f32[3, 8, 8]
            {block}(4)
            {block}(4)
            output y
        }}
        """
    model, defined = again(scatter(tests.define.define(text).graph))
    assert_same(model, defined)
    assert f"{block}2.conv1.weight" in defined.graph.values


@pytest.mark.parametrize("word", ["add", "resize", "conv"])
def test_a_graph_called_like_an_op_is_a_net_of_its_own_name(word: str) -> None:
    model = onnx_model("y = Relu(x)")
    model.graph.name = word
    assert f"net {word}_net {{" in assert_means(model, "relu").text


def test_what_cannot_be_seen_is_no_part_of_a_label() -> None:
    model = onnx_model("y = Conv(x, w)", weights={"w": (3, 3, 1, 1)})
    model.graph.node[0].name = "a\x01b\u202ec"
    assert "as a_b_c" in assert_means(model, "conv").text


OUTSIDE = {
    "words of the language": ("input", "output"),
    "numbers": ("0", "386"),
    "paths": ("serving_default_x:0", "StatefulPartitionedCall:0"),
    "braces and quotes": ('x{0}"', "y\\z"),
    "an op's": ("relu", "relu"),
    "a layer's": ("x", "conv1"),
}


@pytest.mark.parametrize("given, made", OUTSIDE.values(), ids=OUTSIDE.keys())
def test_inputs_and_outputs_keep_their_names(given: str, made: str) -> None:
    model = onnx_model("y = Conv(x, w)", weights={"w": (4, 3, 1, 1)})
    graph = model.graph
    graph.node[0].input[0] = graph.input[0].name = given
    graph.node[0].output[0] = graph.output[0].name = made if made != given else f"{made}/1"
    defined = define(import_onnx(model))
    compiled = compile_graph(defined.graph)
    assert [v.name for v in compiled.graph.input] == [v.name for v in graph.input]
    assert [v.name for v in compiled.graph.output] == [v.name for v in graph.output]
    assert_same(model, defined)


def test_outputs_come_in_the_order_of_the_model() -> None:
    model = onnx_model("a = Relu(x) b = Sigmoid(a) c = Tanh(b)", outputs="c, a, b", opset=17)
    defined = define(import_onnx(model))
    assert list(defined.graph.outputs) == ["c", "a", "b"]
    assert [v.name for v in compile_graph(defined.graph).graph.output] == ["c", "a", "b"]
    assert_same(model, defined)
