"""Models of other formats that are long: chains of the same few operators, as files to import."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

SHAPE = (1, 3, 8, 8)
Made = tuple[list[NodeProto], dict[str, tuple[int, ...]]]  # nodes, and shapes of weights
Step = Callable[[int, str], Made]


def chain(step: Step, count: int) -> bytes:
    """An ONNX model of so many steps: each takes a tensor and makes the one of its number.

    A step gives its nodes, and the shapes of the weights that they take by name.
    """
    drawn = np.random.default_rng(0)
    nodes: list[NodeProto] = []
    weights = []
    for number in range(count):
        made, shapes = step(number, f"t{number - 1}" if number else "x")
        nodes += made
        for name, shape in shapes.items():
            values = drawn.uniform(0.05, 0.1, shape).astype(np.float32)
            weights.append(numpy_helper.from_array(values, name))
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)]
    outputs = [helper.make_tensor_value_info(f"t{count - 1}", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "long", inputs, outputs, weights)
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return bytes(model.SerializeToString())


def node(type: str, takes: str, makes: str, **attributes: Any) -> NodeProto:
    """An operator; the tensors it takes stand in one string."""
    return helper.make_node(type, takes.split(), [makes], **attributes)


def convolutions(number: int, last: str) -> Made:
    """A convolution: with its weights the largest file for a layer."""
    made = node("Conv", f"{last} w{number}", f"t{number}", pads=[1, 1, 1, 1])
    return [made], {f"w{number}": (3, 3, 3, 3)}


def residual(number: int, last: str) -> Made:
    """A convolution beside a shortcut."""
    conv = node("Conv", f"{last} w{number}", f"c{number}", pads=[1, 1, 1, 1])
    return [conv, node("Add", f"{last} c{number}", f"t{number}")], {f"w{number}": (3, 3, 3, 3)}


def fires(number: int, last: str) -> Made:
    """SqueezeNet's module, one of its branches joined twice: no series-parallel graph."""
    names = [f"{letter}{number}" for letter in "abc"]
    a, b, c = names
    convs = [
        node("Conv", f"{last} w{a}", a),
        node("Conv", f"{a} w{b}", b),
        node("Conv", f"{a} w{c}", c),
    ]
    joined = node("Concat", f"{b} {c} {b}", f"t{number}", axis=1)
    shapes: dict[str, tuple[int, ...]] = {
        f"w{a}": (1, 3, 1, 1),
        f"w{b}": (1, 1, 1, 1),
        f"w{c}": (1, 1, 1, 1),
    }
    return [*convs, joined], shapes


def skips(number: int, last: str) -> Made:
    """A mean of what comes and the image: joins that could stand in one another for ever."""
    return [node("Mean", f"{last} x", f"t{number}")], {}


def dense(number: int, last: str) -> Made:
    """A sum of the four tensors before it: no series-parallel graph."""
    before = [f"t{place}" for place in range(max(number - 4, 0), number)] or ["x"]
    return [node("Sum", " ".join(before), f"t{number}")], {}


def activations(number: int, last: str) -> Made:
    """Some activation or other: nothing repeats."""
    kinds = ("Relu", "Tanh", "Sigmoid", "Elu", "Softplus", "Abs")
    return [node(kinds[(number * number // 7) % 6], last, f"t{number}")], {}


def products(number: int, last: str) -> Made:
    """A product with a constant of every place."""
    return [node("Mul", f"{last} k{number}", f"t{number}")], {f"k{number}": SHAPE[1:]}


def folded(number: int, last: str) -> Made:
    """A sum of constants, which is worked out while the model is read, and a clipping."""
    total = node("Add", f"k{number} k{number}", f"s{number}")
    return [total, node("Max", f"{last} s{number}", f"t{number}")], {f"k{number}": (1, 1, 1)}


def caffe(count: int) -> bytes:
    """A prototxt of convolutions."""
    layer = (
        'layer {{ name: "c{0}" type: "Convolution" bottom: "{1}" top: "c{0}"\n'
        "  convolution_param {{ num_output: 3 kernel_size: 3 pad: 1 }} }}\n"
    )
    head = 'input: "x" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }\n'
    layers = (layer.format(i, f"c{i - 1}" if i else "x") for i in range(count))
    return (head + "".join(layers)).encode()


def darknet(count: int) -> bytes:
    """A cfg of convolutions with a shortcut behind each second one."""
    conv = "[convolutional]\nfilters=3\nsize=3\nstride=1\npad=1\nactivation=linear\n"
    pair = f"{conv}[shortcut]\nfrom=-2\nactivation=linear\n"
    head = f"[net]\nwidth=8\nheight=8\nchannels=3\n{conv}"
    return (head + pair * (count // 2 - 1)).encode()


# What each is called; its suffix, layers for each step, and the file of so many steps.
MODELS: dict[str, tuple[str, int, Callable[[int], bytes]]] = {
    "convolutions": (".onnx", 1, lambda n: chain(convolutions, n)),
    "residual blocks": (".onnx", 2, lambda n: chain(residual, n)),
    "fire modules": (".onnx", 4, lambda n: chain(fires, n)),
    "skips": (".onnx", 1, lambda n: chain(skips, n)),
    "sums of four": (".onnx", 1, lambda n: chain(dense, n)),
    "activations": (".onnx", 1, lambda n: chain(activations, n)),
    "products": (".onnx", 1, lambda n: chain(products, n)),
    "folded constants": (".onnx", 1, lambda n: chain(folded, n)),
    "a prototxt": (".prototxt", 1, caffe),
    "a cfg": (".cfg", 1, darknet),
}
