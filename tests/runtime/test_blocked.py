"""Convolutions in blocks of channels: the numbers stay, and what gains nothing stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from compiler.onnx.step import build_step
from runtime.blocked import DOMAIN, WIDTHS, block_width, with_blocks
from runtime.session import open_session
from runtime.settings import Settings
from runtime.verify.step import random_step, verify_step
from tests.gradients.steps import training_of
from tests.training.definitions import classified

WIDTH = block_width()
BLOCKED = ["ReorderInput", "Conv", "ReorderOutput"]
needs_blocks = pytest.mark.skipif(WIDTH is None, reason="ONNX Runtime has no blocks here")
RESIDUAL = """
net residual {
    input image: f32[3, 9, 8]
    conv(16, 3x3, pad=1) -> relu -> conv(32, 3x3, stride=2, pad=1) -> relu
    add { { conv(32, 3x3, pad=2, dilation=2, bias=false) -> relu -> deconv(32, 3x3, pad=1) }
          identity }
    gap -> flatten -> dense(3) as logits
    output probs = softmax
}
""" + classified("residual", "f32[3, 9, 8]")


def model_of(
    op_type: str,
    x: list[int],
    w: list[int],
    relu: bool = False,
    fed: bool = True,
    **attributes: Any,
) -> onnx.ModelProto:
    """One convolution with bias, and perhaps a relu behind it."""
    value, width = helper.make_tensor_value_info, w[0] if op_type == "Conv" else w[1]
    nodes = [helper.make_node(op_type, ["x", "w", "b"][: 2 if "b" not in attributes else 3], ["c"])]
    attributes.pop("b", None)
    for name, setting in attributes.items():
        nodes[0].attribute.append(helper.make_attribute(name, setting))
    if relu:
        nodes.append(helper.make_node("Relu", ["c"], ["y"]))
    else:
        nodes[0].output[0] = "y"
    random = np.random.default_rng(1)
    inputs = [value("x", TensorProto.FLOAT, x), value("b", TensorProto.FLOAT, [width])]
    graph = helper.make_graph(nodes, "g", inputs, [value("y", TensorProto.FLOAT, None)])
    if fed:
        graph.input.append(value("w", TensorProto.FLOAT, w))
    else:
        numbers = random.standard_normal(w, dtype=np.float32)
        graph.initializer.append(onnx.numpy_helper.from_array(numbers, "w"))
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def result(model: onnx.ModelProto) -> Any:
    """What a model makes of fixed numbers."""
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    feeds = {
        i.name: random.standard_normal(i.shape, dtype=np.float32) for i in session.get_inputs()
    }
    return session.run(None, feeds)[0]


def blocked_nodes(model: onnx.ModelProto) -> list[str]:
    """The operators in the domain of blocks."""
    return [node.op_type for node in model.graph.node if node.domain == DOMAIN]


def test_the_width_is_one_of_those_that_there_are() -> None:
    assert WIDTH is None or WIDTH in WIDTHS


@needs_blocks
@pytest.mark.parametrize(
    ("op_type", "x", "w", "attributes"),
    [
        ("Conv", [2, 16, 7, 6], [32, 16, 3, 3], {"pads": [1, 1, 1, 1]}),
        ("Conv", [2, 16, 7, 6], [32, 16, 3, 2], {"pads": [1, 0, 0, 1], "b": True, "relu": True}),
        ("Conv", [2, 32, 9, 9], [16, 32, 2, 3], {"strides": [2, 1], "dilations": [1, 2]}),
        ("Conv", [2, 3, 9, 9], [32, 3, 3, 3], {"strides": [2, 2], "b": True}),
        ("Conv", [2, 6, 7, 6], [16, 6, 2, 3], {"pads": [1, 0, 0, 1], "relu": True}),
        ("ConvTranspose", [2, 16, 7, 6], [16, 32, 3, 2], {}),
        ("ConvTranspose", [2, 16, 7, 6], [16, 32, 3, 3], {"pads": [1, 0, 2, 1], "relu": True}),
        ("ConvTranspose", [2, 32, 5, 5], [32, 16, 2, 3], {"dilations": [2, 1]}),
    ],
)
def test_the_numbers_are_those_of_the_plain_convolution(
    op_type: str, x: list[int], w: list[int], attributes: dict[str, Any]
) -> None:
    assert WIDTH is not None
    model = model_of(op_type, x, w, **attributes)
    blocked = with_blocks(model, WIDTH)
    expected = ["Conv", "ReorderOutput"] if x[1] < WIDTH else BLOCKED
    assert blocked_nodes(blocked) == expected
    assert all(node.op_type != "Relu" for node in blocked.graph.node)
    np.testing.assert_allclose(result(blocked), result(model), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("op_type", "x", "w", "attributes"),
    [
        ("Conv", [1, 16, 7, 7], [16, 16, 3, 3], {"fed": False}),
        ("Conv", [1, 32, 7, 7], [32, 16, 3, 3], {"group": 2}),
        ("Conv", [1, 16, 7, 7], [24, 16, 3, 3], {}),
        ("Conv", [1, 3, 7, 7], [24, 3, 3, 3], {}),
        ("ConvTranspose", [1, 16, 7, 7], [16, 3, 3, 3], {}),
        ("Conv", [1, 16, 7, 7], [16, 16, 1, 1], {}),
        ("Conv", [1, 16, 7], [16, 16, 3], {}),
        ("Conv", [1, 512, 7, 7], [512, 512, 3, 3], {}),
        ("ConvTranspose", [1, 16, 7, 7], [16, 16, 3, 3], {"strides": [2, 2]}),
        ("ConvTranspose", [1, 16, 7, 7], [16, 16, 3, 3], {"pads": [3, 3, 3, 3]}),
        ("ConvTranspose", [1, 16, 7, 7], [16, 16, 3, 3], {"b": True}),
    ],
)
def test_what_gains_nothing_stays_as_it_is(
    op_type: str, x: list[int], w: list[int], attributes: dict[str, Any]
) -> None:
    model = model_of(op_type, x, w, **attributes)
    assert [*with_blocks(model, 16).graph.node] == [*model.graph.node]


@needs_blocks
def test_a_step_in_blocks_agrees_with_numpy() -> None:
    training = training_of(RESIDUAL)
    (plan,) = training.steps
    found = verify_step(training, plan)
    assert found.ok, found.sentence("cpu")


@needs_blocks
def test_a_step_in_its_order_is_worked_out_in_blocks() -> None:
    assert WIDTH is not None
    training = training_of(RESIDUAL)
    model, feeds = build_step(training.steps[0]), random_step(training, training.steps[0], 0, 4)
    assert blocked_nodes(with_blocks(model, WIDTH)).count("Conv") == 5
    plain, blocked = (
        open_session(model, "cpu", Settings(in_order=in_order)).run(feeds)
        for in_order in (False, True)
    )
    for name, expected in plain.items():
        np.testing.assert_allclose(blocked[name], expected, rtol=1e-3, atol=1e-5, err_msg=name)
